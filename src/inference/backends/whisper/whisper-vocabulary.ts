/** The tokens of a Whisper model: its marks by name, text to tokens and back. Read from the model's own `tokenizer.json`. */
import { Tokenizer } from "@huggingface/tokenizers";
import { z } from "zod";
import type { LanguageTag } from "../../../core/language.js";
import { tokenBytes } from "../onnx/byte-level.js";

const tokenizerSchema = z.looseObject({
  model: z.looseObject({ type: z.literal("BPE"), vocab: z.record(z.string(), z.number().int().nonnegative()) }),
  added_tokens: z.array(z.looseObject({ id: z.number().int().nonnegative(), content: z.string() })),
});

/** Seconds a time mark stands for, times its distance from the first. */
export const TIME_STEP_MS = 20;

export class WhisperVocabulary {
  readonly endId: number;
  readonly startId: number;
  readonly transcribeId: number;
  readonly translateId: number;
  readonly previousTextId: number;
  readonly noTimestampsId: number;
  readonly firstTimeId: number;
  /** Older models say `<|nocaptions|>`; undefined when neither is there. */
  readonly noSpeechId: number | undefined;
  /** By tag; empty for models that know English only. */
  readonly languageIds: ReadonlyMap<LanguageTag, number>;
  readonly #tokenizer: Tokenizer;
  readonly #bytes = new Map<number, Uint8Array>();

  /** @param tokenizerJson - the parsed file. @throws Error when it is not that of a Whisper model */
  constructor(tokenizerJson: unknown, tokenizerConfig: object) {
    const { model, added_tokens: marks } = tokenizerSchema.parse(tokenizerJson);
    const ids = new Map(marks.map(({ id, content }) => [content, id]));
    const idOf = (mark: string): number => {
      const id = ids.get(mark);
      if (id === undefined) throw new Error(`the tokenizer has no ${mark}`);
      return id;
    };
    this.endId = idOf("<|endoftext|>");
    this.startId = idOf("<|startoftranscript|>");
    this.transcribeId = idOf("<|transcribe|>");
    this.translateId = idOf("<|translate|>");
    this.previousTextId = idOf("<|startofprev|>");
    this.noTimestampsId = idOf("<|notimestamps|>");
    this.firstTimeId = ids.get("<|0.00|>") ?? this.noTimestampsId + 1;
    this.noSpeechId = ids.get("<|nospeech|>") ?? ids.get("<|nocaptions|>");
    this.languageIds = new Map([...ids].filter(([mark]) => /^<\|[a-z]{2,3}\|>$/.test(mark)).map(([mark, id]) => [mark.slice(2, -2), id]));
    this.#tokenizer = new Tokenizer(tokenizerJson as object, tokenizerConfig);
    for (const [token, id] of Object.entries(model.vocab)) {
      if (!ids.has(token)) this.#bytes.set(id, tokenBytes(token));
    }
  }

  isText(id: number): boolean {
    return this.#bytes.has(id);
  }

  isTime(id: number): boolean {
    return id >= this.firstTimeId;
  }

  /** Milliseconds of a time mark from the window's beginning. */
  timeMs(id: number): number {
    return (id - this.firstTimeId) * TIME_STEP_MS;
  }

  /** Marks and times are left out; bytes that are no whole character become U+FFFD. */
  decode(ids: readonly number[]): string {
    return new TextDecoder().decode(Buffer.concat(ids.flatMap((id) => this.#bytes.get(id) ?? [])));
  }

  /** Tokens of a text, as for a prompt; no marks are added. */
  encode(text: string): readonly number[] {
    return this.#tokenizer.encode(text, { add_special_tokens: false }).ids;
  }
}
