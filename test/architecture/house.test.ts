/** The house stands: floors, cycles, sizes, names, docstrings. Each failure names file, line and rule. */
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { readSourceTree, type SourceFile } from "../support/source-tree.js";

const FLOORS: Readonly<Record<string, number>> = {
  core: 0,
  ...{ protocol: 1, config: 1, observability: 1, audio: 1, security: 1, redis: 1 },
  ...{ storage: 2, inference: 2, cache: 2 },
  ...{ queue: 3, events: 3, analysis: 3, evaluation: 3 },
  ...{ calls: 4, "model-tasks": 4 },
  ...{ gateway: 5, telephony: 5, jobs: 5 },
  app: 6,
  cli: 7,
};
const FORBIDDEN_LAST_WORDS = ["util", "utils", "helper", "helpers", "manager", "common", "misc", "base", "enhanced", "new", "v2"];
/** Packages with native parts or heavy weight: each in exactly one file, so that it can be missing or be replaced there. */
const ONE_FILE_PACKAGES = [
  "libsql",
  "onnxruntime-node",
  "audio-decode",
  "@alexanderolsen/libsamplerate-js",
  "prom-client",
  "pino",
  "pg",
  "mysql2",
  "ioredis",
  "bullmq",
  "@aws-sdk/client-s3",
];
const LINE_CAP = 400;
const LINE_P95 = 300;
const FUNCTION_LINE_CAP = 60;
const ROOM_FILE_CAP = 15;

const files = readSourceTree();
const roomOf = (path: string): string => path.split("/")[0] ?? "";
const isBackend = (path: string): boolean => path.includes("/backends/");

describe("the house", () => {
  it("imports only from its own room or from lower floors", () => {
    const faults = files.flatMap(({ path, imports }) =>
      imports.flatMap(({ target, line, specifier }) => {
        if (target === undefined) return [];
        const [from, to] = [FLOORS[roomOf(path)], FLOORS[roomOf(target)]];
        const isAllowed = roomOf(path) === roomOf(target) || (from !== undefined && to !== undefined && to < from);
        return isAllowed ? [] : [`${path}:${line} imports ${specifier}: not on a lower floor`];
      }),
    );
    expect(faults).toEqual([]);
  });

  it("keeps every file in a known room", () => {
    expect(files.filter(({ path }) => FLOORS[roomOf(path)] === undefined).map(({ path }) => path)).toEqual([]);
  });

  it("imports concrete backends in app only", () => {
    const faults = files.flatMap(({ path, imports }) =>
      imports.flatMap(({ target, line }) =>
        target !== undefined && isBackend(target) && !isBackend(path) && roomOf(path) !== "app" ? [`${path}:${line} imports the backend ${target}`] : [],
      ),
    );
    expect(faults).toEqual([]);
  });

  it("imports config in app and cli only", () => {
    const faults = files.flatMap(({ path, imports }) =>
      imports.flatMap(({ target, line }) =>
        target?.startsWith("config/") === true && !["config", "app", "cli"].includes(roomOf(path)) ? [`${path}:${line}`] : [],
      ),
    );
    expect(faults).toEqual([]);
  });

  it("has no import cycle", () => {
    expect(findCycle(files)).toEqual([]);
  });

  it("reads the environment at the command line's edge only", () => {
    const reads = /process\.env(?!\["[A-Z_]+"\] = )/;
    expect(files.filter(({ path, text }) => reads.test(text) && path !== "cli/main.ts").map(({ path }) => path)).toEqual([]);
  });

  it("imports each heavy package in exactly one file", () => {
    const importers = ONE_FILE_PACKAGES.map(
      (name) => [name, files.filter(({ imports }) => imports.some(({ specifier }) => specifier === name)).map(({ path }) => path)] as const,
    );
    expect(importers.filter(([, paths]) => paths.length > 1)).toEqual([]);
  });

  it("keeps files and functions short", () => {
    const tooLong = files.filter(({ lineCount }) => lineCount > LINE_CAP).map(({ path, lineCount }) => `${path} has ${lineCount} lines`);
    const sorted = files.map(({ lineCount }) => lineCount).sort((a, b) => a - b);
    expect(tooLong).toEqual([]);
    expect(sorted[Math.floor(sorted.length * 0.95)]).toBeLessThanOrEqual(LINE_P95);
    expect(files.flatMap(longFunctions)).toEqual([]);
  });

  it("keeps rooms small enough to be looked through", () => {
    const counts = new Map<string, number>();
    for (const { path } of files) {
      const directory = path.split("/").slice(0, -1).join("/");
      counts.set(directory, (counts.get(directory) ?? 0) + 1);
    }
    const cap = (directory: string): number => (directory === "core" || directory === "app" ? ROOM_FILE_CAP + 10 : ROOM_FILE_CAP);
    expect([...counts].filter(([directory, count]) => count > cap(directory))).toEqual([]);
  });

  it("gives no file a name that says nothing", () => {
    const lastWord = (path: string): string => path.replace(/\.ts$/, "").split(/[/-]/).at(-1) ?? "";
    expect(files.filter(({ path }) => FORBIDDEN_LAST_WORDS.includes(lastWord(path))).map(({ path }) => path)).toEqual([]);
  });

  it("opens every file with what it is", () => {
    expect(files.filter(({ text }) => !/^(#!.*\n)?\/\*\*/.test(text)).map(({ path }) => path)).toEqual([]);
  });

  it("documents every function that another room uses", () => {
    const used = new Map<string, Set<string>>();
    for (const file of files)
      for (const [target, names] of namedImports(file))
        if (roomOf(target) !== roomOf(file.path)) for (const name of names) used.set(target, (used.get(target) ?? new Set<string>()).add(name));
    expect(files.flatMap((file) => undocumentedFunctions(file, used.get(file.path) ?? new Set()))).toEqual([]);
  });

  it("has no default export, enum or left-over note", () => {
    const notes = ["TO" + "DO", "FIX" + "ME", "X" + "XX"];
    const faults = files.flatMap(({ path, text }) => [
      ...(/^export default/m.test(text) ? [`${path}: default export`] : []),
      ...(/^\s*(export )?(const )?enum /m.test(text) ? [`${path}: enum`] : []),
      ...notes.filter((note) => text.includes(note)).map((note) => `${path}: ${note}`),
    ]);
    expect(faults).toEqual([]);
  });
});

function findCycle(tree: readonly SourceFile[]): readonly string[] {
  const targets = new Map(tree.map(({ path, imports }) => [path, imports.flatMap(({ target }) => (target === undefined ? [] : [target]))]));
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): readonly string[] => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return [];
    for (const target of targets.get(path) ?? []) {
      const cycle = visit(target, [...trail, path]);
      if (cycle.length > 0) return cycle;
    }
    done.add(path);
    return [];
  };
  for (const path of targets.keys()) {
    const cycle = visit(path, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

function longFunctions({ path, syntax }: SourceFile): string[] {
  const found: string[] = [];
  const lineOf = (position: number): number => syntax.getLineAndCharacterOfPosition(position).line + 1;
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && "body" in node && node.body !== undefined) {
      const lines = lineOf(node.end) - lineOf(node.getStart()) + 1;
      if (lines > FUNCTION_LINE_CAP) found.push(`${path}:${lineOf(node.getStart())} a function of ${lines} lines`);
    }
    ts.forEachChild(node, visit);
  };
  visit(syntax);
  return found;
}

function namedImports({ syntax, imports }: SourceFile): readonly (readonly [string, readonly string[]])[] {
  return syntax.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) return [];
    const { text } = statement.moduleSpecifier;
    const target = imports.find(({ specifier }) => specifier === text)?.target;
    const bindings = statement.importClause?.namedBindings;
    if (target === undefined || bindings === undefined || !ts.isNamedImports(bindings)) return [];
    return [[target, bindings.elements.map((element) => (element.propertyName ?? element.name).text)] as const];
  });
}

function undocumentedFunctions({ path, syntax }: SourceFile, usedNames: ReadonlySet<string>): string[] {
  return syntax.statements.flatMap((statement) => {
    if (!ts.isFunctionDeclaration(statement) || statement.name === undefined || !usedNames.has(statement.name.text)) return [];
    const isDocumented = ts.getJSDocCommentsAndTags(statement).length > 0;
    return isDocumented ? [] : [`${path}: ${statement.name.text} has no docstring`];
  });
}
