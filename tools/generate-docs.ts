/**
 * Writes the pages that follow from the code: settings, error codes, metrics, events, permissions, OpenAPI, command help.
 * A test compares them with what is committed.
 *
 * Use: npm run docs:generate
 */
import { mkdir, writeFile } from "node:fs/promises";
import { generatedPages } from "../test/support/generated-pages.js";

await mkdir("docs", { recursive: true });
for (const [path, content] of Object.entries(await generatedPages())) await writeFile(path, content);
