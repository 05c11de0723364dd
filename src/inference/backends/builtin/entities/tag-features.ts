/**
 * What the entity tagger looks at, word by word: the word and its neighbours, how it is written, what the rules say of it,
 * and what was asked just before.
 */
import type { CallReading, SegmentReading } from "../text/call-reading.js";
import type { Token } from "../text/tokenizer.js";
import type { EntitySpan } from "./entity-span.js";

/** What a question is about, by words in it: of the sentence before, whoever spoke it. */
const QUESTIONS: readonly (readonly [string, RegExp])[] = [
  ["age", /\b(how old|what age|years old|umri|miaka|age)\b/i],
  ["name", /\b(name|called|who am i|jina|majina|unaitwa|anaitwa|naongea na nani|speaking with)\b/i],
  ["own name", /\b(your name|unaitwa|jina lako|naongea na nani|speaking with|who am i)\b/i],
  ["place", /\b(where|wapi|which (town|place|village|county|area|estate)|location|uko|mko|kijiji|mtaa|landmark)\b/i],
  ["who", /\b(who|nani|whose)\b/i],
  ["when", /\b(when|lini|since|tangu|what time|saa ngapi|how long|muda gani)\b/i],
  ["number", /\b(number|namba|nambari|phone|simu|reach you|id|kitambulisho)\b/i],
  ["what", /\b(what (happened|is happening|did)|nini|kimetokea|kilitokea|tell me|niambie|nieleze)\b/i],
];

/** What tells that the caller speaks of themself, and of somebody else: a child's own name is the victim's, an adult's is not. */
const OF_SELF =
  /\b(nina miaka|una miaka|una umri|how old are you|what class are you|(mjomba|shangazi|baba|mama|mwalimu|babu|bibi) (wangu|yangu)|my (mum|mom|mother|dad|father|uncle|aunt|auntie|stepfather|stepmother|grandmother|grandfather|teacher|parents))\b/gi;
const OF_ANOTHER =
  /\b(ana miaka|ana umri|how old is|how old are (they|the)|where is (he|she)|yuko wapi|my (daughter|son|child|children|niece|nephew|pupil|neighbour|neighbor|grandson|granddaughter)|(mtoto|binti|jirani|mjukuu|mwanafunzi) (wangu|yangu)|mwanangu)\b/gi;

export interface TagContext {
  readonly call: CallReading;
  /** Candidates of the rules, also those that others outweigh. */
  readonly candidates: readonly EntitySpan[];
}

/** Features of one word that do not depend on the tags before. */
export type WordFeatures = (at: number) => readonly string[];

/** For each segment its words' features, made when asked for: those of a long text at once would fill the memory. */
export function callFeatures({ call, candidates }: TagContext): readonly WordFeatures[] {
  const ruled = call.map(({ tokens }) => tokens.map((): string[] => []));
  for (const { label, segmentIndex, firstToken, endToken, score } of candidates) {
    for (let at = firstToken; at < endToken; at++) {
      ruled[segmentIndex]?.[at]?.push(
        `r=${at === firstToken ? "B" : "I"}-${label}`,
        `rs=${label}${score >= 0.8 ? "+" : "-"}`,
        ...(at === endToken - 1 ? [`re=${label}`] : []),
      );
    }
  }
  const about = whomAbout(call);
  return call.map((reading, index) => segmentFeatures(reading, { ruled: ruled[index] ?? [], previous: call[index - 1], about }));
}

function whomAbout(call: CallReading): "self" | "another" | "either" {
  const count = (pattern: RegExp): number => call.reduce((sum, { segment }) => sum + (segment.text.match(pattern)?.length ?? 0), 0);
  const balance = count(OF_SELF) - count(OF_ANOTHER);
  return balance > 1 ? "self" : balance < -1 ? "another" : "either";
}

interface SegmentContext {
  readonly ruled: readonly (readonly string[])[];
  readonly previous: SegmentReading | undefined;
  readonly about: ReturnType<typeof whomAbout>;
}

function segmentFeatures(reading: SegmentReading, { ruled, previous, about }: SegmentContext): WordFeatures {
  const { tokens } = reading;
  const asked = askedBefore(reading, previous);
  const firstNumber = reading.numbers[0]?.firstToken;
  const shared = [`ch=${reading.segment.channel}`, `len=${Math.min(4, Math.floor(Math.log2(tokens.length + 1)))}`];
  const numberAt = new Map(
    reading.numbers.flatMap((number) =>
      Array.from({ length: number.endToken - number.firstToken }, (_, index) => [number.firstToken + index, number] as const),
    ),
  );
  return (at) => {
    const token = tokens[at];
    if (token === undefined) return [];
    const word = (offset: number): string => tokens[at + offset]?.norm ?? (at + offset < 0 ? "<s>" : "</s>");
    const { norm } = token;
    const features = [
      "bias",
      ...[`w=${norm}`, `w-1=${word(-1)}`, `w+1=${word(1)}`, `w-2=${word(-2)}`, `w+2=${word(2)}`],
      ...[`w-1w=${word(-1)} ${norm}`, `ww+1=${norm} ${word(1)}`, `w-2w-1=${word(-2)} ${word(-1)}`, `w+1w+2=${word(1)} ${word(2)}`],
      ...[`s2=${norm.slice(-2)}`, `s3=${norm.slice(-3)}`, `s4=${norm.slice(-4)}`, `p2=${norm.slice(0, 2)}`, `p3=${norm.slice(0, 3)}`, `p4=${norm.slice(0, 4)}`],
      ...[`s3-1=${word(-1).slice(-3)}`, `p3+1=${word(1).slice(0, 3)}`, `p3-1=${word(-1).slice(0, 3)}`],
      ...shapeOf(reading, token, at),
      ...shared,
      ...(ruled[at] ?? []),
      ...(ruled[at + 1] ?? []).map((feature) => `+${feature}`),
      ...(ruled[at - 1] ?? []).map((feature) => `-${feature}`),
    ];
    const [rule = "none"] = ruled[at] ?? [];
    const number = numberAt.get(at);
    if (number !== undefined) features.push("num", `num=${ageBand(number.value)}`, ...(number.firstToken === firstNumber ? ["num1st"] : []), `num ${rule}`);
    features.push(
      `rule+w-1=${rule} ${word(-1)}`,
      `rule+w+1=${rule} ${word(1)}`,
      `about=${about} ${rule}`,
      `about=${about} ${reading.segment.channel} ${rule} ${word(-1)}`,
    );
    const place = Math.min(at - (reading.sentences[token.sentence]?.firstToken ?? 0), 3);
    for (const question of asked[token.sentence] ?? [])
      features.push(
        `q=${question} ${place}`,
        `q=${question} ${rule}`,
        ...(question === "own name" ? [`q=${question} ${about} ${rule}`] : []),
        ...(number === undefined ? [] : [`qn=${question} ${number.firstToken === firstNumber}`]),
      );
    return features;
  };
}

/** For each sentence what the one before asked; for the first the last one of the segment before. */
function askedBefore({ segment, tokens, sentences }: SegmentReading, previous: SegmentReading | undefined): readonly (readonly string[])[] {
  const textOf = (index: number): string => {
    const sentence = sentences[index];
    if (sentence === undefined) return previous?.segment.text ?? "";
    return segment.text.slice(tokens[sentence.firstToken]?.startOffset, tokens[sentence.endToken - 1]?.endOffset);
  };
  return sentences.map((_, index) => {
    const before = textOf(index - 1);
    return QUESTIONS.filter(([, pattern]) => pattern.test(before)).map(([name]) => name);
  });
}

function shapeOf({ tokens, isCased }: SegmentReading, token: Token, at: number): readonly string[] {
  const startsSentence = tokens[at - 1]?.sentence !== token.sentence;
  const startsClause = tokens[at - 1]?.clause !== token.clause;
  const endsClause = tokens[at + 1]?.clause !== token.clause;
  const writing = /^\d+$/.test(token.norm) ? `digits${Math.min(5, token.norm.length)}` : /\d/.test(token.norm) ? "mixed" : "letters";
  return [
    writing,
    `cap=${isCased ? token.capitalised : "none"}${startsSentence ? " first" : ""}`,
    ...(startsClause ? ["clause first"] : []),
    ...(endsClause ? ["clause last"] : []),
    ...(startsClause && endsClause ? ["clause alone"] : []),
    ...(tokens.length === 1 ? ["segment alone"] : []),
  ];
}

function ageBand(value: number): string {
  if (value < 3) return "small";
  if (value < 18) return "child";
  return value < 100 ? "adult" : "big";
}
