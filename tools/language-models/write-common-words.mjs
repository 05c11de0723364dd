/**
 * Writes `data/lexicons/common-words.json`: words that the labelled material writes small, outside of what it marks as names
 * and places. A capital on any other word is taken for a name by the masker. Run after the material has grown.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

const ROOT = new URL("../../", import.meta.url).pathname;
const WORD = /[\p{L}\p{M}]+(?:['’ʼ][\p{L}\p{M}]+)*/gu;
const LINE = 150;

const labelled = readdirSync(`${ROOT}data/labelled`).filter((name) => /^(?:dialogues|utterances)-.*\.jsonl$/.test(name));
const texts = labelled.flatMap((name) =>
  readFileSync(`${ROOT}data/labelled/${name}`, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line))
    .filter(({ styles = [] }) => !styles.includes("asr"))
    .flatMap(({ turns = [], text = "" }) => [text, ...turns.map((turn) => turn.text)]),
);
const words = new Set();
for (const text of texts) {
  const plain = text
    .replace(/\[[^\]|]*\|(?:NAME|LOCATION|SCHOOL|LANDMARK|ADDRESS|PLATE|EMAIL)[^\]]*\]|\[[^\]|]*\|[A-Z_]+:name\]/g, " ")
    .replace(/\|[A-Z_]+(?::[a-z]+)*\]|\[/g, " ");
  for (const [word] of plain.matchAll(WORD)) if (word.length > 1 && word === word.toLowerCase()) words.add(word.replace(/[’ʼ]/g, "'"));
}

const lines = [];
let line = "   ";
for (const word of [...words].sort()) {
  const part = ` ${JSON.stringify(word)},`;
  if (line.length + part.length > LINE) {
    lines.push(line);
    line = "   ";
  }
  line += part;
}
lines.push(line.replace(/,$/, ""));
writeFileSync(`${ROOT}data/lexicons/common-words.json`, `{\n  "id": "common-words",\n  "version": 1,\n  "words": [\n${lines.join("\n")}\n  ]\n}\n`);
console.log(`${words.size} words`);
