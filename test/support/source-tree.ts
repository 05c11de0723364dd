/** The source tree as data: files, lines, imports. For the architecture tests. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
export const SRC = join(ROOT, "src");

export interface SourceFile {
  /** Relative to `src/`. */
  readonly path: string;
  readonly text: string;
  readonly lineCount: number;
  readonly syntax: ts.SourceFile;
  readonly imports: readonly SourceImport[];
}

export interface SourceImport {
  readonly line: number;
  readonly specifier: string;
  /** Relative to `src/`; undefined for a package. */
  readonly target: string | undefined;
  readonly isDynamic: boolean;
}

export function listFiles(directory: string, suffix: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return listFiles(path, suffix);
    return entry.name.endsWith(suffix) ? [path] : [];
  });
}

export function readSourceTree(): readonly SourceFile[] {
  return listFiles(SRC, ".ts").map((file) => {
    const text = readFileSync(file, "utf8");
    const syntax = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
    return { path: relative(SRC, file), text, lineCount: text.split("\n").length - 1, syntax, imports: importsOf(syntax, file) };
  });
}

function importsOf(syntax: ts.SourceFile, file: string): SourceImport[] {
  const found: SourceImport[] = [];
  const add = (node: ts.Node, specifier: string, isDynamic: boolean): void => {
    const target = specifier.startsWith(".") ? relative(SRC, resolve(dirname(file), specifier)).replace(/\.js$/, ".ts") : undefined;
    found.push({ line: syntax.getLineAndCharacterOfPosition(node.getStart()).line + 1, specifier, target, isDynamic });
  };
  const visit = (node: ts.Node): void => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier !== undefined && ts.isStringLiteral(node.moduleSpecifier)) {
      add(node, node.moduleSpecifier.text, false);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      if (argument !== undefined && ts.isStringLiteral(argument)) add(node, argument.text, true);
    }
    ts.forEachChild(node, visit);
  };
  visit(syntax);
  return found;
}
