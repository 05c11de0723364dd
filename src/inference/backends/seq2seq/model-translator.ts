/** The `translation` engine on an installed model: Marian (one direction), M2M100 and NLLB, MADLAD; sentence by sentence. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { AppError } from "../../../core/errors.js";
import type { LanguageTag } from "../../../core/language.js";
import type { ModelEngine } from "../../model-engine.js";
import { splitToFit } from "../../text-chunker.js";
import type { TranslationInput } from "../../translator.js";
import { LazyModel, type ModelFilesOptions } from "../onnx/lazy-model.js";
import { TextTokenizer } from "../onnx/text-tokenizer.js";
import { splitSentences } from "./sentences.js";
import { Seq2SeqModel } from "./seq2seq-model.js";
import { readSeq2SeqSettings, type Seq2SeqSettings } from "./seq2seq-settings.js";
import { languageTokens } from "./translation-languages.js";

export interface ModelTranslatorOptions extends ModelFilesOptions {
  readonly id: string;
  readonly revision: string;
}

/** What a sentence becomes is at most this much longer: a model that goes on and on is cut. */
const MAX_GROWTH = 3;
const SPARE_TOKENS = 16;

const directionSchema = z.looseObject({ source_lang: z.string().nullish(), target_lang: z.string().nullish() });

/** From one language to one other; undefined: the model's tokens say. */
interface Direction {
  readonly source: LanguageTag;
  readonly target: LanguageTag;
}

/** Reads settings and tokenizer; the weights are loaded when first used. @throws AppError `MODEL_FILES_INVALID` */
export async function createModelTranslator(options: ModelTranslatorOptions): Promise<ModelEngine<"translation">> {
  const settings = await readSeq2SeqSettings(options.directory);
  const tokenizer = await TextTokenizer.read(options.directory);
  const languages = languageTokens((token) => tokenizer.idOf(token), tokenizer.marks);
  const direction = languages.size > 0 ? undefined : await readDirection(options);
  const lazy = new LazyModel(() => Seq2SeqModel.open(options), options);
  return {
    description: {
      modelTask: "translation",
      engine: `seq2seq:${options.id}`,
      revision: options.revision,
      capabilities: { languages: direction === undefined ? [...languages.keys()] : [direction.source], lowQuality: false },
    },
    async run({ segments, targetLanguage }, { signal }) {
      signal.throwIfAborted();
      const sources = new Set(segments.map(({ language }) => language).filter((language) => language !== targetLanguage));
      for (const source of sources) refuseUnknown({ source, target: targetLanguage }, direction, languages);
      const words = { tokenizer, languages };
      const translate = ({ language, text }: TranslationInput["segments"][number]): Promise<string> | string =>
        language === targetLanguage ? text : translateText(lazy, settings, words, { text, source: language, target: targetLanguage, signal });
      const translated: { segmentId: string; text: string }[] = [];
      for (const segment of segments) translated.push({ segmentId: segment.id, text: await translate(segment) });
      return { language: targetLanguage, segments: translated };
    },
    load: () => lazy.use(async () => {}),
    close: () => lazy.close(),
  };
}

/** Sentence by sentence; a text without words needs no model. */
async function translateText(
  lazy: LazyModel<Seq2SeqModel>,
  settings: Seq2SeqSettings,
  words: ModelWords,
  { text, source, target, signal }: Direction & { readonly text: string; readonly signal: AbortSignal },
): Promise<string> {
  const written: string[] = [];
  for (const sentence of splitSentences(text)) {
    signal.throwIfAborted();
    for (const { ids, firstId } of encodeWithin(settings, words, { sentence, source, target })) {
      const request = { maxTokens: ids.length * MAX_GROWTH + SPARE_TOKENS, signal, ...(firstId === undefined ? {} : { firstId }) };
      written.push(words.tokenizer.decode(await lazy.use((model) => model.write(ids, request))));
    }
  }
  return written.join(" ");
}

/** A sentence that is too long for the model goes in halves. */
function encodeWithin(settings: Seq2SeqSettings, words: ModelWords, part: Direction & { readonly sentence: string }): readonly EncodedSentence[] {
  const encode = (sentence: string): EncodedSentence => encodeFor(settings, words, { ...part, sentence });
  return splitToFit(part.sentence, (half) => encode(half).ids.length <= settings.positions).map(encode);
}

/** A model's way to write words and languages. */
interface ModelWords {
  readonly tokenizer: TextTokenizer;
  readonly languages: ReadonlyMap<LanguageTag, number>;
}

interface EncodedSentence {
  readonly ids: readonly number[];
  readonly firstId?: number;
}

/** A sentence as this family of models was taught to take it. */
export function encodeFor(
  { family, endId }: Seq2SeqSettings,
  { tokenizer, languages }: ModelWords,
  { sentence, source, target }: Direction & { readonly sentence: string },
): EncodedSentence {
  const targetId = languages.get(target);
  if (family === "m2m_100" && targetId !== undefined) {
    return { ids: [languages.get(source) ?? endId, ...tokenizer.encodeBare(sentence), endId], firstId: targetId };
  }
  return { ids: tokenizer.encode(family === "t5" && targetId !== undefined ? `<2${target}> ${sentence}` : sentence).ids };
}

/** @throws AppError `MODEL_NOT_READY` */
function refuseUnknown({ source, target }: Direction, only: Direction | undefined, languages: ReadonlyMap<LanguageTag, number>): void {
  const isKnown = only === undefined ? languages.has(source) && languages.has(target) : only.source === source && only.target === target;
  if (isKnown) return;
  throw new AppError("MODEL_NOT_READY", `The installed translation model does not translate from ${source} to ${target}; install one that does.`);
}

/** @throws AppError `MODEL_FILES_INVALID` when nothing tells which languages a model of one direction is for */
async function readDirection({ directory, id }: ModelTranslatorOptions): Promise<Direction> {
  const config = directionSchema.parse(JSON.parse(await readFile(join(directory, "tokenizer_config.json"), "utf8")));
  const [, source = config.source_lang, target = config.target_lang] = /(?:^|[-_.])([a-z]{2,3})-([a-z]{2,3})$/u.exec(id) ?? [];
  if (typeof source === "string" && typeof target === "string") return { source, target };
  throw new AppError(
    "MODEL_FILES_INVALID",
    "Nothing tells which languages this model is for: import it under an id that ends in them, such as --id opus-mt-sw-en.",
  );
}
