/** Privacy, read off the source: log messages are static, log fields are listed, and every test file is collected. */
import { basename, join, relative } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { listFiles, ROOT, readSourceTree } from "../support/source-tree.js";

const LOG_LEVELS = ["debug", "info", "warn", "error"];
const TIERS = ["unit", "conformance", "service", "system", "architecture"];
const files = readSourceTree();

interface LogCall {
  readonly place: string;
  readonly message: ts.Expression | undefined;
  readonly fields: ts.Expression | undefined;
}

/** Calls of the shape `logger.warn(...)` or `this.#options.logger.warn(...)`. */
function logCalls(): LogCall[] {
  return files.flatMap(({ path, syntax }) => {
    const found: LogCall[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression) && LOG_LEVELS.includes(node.expression.name.text)) {
        if (/(^|\.)#?logger$/.test(node.expression.expression.getText())) {
          const line = syntax.getLineAndCharacterOfPosition(node.getStart()).line + 1;
          found.push({ place: `${path}:${line}`, message: node.arguments[0], fields: node.arguments[1] });
        }
      }
      ts.forEachChild(node, visit);
    };
    visit(syntax);
    return found;
  });
}

describe("privacy in the source", () => {
  it("logs static strings only", () => {
    const calls = logCalls();
    expect(calls.length).toBeGreaterThan(3);
    expect(calls.filter(({ message }) => message === undefined || !ts.isStringLiteral(message)).map(({ place }) => place)).toEqual([]);
  });

  it("never hands a thrown thing, a text or a path to the logger", () => {
    const forbidden = /\b(message|stack|text|path|transcript|segment|summary|entities?|body|payload|headers|audioKey|name)\b/;
    expect(
      logCalls()
        .filter(({ fields }) => fields !== undefined && forbidden.test(fields.getText().replaceAll(/errorFields\([a-zA-Z]+\)/g, "")))
        .map(({ place }) => place),
    ).toEqual([]);
  });

  it("writes to the terminal from the command line's rooms only", () => {
    const writers = files.filter(({ path, text }) => /process\.std(out|err)\.write|console\./.test(text) && !path.startsWith("cli/"));
    expect(writers.map(({ path }) => path)).toEqual([]);
  });

  it("puts no free text into job payloads", () => {
    const payloads = files.find(({ path }) => path === "protocol/job-payloads.ts")?.text ?? "";
    const fields = [...payloads.matchAll(/^ {2}([a-zA-Z]+): z\./gm)].map(([, field]) => field);
    expect(fields).toEqual(["callId", "recordingId", "language", "includeTranslation", "speechEngine", "modelTask"]);
  });
});

describe("the tests themselves", () => {
  it("are all collected", () => {
    const stray = listFiles(join(ROOT, "test"), ".ts")
      .map((path) => relative(join(ROOT, "test"), path))
      .filter((path) => path.endsWith(".test.ts") && !TIERS.includes(path.split("/")[0] ?? ""));
    expect(stray).toEqual([]);
  });

  it("have titles that differ within a file", () => {
    const doubled = listFiles(join(ROOT, "test"), ".test.ts").flatMap((path) => {
      const titles = [...(ts.sys.readFile(path)?.matchAll(/^\s*it\(\s*"([^"]+)"/gm) ?? [])].map(([, title]) => title);
      return titles.filter((title, index) => titles.indexOf(title) !== index).map((title) => `${basename(path)}: ${title}`);
    });
    expect(doubled).toEqual([]);
  });
});
