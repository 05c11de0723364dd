/** Checks labelled material before it is added: `node tools/labelled-data/check.mjs FILE...` prints each fault with its line. */
import { readFileSync } from "node:fs";

const read = (path) => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url)));
const taxonomy = read("data/taxonomies/openchs.json");
const MAIN_OF = new Map(taxonomy.main_categories.flatMap(({ label, sub_categories }) => sub_categories.map((sub) => [sub, label])));
const ITEMS = new Set(read("data/rubrics/openchs-quality.json").heads.flatMap(({ items }) => items.map(({ item }) => item)));
const LABELS = new Set(
  "NAME VICTIM PERPETRATOR LOCATION LANDMARK AGE GENDER INCIDENT_TYPE PHONE_NUMBER DATE_TIME ORGANISATION RELATION NATIONAL_ID EMAIL ADDRESS SCHOOL PLATE ACCOUNT_NUMBER CASE_NUMBER".split(
    " ",
  ),
);
const RISKS = new Set(
  "suicide_self_harm sexual_violence physical_violence immediate_danger abduction trafficking early_marriage_fgm severe_neglect weapons drugs run_away threats".split(
    " ",
  ),
);
const LEVELS = new Set(taxonomy.priorities);
const LANGUAGES = new Set(["en", "sw", "mixed"]);
const STYLES = new Set("plain indirect hesitant child adult asr denial past joke hypothetical reported noisy".split(" "));
const CONTACTS = new Set("counselling information silent prank wrong_number".split(" "));
const KINDS = new Set("danger safe scary denial past joke hypothetical reported question".split(" "));
const ANSWERS = new Set("caller_name child_name child_age place what_happened who_did_it when child_safe_now phone agreed_next_step".split(" "));
const MARK = /\[([^[\]|]+)\|([A-Z_]+)(:name|:local)?\]/g;
const plain = (text) => text.replace(MARK, "$1");

/** A piece of a call, with marks alone. */
const isPiece = (record) => "turns" in record && !("styles" in record);

/** What a caller says of their trouble, with what it is about. */
const isStatement = (record) => "main_category" in record && !("turns" in record);

function* faults(record) {
  if (!LANGUAGES.has(record.language)) yield `language ${record.language}`;
  for (const key of isStatement(record) ? ["id"] : ["id", "scenario"]) if (typeof record[key] !== "string" || record[key] === "") yield `no ${key}`;
  for (const { kind, level } of record.risks ?? (isPiece(record) ? [] : [{}])) if (!RISKS.has(kind) || !LEVELS.has(level)) yield `risk ${kind} ${level}`;
  if (isStatement(record)) yield* statementFaults(record);
  else yield* record.turns ? dialogueFaults(record) : utteranceFaults(record);
}

function* statementFaults({ main_category: main, sub_category: sub, priority, text }) {
  if (main === undefined || MAIN_OF.get(sub) !== main) yield `${sub} is not of ${main}`;
  if (!LEVELS.has(priority)) yield `priority ${priority}`;
  if (typeof text !== "string" || text.trim().length === 0) yield "no text";
}

function* utteranceFaults({ kind, speaker, text, risks }) {
  if (!KINDS.has(kind)) yield `kind ${kind}`;
  if (!["caller", "counsellor"].includes(speaker)) yield `speaker ${speaker}`;
  if (typeof text !== "string" || text.trim().length === 0) yield "no text";
  if (risks.length > 0 !== ["danger", "reported"].includes(kind)) yield `kind ${kind} with ${risks.length} risks`;
}

function* turnFaults({ turns }) {
  if (turns.length === 0) yield "no turns";
  for (const { speaker, text } of turns) {
    if (!["caller", "counsellor"].includes(speaker)) yield `speaker ${speaker}`;
    for (const [, , label] of text.matchAll(MARK)) if (!LABELS.has(label)) yield `label ${label}`;
    if (/[[\]|]/.test(plain(text))) yield `a mark is not closed: ${text}`;
  }
}

function* dialogueFaults(record) {
  yield* turnFaults(record);
  if (isPiece(record)) return;
  const { turns, sub_category: sub, main_category: main } = record;
  for (const style of record.styles) if (!STYLES.has(style)) yield `style ${style}`;
  if (!CONTACTS.has(record.contact_type)) yield `contact_type ${record.contact_type}`;
  if ((sub !== null || main !== null) && MAIN_OF.get(sub) !== main) yield `${sub} is not of ${main}`;
  if (record.intervention !== null && !taxonomy.interventions.includes(record.intervention)) yield `intervention ${record.intervention}`;
  if (!LEVELS.has(record.priority)) yield `priority ${record.priority}`;
  for (const [item, mark] of Object.entries(record.quality))
    if (!ITEMS.has(item) || !["met", "not_met", "not_enough_evidence"].includes(mark)) yield `quality ${item} ${mark}`;
  if (typeof record.summary !== "string") yield "no summary";
  for (const [key, answer] of Object.entries(record.answers)) {
    if (!ANSWERS.has(key)) yield `answer ${key}`;
    if (answer !== null && !turns.some(({ text }) => plain(text).includes(answer))) yield `answer ${key} is in no turn: ${answer}`;
  }
}

const ids = new Set();
let count = 0;
let faulty = 0;
for (const path of process.argv.slice(2)) {
  for (const [index, line] of readFileSync(path, "utf8").split("\n").entries()) {
    if (line.trim() === "") continue;
    count += 1;
    let found;
    try {
      const record = JSON.parse(line);
      found = [...faults(record), ...(ids.has(record.id) ? [`id ${record.id} twice`] : [])];
      ids.add(record.id);
    } catch (error) {
      found = [error.message];
    }
    for (const fault of found) console.log(`${path}:${index + 1}: ${fault}`);
    faulty += found.length > 0 ? 1 : 0;
  }
}
console.log(`${count} records, ${faulty} faulty`);
process.exitCode = faulty > 0 ? 1 : 0;
