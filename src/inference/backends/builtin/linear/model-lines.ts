/**
 * Reads model files that have a feature a line, as `tools/language-models` writes them, a line at a time: the object that JSON
 * makes of a whole file takes several times the memory of the model.
 */
import { isPair, type LinearModel, linearModelSchema, packPair } from "./linear-weights.js";

const WEIGHTS = '"weights":{\n';
const END = "\n}}\n";

/** @returns undefined when the file is laid out otherwise, or has a fault: then it is to be read as any JSON */
export function readModelLines(content: string): LinearModel | undefined {
  const from = content.indexOf(WEIGHTS);
  if (from < 0 || !content.endsWith(END)) return undefined;
  const head = headOf(content.slice(0, from));
  if (head === undefined) return undefined;
  const end = content.length - END.length;
  const starts = new Map<string, number>();
  const runs = new RunWriter(content, from);
  for (let at = from + WEIGHTS.length; at < end; ) {
    const next = content.indexOf("\n", at);
    const lineEnd = Math.min(end, next);
    const numbersAt = content.lastIndexOf(":[", lineEnd);
    const feature = numbersAt < at ? undefined : stringOf(content.slice(at, numbersAt));
    const start = runs.length;
    if (feature === undefined || !runs.write(numbersAt + 2, content[lineEnd - 1] === "," ? lineEnd - 1 : lineEnd)) return undefined;
    starts.set(feature, start);
    at = lineEnd + 1;
  }
  return { labels: head.labels, scale: head.scale, starts, runs: runs.written() };
}

const MINUS = 45;
const COMMA = 44;
const CLOSING = 93;
const ZERO = 48;
const LINE_END = 10;

/** Runs of numbers as a model keeps them, each behind its length. */
class RunWriter {
  readonly #content: string;
  readonly #numbers: Int32Array;
  #length = 0;

  constructor(content: string, from: number) {
    this.#content = content;
    let [commas, lines] = [0, 0];
    for (let at = from; at < content.length; at++) {
      const code = content.charCodeAt(at);
      if (code === COMMA) commas++;
      else if (code === LINE_END) lines++;
    }
    // Each pair has a comma in it and one behind it, if only the line's; each run its length.
    this.#numbers = new Int32Array(Math.ceil(commas / 2) + 2 * lines);
  }

  get length(): number {
    return this.#length;
  }

  written(): Int32Array {
    return this.#numbers.subarray(0, this.#length);
  }

  /** @returns false when what stands from one place to the other is not whole numbers in pairs and a closing bracket */
  write(from: number, to: number): boolean {
    const start = this.#length++;
    let value = 0;
    let digits = 0;
    let sign = 1;
    let label: number | undefined;
    for (let at = from; at < to; at++) {
      const code = this.#content.charCodeAt(at);
      if (code === MINUS && digits === 0 && sign === 1) sign = -1;
      else if (code >= ZERO && code <= ZERO + 9) {
        value = 10 * value + code - ZERO;
        digits++;
      } else if ((code === COMMA || (code === CLOSING && at === to - 1)) && digits > 0 && digits < 10) {
        if (label === undefined) label = sign * value;
        else if (isPair(label, sign * value)) {
          this.#numbers[this.#length++] = packPair(label, sign * value);
          label = undefined;
        } else return false;
        [value, digits, sign] = [0, 0, 1];
      } else return false;
    }
    this.#numbers[start] = this.#length - start - 1;
    return digits === 0 && this.#content.charCodeAt(to - 1) === CLOSING && label === undefined;
  }
}

function stringOf(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

function headOf(text: string): Pick<LinearModel, "labels" | "scale"> | undefined {
  try {
    return linearModelSchema.parse(JSON.parse(`${text}"weights":{}}`));
  } catch {
    // Whoever reads it as JSON says what is wrong with it.
    return undefined;
  }
}
