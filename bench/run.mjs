/**
 * Benchmarks: `npm run bench -- <name>`. Each prints a table for people and one JSON line for machines; a bar that is a
 * ratio is measured side by side in one run.
 */
import { readdirSync } from "node:fs";

const names = readdirSync(new URL(".", import.meta.url))
  .filter((file) => file.endsWith(".bench.mjs"))
  .map((file) => file.replace(".bench.mjs", ""));
const [name, ...benchArguments] = process.argv.slice(2).filter((word) => word !== "--");
if (!names.includes(name)) {
  console.error(`Say which: npm run bench -- ${names.join(" | ")}`);
  process.exit(2);
}
const { bench } = await import(`./${name}.bench.mjs`);
const rows = await bench(benchArguments);
const width = Math.max(...rows.map(({ measure }) => measure.length));
for (const { measure, value, unit, bar = "", isMet } of rows) {
  console.log(`${measure.padEnd(width)}  ${String(value).padStart(10)} ${unit.padEnd(8)} ${bar}${isMet === undefined ? "" : isMet ? "  met" : "  NOT MET"}`);
}
console.log(JSON.stringify({ bench: name, cores: (await import("node:os")).availableParallelism(), node: process.versions.node, rows }));
process.exit(0);
