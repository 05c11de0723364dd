/** Programs in a network or a file tree of their own: what they change there is gone with them. */

/** Words before a command line. Root needs no more; everybody else becomes root of a world of their own. */
export function inNamespace(kind: "net" | "mount"): readonly [string, ...string[]] {
  return ["unshare", `--${kind}`, ...(process.getuid?.() === 0 ? [] : ["--map-root-user"])];
}
