/**
 * A detector that looks at every text of a call once: what it found is remembered, in this process and, handed on as text, in
 * the next. Texts themselves are not: a digest of them, and the places and kinds of what they hold.
 */
import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import { PII_KINDS, type PiiDetector, type PiiSpan } from "./pii-detector.js";

/** Requests of one call; an hour's call has about a thousand, and every interim text of a live one is another. */
const MOST_REMEMBERED = 2_000;

type Found = readonly (readonly PiiSpan[])[];

const spanSchema = z.tuple([z.enum(PII_KINDS), z.int().nonnegative(), z.int().nonnegative(), z.boolean()]);
const rememberedSchema = z.object({ revision: z.string(), found: z.array(z.tuple([z.string(), z.array(z.array(spanSchema))])) });

export class RememberingDetector implements PiiDetector {
  readonly revision: string;
  readonly #detector: PiiDetector;
  readonly #onChange: () => void;
  readonly #found = new LRUCache<string, Found>({ max: MOST_REMEMBERED });

  /** `onChange` is told whenever there is something new to hand on. */
  constructor(detector: PiiDetector, onChange: () => void) {
    this.#detector = detector;
    this.revision = detector.revision;
    this.#onChange = onChange;
  }

  detect(texts: readonly string[]): Found {
    const digest = createHash("sha256").update(JSON.stringify(texts)).digest("base64url");
    const known = this.#found.get(digest);
    // Another text with the same digest will not come by chance; a number of texts that differs shows a spoiled memory.
    if (known?.length === texts.length) return known;
    const found = this.#detector.detect(texts);
    this.#found.set(digest, found);
    this.#onChange();
    return found;
  }

  /** Takes up what another handed on, unless it was found by other rules. @throws SyntaxError or ZodError when it is not what one hands on */
  recall(handedOn: string): void {
    const { revision, found } = rememberedSchema.parse(JSON.parse(handedOn));
    if (revision !== this.revision) return;
    for (const [digest, texts] of found)
      this.#found.set(
        digest,
        texts.map((spans) => spans.map(toSpan)),
      );
  }

  /** Everything found so far, for `recall`. */
  handOn(): string {
    // Those used last are recalled last, and so are the last to go.
    const found = [...this.#found.rkeys()].map((digest) => [digest, (this.#found.peek(digest) ?? []).map((spans) => spans.map(fromSpan))]);
    return JSON.stringify({ revision: this.revision, found });
  }
}

function toSpan([kind, startOffset, endOffset, isWord]: z.infer<typeof spanSchema>): PiiSpan {
  return { kind, startOffset, endOffset, ...(isWord ? { isWord: true as const } : {}) };
}

function fromSpan({ kind, startOffset, endOffset, isWord }: PiiSpan): z.infer<typeof spanSchema> {
  return [kind, startOffset, endOffset, isWord === true];
}
