/** The one place that listens to signals: the first asks for a clean stop, the second ends at once. */

/** Resolves with the first SIGTERM or SIGINT. */
export function waitForShutdownSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let isAsked = false;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (isAsked) process.exit(signal === "SIGINT" ? 130 : 143);
      isAsked = true;
      resolve(signal);
    };
    process.on("SIGTERM", onSignal);
    process.on("SIGINT", onSignal);
  });
}
