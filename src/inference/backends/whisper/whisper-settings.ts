/** What a Whisper model says of itself in `config.json`, `generation_config.json` and `preprocessor_config.json`. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { MEL_HOP_SAMPLES, MEL_SAMPLE_RATE_HZ } from "../../../audio/features/log-mel.js";
import { AppError } from "../../../core/errors.js";
import { WhisperVocabulary } from "./whisper-vocabulary.js";

const count = z.number().int().positive();
const ids = z.array(z.number().int()).nullish();

const configSchema = z.looseObject({
  model_type: z.literal("whisper"),
  num_mel_bins: count,
  d_model: count,
  decoder_layers: count,
  decoder_attention_heads: count,
  max_source_positions: count,
  max_target_positions: count,
  vocab_size: count,
  suppress_tokens: ids,
  begin_suppress_tokens: ids,
});

const generationSchema = z.looseObject({
  suppress_tokens: ids,
  begin_suppress_tokens: ids,
  max_initial_timestamp_index: z.number().int().nonnegative().nullish(),
  alignment_heads: z.array(z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()])).nullish(),
});

const preprocessorSchema = z.looseObject({
  sampling_rate: z.literal(MEL_SAMPLE_RATE_HZ),
  hop_length: z.literal(MEL_HOP_SAMPLES),
  n_fft: z.literal(400),
});

export interface WhisperSettings {
  readonly melCount: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly vocabularySize: number;
  /** Encoder positions of a whole window (1500 for 30 s): 20 ms each. */
  readonly sourcePositions: number;
  /** Tokens the decoder has places for, with the prompt. */
  readonly targetPositions: number;
  readonly suppressed: readonly number[];
  readonly suppressedAtBegin: readonly number[];
  readonly maxInitialTimeIndex: number | undefined;
  /** Layer and head of the attentions that follow the sound; undefined when not told. */
  readonly alignmentHeads: readonly (readonly [number, number])[] | undefined;
  readonly vocabulary: WhisperVocabulary;
}

/** @param directory - holds the model's files. @throws AppError `MODEL_FILES_INVALID` naming the file and what is wrong with it */
export async function readWhisperSettings(directory: string): Promise<WhisperSettings> {
  const config = await readJson(directory, "config.json", configSchema);
  const generation = await readJson(directory, "generation_config.json", generationSchema);
  await readJson(directory, "preprocessor_config.json", preprocessorSchema);
  const tokenizer = await readJson(directory, "tokenizer.json", z.looseObject({}));
  const tokenizerConfig = await readJson(directory, "tokenizer_config.json", z.looseObject({}));
  const known = (listed: readonly number[]): readonly number[] => listed.filter((id) => id >= 0 && id < config.vocab_size);
  return {
    melCount: config.num_mel_bins,
    width: config.d_model,
    layers: config.decoder_layers,
    heads: config.decoder_attention_heads,
    vocabularySize: config.vocab_size,
    sourcePositions: config.max_source_positions,
    targetPositions: config.max_target_positions,
    suppressed: known(generation.suppress_tokens ?? config.suppress_tokens ?? []),
    suppressedAtBegin: known(generation.begin_suppress_tokens ?? config.begin_suppress_tokens ?? []),
    maxInitialTimeIndex: generation.max_initial_timestamp_index ?? undefined,
    alignmentHeads: generation.alignment_heads ?? undefined,
    vocabulary: invalidUnless(() => new WhisperVocabulary(tokenizer, tokenizerConfig), "tokenizer.json"),
  };
}

async function readJson<Schema extends z.ZodType>(directory: string, name: string, schema: Schema): Promise<z.output<Schema>> {
  const text = await readFile(join(directory, name), "utf8").catch(() => {
    throw new AppError("MODEL_FILES_INVALID", `The model has no readable ${name}; import it again, with all of its files.`);
  });
  return invalidUnless(() => schema.parse(JSON.parse(text)), name);
}

function invalidUnless<Value>(read: () => Value, name: string): Value {
  try {
    return read();
  } catch (error) {
    const at = error instanceof z.ZodError ? ` (at ${error.issues[0]?.path.join(".") ?? "the top"})` : "";
    throw new AppError("MODEL_FILES_INVALID", `The model's ${name} is not that of a Whisper model${at}; import the model again from a whole copy.`);
  }
}
