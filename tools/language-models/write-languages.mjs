/**
 * Writes the English and Swahili words of `data/lexicons/languages.json` from two thirds of the labelled material: the calls of
 * dialogues-a and -b and the utterances of utterances-a. dialogues-c and utterances-b are left out, to measure on. Luganda and the
 * settings stay as they are: a person writes them. Run after the material has grown.
 */
import { readFileSync, writeFileSync } from "node:fs";

const ROOT = new URL("../../", import.meta.url).pathname;
const PATH = `${ROOT}data/lexicons/languages.json`;
const SOURCES = ["dialogues-a", "dialogues-b", "utterances-a"];
const WORD = /[\p{L}\p{M}]+(?:['’ʼ][\p{L}\p{M}]+)*/gu;
/** What is nobody's language: names of people, places, bodies, and numbers. */
const PROPER =
  /\[[^\]|]*\|(?:NAME|LOCATION|SCHOOL|LANDMARK|ADDRESS|PLATE|EMAIL|ORGANISATION|PHONE_NUMBER|ACCOUNT_NUMBER|CASE_NUMBER|NATIONAL_ID)[^\]]*\]|\[[^\]|]*\|[A-Z_]+:name\]/g;
/** So many times as often in one language as in the other: a loan word of the other, and not shared. */
const CLEAR = 4;
const LINE = 150;

const counts = { en: new Map(), sw: new Map() };
for (const name of SOURCES) {
  const records = readFileSync(`${ROOT}data/labelled/${name}.jsonl`, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
  for (const { language, styles = [], turns = [], text = "" } of records) {
    const count = counts[language];
    if (count === undefined || styles.includes("asr")) continue;
    for (const said of [text, ...turns.map((turn) => turn.text)]) {
      const plain = said.replace(PROPER, " ").replace(/\|[A-Z_]+(?::[a-z]+)*\]|\[/g, " ");
      for (const [word] of plain.matchAll(WORD)) {
        const norm = word.toLowerCase().replace(/[’ʼ]/g, "'");
        count.set(norm, (count.get(norm) ?? 0) + 1);
      }
    }
  }
}

const known = JSON.parse(readFileSync(PATH, "utf8"));
const [english, swahili, shared] = [[], [], []];
for (const word of new Set([...counts.en.keys(), ...counts.sw.keys()])) {
  const [en, sw] = [counts.en.get(word) ?? 0, counts.sw.get(word) ?? 0];
  if (known.noises.includes(word)) continue;
  if (en >= CLEAR * sw) english.push(word);
  else if (sw >= CLEAR * en) swahili.push(word);
  else shared.push(word);
}

function list(words) {
  const lines = [];
  let line = "     ";
  for (const word of words) {
    const part = ` ${JSON.stringify(word)},`;
    if (line.length + part.length > LINE) {
      lines.push(line);
      line = "     ";
    }
    line += part;
  }
  return [...lines, line.replace(/,$/, "")].join("\n");
}

const { id, version, source, mixed, related, thin_share: thinShare, letters } = known;
const others = Object.entries(known.languages).filter(([language]) => language !== "en" && language !== "sw");
const languages = [["en", english.sort()], ["sw", swahili.sort()], ...others];
writeFileSync(
  PATH,
  `{
  "id": ${JSON.stringify(id)},
  "version": ${version},
  "source": ${JSON.stringify(source)},
  "mixed": { "min_words": ${mixed.min_words}, "min_share": ${mixed.min_share} },
  "thin_share": ${thinShare},
  "letters": { "min_lead": ${letters.min_lead} },
  "related": ${JSON.stringify(related)},
  "noises": [
${list(known.noises)}
  ],
  "shared": [
${list(shared.sort())}
  ],
  "languages": {
${languages.map(([language, words]) => `    "${language}": [\n${list(words)}\n    ]`).join(",\n")}
  }
}
`,
);
console.log(`${english.length} English, ${swahili.length} Swahili, ${shared.length} shared`);
