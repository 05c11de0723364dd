/** BLEU and chrF as sacrebleu 2.4 computes them with its defaults, from counts that add up over records. */
import { type Measure, type Sum, tally } from "../counts.js";

const BLEU_ORDER = 4;
const CHRF_ORDER = 6;
const CHRF_BETA = 2;
const EPSILON = 1e-16;

/** Adds one translation's counts against its references. */
export function scoreTranslation(counts: Record<string, number>, references: readonly string[], given: string): void {
  tally(counts, "translations");
  countBleu(counts, references, given);
  countChrf(counts, references, given);
}

export function translationMeasures(sum: Sum): readonly Measure[] {
  const cases = sum("translations");
  return [
    { name: "chrF", value: cases === 0 ? undefined : chrfOf(sum), cases },
    { name: "BLEU", value: cases === 0 ? undefined : bleuOf(sum), cases },
  ];
}

/** The words of mteval-v13a. */
export function tokenize13a(line: string): readonly string[] {
  return ` ${line.trimEnd().replaceAll("<skipped>", "").replaceAll("-\n", "").replaceAll("\n", " ").replaceAll("&quot;", '"').replaceAll("&amp;", "&").replaceAll("&lt;", "<").replaceAll("&gt;", ">")} `
    .replace(/([{-~[-` -&(-+:-@/])/g, " $1 ")
    .replace(/([^0-9])([.,])/g, "$1 $2 ")
    .replace(/([.,])([^0-9])/g, " $1 $2")
    .replace(/([0-9])(-)/g, "$1 $2 ")
    .split(/\s+/)
    .filter((word) => word !== "");
}

function ngrams(items: readonly string[], order: number, separator: string): Map<string, number> {
  const found = new Map<string, number>();
  for (let at = 0; at + order <= items.length; at++) {
    const gram = items.slice(at, at + order).join(separator);
    found.set(gram, (found.get(gram) ?? 0) + 1);
  }
  return found;
}

function countBleu(counts: Record<string, number>, references: readonly string[], given: string): void {
  const words = tokenize13a(given);
  const referenceWords = references.map(tokenize13a);
  const nearest = referenceWords
    .map(({ length }) => length)
    .reduce((best, length) => {
      const [gap, bestGap] = [Math.abs(length - words.length), Math.abs(best - words.length)];
      return gap < bestGap || (gap === bestGap && length < best) ? length : best;
    }, Number.POSITIVE_INFINITY);
  tally(counts, "bleu given", words.length);
  tally(counts, "bleu reference", nearest);
  for (let order = 1; order <= BLEU_ORDER; order++) {
    const most = new Map<string, number>();
    for (const reference of referenceWords) {
      for (const [gram, count] of ngrams(reference, order, " ")) most.set(gram, Math.max(count, most.get(gram) ?? 0));
    }
    for (const [gram, count] of ngrams(words, order, " ")) {
      tally(counts, `bleu ${order} all`, count);
      tally(counts, `bleu ${order} right`, Math.min(count, most.get(gram) ?? 0));
    }
  }
}

/** 0..100, with exponential smoothing of orders without a match. */
function bleuOf(sum: Sum): number {
  const [given, reference] = [sum("bleu given"), sum("bleu reference")];
  if (given === 0) return 0;
  let smoothing = 1;
  let logs = 0;
  let orders = 0;
  let hasAny = false;
  for (let order = 1; order <= BLEU_ORDER; order++) {
    const [right, all] = [sum(`bleu ${order} right`), sum(`bleu ${order} all`)];
    if (all === 0) break;
    orders = BLEU_ORDER;
    hasAny ||= right > 0;
    if (right === 0) smoothing *= 2;
    logs += Math.log(right === 0 ? 100 / (smoothing * all) : (100 * right) / all);
  }
  if (!hasAny || orders === 0) return 0;
  // An order that no sentence is long enough for has no precision, and takes the score to nothing.
  if (sum(`bleu ${BLEU_ORDER} all`) === 0) return 0;
  const brevity = given < reference ? Math.exp(1 - reference / given) : 1;
  return brevity * Math.exp(logs / BLEU_ORDER);
}

interface ChrfOrder {
  readonly given: number;
  readonly reference: number;
  readonly right: number;
}

/** The counts of that reference that it is nearest to. */
function countChrf(counts: Record<string, number>, references: readonly string[], given: string): void {
  const characters = [...given.replace(/\s+/g, "")];
  const grams = Array.from({ length: CHRF_ORDER }, (_, index) => ngrams(characters, index + 1, ""));
  let best: { readonly orders: readonly ChrfOrder[]; readonly score: number } | undefined;
  for (const reference of references) {
    const referenceCharacters = [...reference.replace(/\s+/g, "")];
    const orders = grams.map((own, index): ChrfOrder => {
      const theirs = ngrams(referenceCharacters, index + 1, "");
      let right = 0;
      for (const [gram, count] of own) right += Math.min(count, theirs.get(gram) ?? 0);
      const total = (found: Map<string, number>): number => [...found.values()].reduce((added, count) => added + count, 0);
      return { given: theirs.size > 0 ? total(own) : 0, reference: total(theirs), right };
    });
    const score = chrfScore(orders);
    if (best === undefined || score > best.score) best = { orders, score };
  }
  for (const [index, order] of (best?.orders ?? []).entries()) {
    for (const key of ["given", "reference", "right"] as const) tally(counts, `chrf ${index + 1} ${key}`, order[key]);
  }
}

/** 0..100: mean precision and recall over the orders that both have, recall twice as heavy. */
function chrfScore(orders: readonly ChrfOrder[]): number {
  const used = orders.filter(({ given, reference }) => given > 0 && reference > 0);
  const mean = (of: (order: ChrfOrder) => number): number => used.reduce((added, order) => added + of(order), 0) / (used.length || 1);
  const [precision, recall] = [mean(({ right, given }) => right / given), mean(({ right, reference }) => right / reference)];
  const factor = CHRF_BETA ** 2;
  return precision + recall === 0 ? 0 : (100 * (1 + factor) * precision * recall) / Math.max(EPSILON, factor * precision + recall);
}

function chrfOf(sum: Sum): number {
  return chrfScore(
    Array.from({ length: CHRF_ORDER }, (_, index) => ({
      given: sum(`chrf ${index + 1} given`),
      reference: sum(`chrf ${index + 1} reference`),
      right: sum(`chrf ${index + 1} right`),
    })),
  );
}

/** For one record alone, 0..100. */
export function chrfOfOne(references: readonly string[], given: string): number {
  const counts: Record<string, number> = {};
  countChrf(counts, references, given);
  return chrfOf((key) => counts[key] ?? 0);
}
