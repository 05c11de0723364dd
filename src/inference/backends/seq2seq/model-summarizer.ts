/** The `summary` engine on an installed model (T5, BART): what it writes, as far as the call bears it out. */
import type { SummarySentence } from "../../../core/call-summary.js";
import { AppError } from "../../../core/errors.js";
import type { LanguageTag } from "../../../core/language.js";
import type { ModelEngine } from "../../model-engine.js";
import { joinReadable, readableText } from "../../readable-text.js";
import { splitToFit } from "../../text-chunker.js";
import { LazyModel, type ModelFilesOptions } from "../onnx/lazy-model.js";
import { TextTokenizer } from "../onnx/text-tokenizer.js";
import { splitSentences } from "./sentences.js";
import { Seq2SeqModel } from "./seq2seq-model.js";
import { readSeq2SeqSettings } from "./seq2seq-settings.js";
import { supportOf } from "./summary-support.js";

export interface ModelSummarizerOptions extends ModelFilesOptions {
  readonly id: string;
  readonly revision: string;
  readonly languages: readonly LanguageTag[];
  /** Stands before the text; undefined: what the model's files say. */
  readonly instruction?: string;
}

/** Of one part of a call. */
const MAX_TOKENS = 160;
const MAX_SENTENCES = 8;

/** Reads settings and tokenizer; the weights are loaded when first used. @throws AppError `MODEL_FILES_INVALID` */
export async function createModelSummarizer(options: ModelSummarizerOptions): Promise<ModelEngine<"summary">> {
  const { id, revision, languages } = options;
  const settings = await readSeq2SeqSettings(options.directory);
  const tokenizer = await TextTokenizer.read(options.directory);
  const instruction = options.instruction ?? settings.summaryInstruction;
  const lazy = new LazyModel(() => Seq2SeqModel.open(options), options);
  return {
    description: {
      modelTask: "summary",
      engine: `seq2seq:${id}`,
      revision,
      capabilities: { languages, lowQuality: false, isTooSlowForLive: true },
    },
    async run({ segments, translation }, { signal }) {
      signal.throwIfAborted();
      const readable = readableText(segments, languages, translation);
      if (readable.length === 0) return { summary: { text: "", sentences: [] } };
      const parts = encodeParts(joinReadable(readable), { tokenizer, instruction, positions: settings.positions });
      const written = await lazy.use(async (model) => {
        const found: string[] = [];
        for (const ids of parts) found.push(...splitSentences(tokenizer.decode(await model.write(ids, { maxTokens: MAX_TOKENS, signal }))));
        return found;
      });
      const sentences = [...new Set(written)]
        .map((text): SummarySentence => ({ text, evidence: supportOf(text, readable) }))
        .filter(({ evidence }) => evidence.length > 0)
        .slice(0, MAX_SENTENCES);
      if (sentences.length === 0) throw new AppError("MODEL_NOT_READY", "Nothing that the model wrote is borne out by the call.");
      return { summary: { text: sentences.map(({ text }) => text).join(" "), sentences } };
    },
    load: () => lazy.use(async () => {}),
    close: () => lazy.close(),
  };
}

/** A call that is too long for the model goes in halves, each with the instruction. */
function encodeParts(
  text: string,
  { tokenizer, instruction, positions }: { readonly tokenizer: TextTokenizer; readonly instruction: string; readonly positions: number },
): readonly (readonly number[])[] {
  const encode = (part: string): readonly number[] => tokenizer.encode(`${instruction}${part}`).ids;
  return splitToFit(text, (part) => encode(part).length <= positions).map(encode);
}
