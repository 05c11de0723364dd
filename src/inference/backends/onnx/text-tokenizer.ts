/** Text to tokens with exact places, by a model's own `tokenizer.json`. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Tokenizer } from "@huggingface/tokenizers";
import { z } from "zod";
import { AppError } from "../../../core/errors.js";
import { tokenBytes } from "./byte-level.js";
import { alignTokens, type TokenSpan, type TokenSurface } from "./token-alignment.js";

/** A text with a question before it, as models of pairs take them. */
export interface EncodedPair {
  readonly ids: readonly number[];
  readonly typeIds: readonly number[];
  /** Of the second text; null for the first and for marks. */
  readonly spans: readonly (TokenSpan | null)[];
}

export interface EncodedText {
  readonly ids: readonly number[];
  /** Null for marks of the model, such as `[CLS]`. */
  readonly spans: readonly (TokenSpan | null)[];
}

const tokenizerSchema = z.looseObject({
  model: z.looseObject({
    type: z.string(),
    unk_token: z.string().nullish(),
    unk_id: z.number().int().nonnegative().nullish(),
    continuing_subword_prefix: z.string().nullish(),
    vocab: z.unknown(),
  }),
  added_tokens: z.array(z.looseObject({ id: z.number().int(), content: z.string(), special: z.boolean().default(true) })).default([]),
});
const configSchema = z.looseObject({ model_max_length: z.number().positive().catch(512).default(512) });

const BLANK_MARK = "▁";
const DEFAULT_MAX_TOKENS = 512;

export class TextTokenizer {
  /** Tokens a model takes, with its marks. */
  readonly maxTokens: number;
  /** Tokens that were added to the vocabulary, such as those for languages. */
  readonly marks: readonly string[];
  readonly #tokenizer: Tokenizer;
  readonly #special: ReadonlySet<number>;
  readonly #unknown: string | undefined;
  readonly #isWordPiece: boolean;
  readonly #prefix: string;
  readonly #isByteLevel: boolean;

  private constructor(tokenizerJson: unknown, tokenizerConfig: unknown) {
    const { model, added_tokens: added } = tokenizerSchema.parse(tokenizerJson);
    // Some models give a number beyond all use for "no limit".
    const { model_max_length: limit } = configSchema.parse(tokenizerConfig);
    this.maxTokens = Math.min(limit, DEFAULT_MAX_TOKENS);
    this.marks = added.map(({ content }) => content);
    this.#tokenizer = new Tokenizer(tokenizerJson as object, tokenizerConfig as object);
    this.#unknown = model.unk_token ?? unknownOfUnigram(model.vocab, model.unk_id);
    this.#special = new Set(added.filter(({ special, content }) => special && content !== this.#unknown).map(({ id }) => id));
    this.#isWordPiece = model.type === "WordPiece";
    this.#prefix = this.#isWordPiece ? (model.continuing_subword_prefix ?? "##") : "";
    this.#isByteLevel = JSON.stringify([(tokenizerJson as { pre_tokenizer?: unknown }).pre_tokenizer]).includes('"ByteLevel"');
  }

  /** @throws AppError `MODEL_FILES_INVALID` */
  static async read(directory: string): Promise<TextTokenizer> {
    try {
      const [json, config] = await Promise.all(
        ["tokenizer.json", "tokenizer_config.json"].map(async (name) => JSON.parse(await readFile(join(directory, name), "utf8"))),
      );
      return new TextTokenizer(json, config);
    } catch {
      throw new AppError("MODEL_FILES_INVALID", "The model's tokenizer.json or tokenizer_config.json can't be read; import the model again from a whole copy.");
    }
  }

  /** With the model's marks around it; not cut to `maxTokens`. */
  encode(text: string): EncodedText {
    const { ids, tokens }: { readonly ids: readonly number[]; readonly tokens: readonly string[] } = this.#tokenizer.encode(text);
    const places = ids.flatMap((id, index) => (this.#special.has(id) ? [] : [index]));
    const aligned = alignTokens(
      text,
      places.map((index) => this.#surface(tokens[index] ?? "")),
      { cutsSigns: this.#isWordPiece },
    );
    const spans: (TokenSpan | null)[] = ids.map(() => null);
    for (const [order, index] of places.entries()) spans[index] = aligned[order] ?? null;
    return { ids, spans };
  }

  /** Not cut to `maxTokens`. */
  encodePair(first: string, second: string): EncodedPair {
    const { ids, token_type_ids: typeIds }: { readonly ids: readonly number[]; readonly token_type_ids: readonly number[] } = this.#tokenizer.encode(first, {
      ...{ text_pair: second, return_token_type_ids: true },
    });
    const bare: { readonly ids: readonly number[]; readonly tokens: readonly string[] } = this.#tokenizer.encode(second, { add_special_tokens: false });
    const aligned = alignTokens(
      second,
      bare.tokens.map((token) => this.#surface(token)),
      { cutsSigns: this.#isWordPiece },
    );
    const start = lastIndexOfRun(ids, bare.ids);
    return { ids, typeIds, spans: ids.map((_, index) => aligned[index - start] ?? null) };
  }

  /** Without the model's marks. */
  encodeBare(text: string): readonly number[] {
    return this.#tokenizer.encode(text, { add_special_tokens: false }).ids;
  }

  /** Marks are left out. */
  decode(ids: readonly number[]): string {
    return ids.length === 0 ? "" : this.#tokenizer.decode([...ids], { skip_special_tokens: true }).trim();
  }

  idOf(token: string): number | undefined {
    return this.#tokenizer.token_to_id(token);
  }

  #surface(token: string): TokenSurface {
    if (token === this.#unknown) return undefined;
    if (this.#isByteLevel) return new TextDecoder().decode(tokenBytes(token));
    const bare = this.#prefix !== "" && token.startsWith(this.#prefix) ? token.slice(this.#prefix.length) : token;
    return bare.replaceAll(BLANK_MARK, " ");
  }
}

/** Where `run` stands last in `ids`; after the end when it does not. */
function lastIndexOfRun(ids: readonly number[], run: readonly number[]): number {
  for (let start = ids.length - run.length; start >= 0; start--) {
    if (run.every((id, offset) => ids[start + offset] === id)) return start;
  }
  return ids.length;
}

function unknownOfUnigram(vocab: unknown, unknownId: number | null | undefined): string | undefined {
  const entry: unknown = Array.isArray(vocab) && typeof unknownId === "number" ? vocab[unknownId] : undefined;
  return Array.isArray(entry) && typeof entry[0] === "string" ? entry[0] : undefined;
}
