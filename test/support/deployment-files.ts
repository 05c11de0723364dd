/** What lies in `deploy/`, read as data: YAML, the Dockerfile, NGINX's files. */
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { ROOT } from "./source-tree.js";

export const DEPLOY = join(ROOT, "deploy");

export const readDeployed = (path: string): string => readFileSync(join(DEPLOY, path), "utf8");

/** One document; merge keys (`<<`) are resolved as Compose does. */
export const readYaml = <Shape>(path: string): Shape => parse(readDeployed(path), { merge: true, uniqueKeys: true }) as Shape;

export const readYamlDocuments = <Shape>(path: string): readonly Shape[] =>
  parseAllDocuments(readDeployed(path)).map((document) => {
    if (document.errors.length > 0) throw new Error(`${path}: ${document.errors[0]?.message}`);
    return document.toJS() as Shape;
  });

export interface Instruction {
  readonly stage: string;
  readonly base: string;
  readonly name: string;
  readonly text: string;
}

/** Of a Dockerfile in order; continued lines are joined, comments left out. */
export function readDockerfile(path: string): readonly Instruction[] {
  let [stage, base] = ["", ""];
  const lines = readDeployed(path)
    .replaceAll(/^\s*#.*\n/gm, "")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n");
  return lines
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [, name = "", text = ""] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
      if (name === "FROM") [, base = "", stage = ""] = /^(\S+) AS (\S+)$/.exec(text) ?? [];
      return { stage, base, name, text };
    });
}

/** What is said in `fields` of `ENV a=1 b=2`. */
export const readAssignments = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    text
      .split(/\s+/)
      .filter((pair) => pair !== "")
      .map((pair) => pair.split("=", 2)),
  );

export interface NginxServer {
  readonly upstream: string;
  readonly host: string;
  readonly port: number;
}

/** Of every `upstream` in a file. */
export function readUpstreams(path: string): readonly NginxServer[] {
  const text = withoutComments(readDeployed(path));
  return [...text.matchAll(/upstream (\w+) \{([^}]*)\}/g)].flatMap(([, upstream = "", body = ""]) =>
    [...body.matchAll(/server ([\w.-]+):(\d+)/g)].map(([, host = "", port = ""]) => ({ upstream, host, port: Number(port) })),
  );
}

/** Ports that a file listens on. */
export const readListens = (path: string): readonly number[] =>
  [...withoutComments(readDeployed(path)).matchAll(/listen (?:\[::\]:)?(\d+)/g)].map(([, port]) => Number(port));

export const withoutComments = (text: string): string => text.replaceAll(/^\s*#.*$/gm, "");

/** Files that a file of NGINX includes, as it writes them. */
export const readIncludes = (path: string): readonly string[] =>
  [...withoutComments(readDeployed(path)).matchAll(/include ([^;]+);/g)].map(([, included]) => included ?? "");

/** A path in a deployment file, as seen from the repository. */
export const fromDeployed = (file: string, path: string): string => resolve(DEPLOY, dirname(file), path);
