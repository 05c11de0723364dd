/** What an encoder-decoder text model says of itself in `config.json` and `generation_config.json`. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { AppError } from "../../../core/errors.js";

const id = z.number().int().nonnegative();
const count = z.number().int().positive();

const bartShape = z.looseObject({ decoder_layers: count, decoder_attention_heads: count, d_model: count });
const t5Shape = z.looseObject({ num_layers: count, num_decoder_layers: count.nullish(), num_heads: count, d_kv: count });

const configSchema = z.looseObject({
  model_type: z.enum(["marian", "m2m_100", "t5", "mt5", "bart"]),
  vocab_size: count,
  max_position_embeddings: count.nullish(),
  decoder_start_token_id: id.nullish(),
  eos_token_id: id.nullish(),
});

/** For models whose positions have no end: they were taught with about so many. */
const DEFAULT_POSITIONS = 512;

const generationSchema = z.looseObject({
  decoder_start_token_id: id.nullish(),
  eos_token_id: z.union([id, z.array(id).min(1)]).nullish(),
  bad_words_ids: z.array(z.array(id)).nullish(),
  forced_bos_token_id: id.nullish(),
  no_repeat_ngram_size: z.number().int().nonnegative().nullish(),
});

/** How T5's makers have it told what to do. */
const taskSchema = z.looseObject({ task_specific_params: z.looseObject({ summarization: z.looseObject({ prefix: z.string() }) }) });

export interface Seq2SeqSettings {
  readonly family: "marian" | "m2m_100" | "t5" | "bart";
  readonly layers: number;
  readonly heads: number;
  readonly headSize: number;
  readonly vocabularySize: number;
  /** Tokens of a text, read or written, with its marks. */
  readonly positions: number;
  readonly startId: number;
  readonly endId: number;
  readonly suppressed: readonly number[];
  /** Always the first token that is written; absent: the model chooses. */
  readonly forcedFirstId?: number;
  /** No run of so many tokens is written twice. */
  readonly noRepeatSize?: number;
  /** Before a text that shall be summarized. */
  readonly summaryInstruction: string;
}

/** @param directory - holds the model's files. @throws AppError `MODEL_FILES_INVALID` */
export async function readSeq2SeqSettings(directory: string): Promise<Seq2SeqSettings> {
  const readJson = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(directory, name), "utf8"));
  try {
    const json = await readJson("config.json");
    const config = configSchema.parse(json);
    const generation = generationSchema.parse(await readJson("generation_config.json"));
    const family = config.model_type === "mt5" ? "t5" : config.model_type;
    const [endId] = [generation.eos_token_id ?? config.eos_token_id].flat();
    const startId = generation.decoder_start_token_id ?? config.decoder_start_token_id;
    if (typeof endId !== "number" || typeof startId !== "number") throw new Error("no tokens to begin and end with");
    const suppressed = (generation.bad_words_ids ?? []).flatMap((word) => (word.length === 1 ? word : []));
    const task = taskSchema.safeParse(json);
    return {
      family,
      ...shapeOf(family, json),
      vocabularySize: config.vocab_size,
      positions: config.max_position_embeddings ?? DEFAULT_POSITIONS,
      startId,
      endId,
      suppressed,
      ...(typeof generation.forced_bos_token_id === "number" ? { forcedFirstId: generation.forced_bos_token_id } : {}),
      ...(generation.no_repeat_ngram_size ? { noRepeatSize: generation.no_repeat_ngram_size } : {}),
      summaryInstruction: task.success ? task.data.task_specific_params.summarization.prefix : family === "t5" ? "summarize: " : "",
    };
  } catch {
    throw new AppError(
      "MODEL_FILES_INVALID",
      "The model's config.json or generation_config.json is not that of a model that writes text; import the model again from a whole copy.",
    );
  }
}

function shapeOf(family: Seq2SeqSettings["family"], json: unknown): Pick<Seq2SeqSettings, "layers" | "heads" | "headSize"> {
  if (family === "t5") {
    const { num_layers: layers, num_decoder_layers: decoderLayers, num_heads: heads, d_kv: headSize } = t5Shape.parse(json);
    return { layers: decoderLayers ?? layers, heads, headSize };
  }
  const { decoder_layers: layers, decoder_attention_heads: heads, d_model: width } = bartShape.parse(json);
  return { layers, heads, headSize: width / heads };
}
