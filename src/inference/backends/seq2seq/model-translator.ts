/** The `translation` engine on an installed model: Marian (one direction), M2M100 and NLLB, MADLAD; sentence by sentence. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { AppError } from "../../../core/errors.js";
import type { LanguageTag } from "../../../core/language.js";
import type { ModelEngine } from "../../model-engine.js";
import { LazyModel } from "../onnx/lazy-model.js";
import { TextTokenizer } from "../onnx/text-tokenizer.js";
import { splitSentences } from "./sentences.js";
import { Seq2SeqModel, type Seq2SeqModelOptions } from "./seq2seq-model.js";
import { readSeq2SeqSettings, type Seq2SeqSettings } from "./seq2seq-settings.js";
import { languageTokens } from "./translation-languages.js";

export interface ModelTranslatorOptions extends Seq2SeqModelOptions {
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
  const lazy = new LazyModel(() => Seq2SeqModel.open(options));
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
      const translated: { segmentId: string; text: string }[] = [];
      for (const { id: segmentId, language, text } of segments) {
        const sentences = language === targetLanguage ? [] : splitSentences(text);
        const written: string[] = [];
        for (const sentence of sentences) {
          const model = await lazy.load();
          signal.throwIfAborted();
          for (const { ids, firstId } of encodeWithin(settings, { tokenizer, languages }, { sentence, source: language, target: targetLanguage })) {
            const tokens = await model.write(ids, { maxTokens: ids.length * MAX_GROWTH + SPARE_TOKENS, signal, ...(firstId === undefined ? {} : { firstId }) });
            written.push(tokenizer.decode(tokens));
          }
        }
        translated.push({ segmentId, text: language === targetLanguage ? text : written.join(" ") });
      }
      return { language: targetLanguage, segments: translated };
    },
    close: () => lazy.close(),
  };
}

/** A sentence that is too long for the model goes in halves. */
function encodeWithin(settings: Seq2SeqSettings, words: ModelWords, part: Direction & { readonly sentence: string }): readonly EncodedSentence[] {
  const whole = encodeFor(settings, words, part);
  const { sentence } = part;
  if (whole.ids.length <= settings.positions || sentence.length < 2) return [whole];
  const blank = sentence.indexOf(" ", Math.floor(sentence.length / 2));
  const middle = blank === -1 ? Math.floor(sentence.length / 2) : blank;
  return [sentence.slice(0, middle), sentence.slice(middle).trim()].flatMap((half) => encodeWithin(settings, words, { ...part, sentence: half }));
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
