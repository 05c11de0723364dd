/**
 * One window of sound to text: which language, what to begin with, and what to do when the text looks wrong (said over
 * and over, or hardly believed): again at a higher temperature, as Whisper's authors do.
 */
import { deflateSync } from "node:zlib";
import type { LanguageTag } from "../../../core/language.js";
import { type SearchOptions, type SequenceStart, searchGreedily, type WrittenTokens } from "../onnx/greedy-search.js";
import type { Ort } from "../onnx/onnx-runtime.js";
import { logSumExp, type TokenRules } from "../onnx/token-rules.js";
import { searchWithBeams } from "./beam-search.js";
import { attendedColumns, type HeadAttention, tokenColumns } from "./token-times.js";
import type { WhisperModel } from "./whisper-model.js";
import { TIME_STEP_MS } from "./whisper-vocabulary.js";

export interface WindowRequest {
  readonly language: LanguageTag;
  readonly task: "transcribe" | "translate";
  readonly withTimes: boolean;
  /** 1: the likeliest token each time. */
  readonly beamCount: number;
  /** Tokens of words to expect and of what was said before; empty for none. */
  readonly prompt: readonly number[];
  readonly maxTokens: number;
  /** Tried in turn while the text looks wrong; the first is 0. */
  readonly temperatures: readonly number[];
  readonly signal: AbortSignal;
}

export interface WindowText extends WrittenTokens {
  /** What the decoder was given to begin with. */
  readonly prompt: readonly number[];
  readonly text: string;
  /** 0..1 that nobody spoke; 0 when the model can't tell. */
  readonly noSpeech: number;
  readonly temperature: number;
}

/** Text that packs better than this is said over and over. */
const MAX_COMPRESSION_RATIO = 2.4;
/** Mean log probability under which text is hardly believed. */
const MIN_MEAN_LOG_PROBABILITY = -1;
const MIN_NO_SPEECH = 0.6;

/**
 * How likely each allowed language is, from one step on the encoder's states.
 *
 * @param allowed - of each window of the batch. @returns for each window; they add up to 1
 */
export async function detectLanguages(
  model: WhisperModel,
  hiddenStates: Ort.Tensor,
  allowed: readonly (readonly LanguageTag[])[],
): Promise<readonly ReadonlyMap<LanguageTag, number>[]> {
  const { vocabulary } = model.settings;
  const { logits } = await model.startDecoder(hiddenStates).step(allowed.map(() => [vocabulary.startId]));
  const width = logits.length / allowed.length;
  return allowed.map((tags, row) => {
    const known = tags.flatMap((tag) => {
      const id = vocabulary.languageIds.get(tag);
      return id === undefined ? [] : [{ tag, logit: logits[row * width + id] ?? Number.NEGATIVE_INFINITY }];
    });
    const total = logSumExp(Float32Array.from(known, ({ logit }) => logit));
    return new Map(known.map(({ tag, logit }) => [tag, Math.exp(logit - total)]));
  });
}

/** @throws the signal's reason between two tokens */
export async function decodeWindow(model: WhisperModel, hiddenStates: Ort.Tensor, request: WindowRequest): Promise<WindowText> {
  let best: WindowText | undefined;
  for (const temperature of request.temperatures) {
    const [written] = await decodeOnce(model, hiddenStates, [request], temperature);
    best = written;
    if (written === undefined || !looksWrong(written)) break;
  }
  if (best === undefined) throw new RangeError("At least one temperature is needed.");
  return best;
}

/**
 * Several windows of one batch, each step one run of the decoder; the likeliest token each time, and no second try.
 *
 * @param requests - with prompts of one length, which follows from equal `prompt`s
 * @throws the first request's signal's reason between two tokens
 */
export function decodeTogether(model: WhisperModel, hiddenStates: Ort.Tensor, requests: readonly WindowRequest[]): Promise<readonly WindowText[]> {
  return decodeOnce(
    model,
    hiddenStates,
    requests.map((request) => ({ ...request, beamCount: 1 })),
    0,
  );
}

async function decodeOnce(
  model: WhisperModel,
  hiddenStates: Ort.Tensor,
  requests: readonly WindowRequest[],
  temperature: number,
): Promise<readonly WindowText[]> {
  const { vocabulary, targetPositions } = model.settings;
  const [first] = requests;
  const prompts = requests.map((request) => promptOf(model, request));
  const length = prompts[0]?.length ?? 0;
  if (first === undefined || prompts.some((prompt) => prompt.length !== length)) throw new RangeError("Windows are decoded together by prompts of one length.");
  const decoder = model.startDecoder(hiddenStates);
  const { logits } = await decoder.step(prompts);
  const width = logits.length / (length * requests.length);
  const logitsAt = (row: number, position: number): Float32Array => logits.subarray((row * length + position) * width, (row * length + position + 1) * width);
  const noSpeech = prompts.map((prompt, row) => noSpeechOf(model, logitsAt(row, prompt.indexOf(vocabulary.startId))));
  const start: SequenceStart = { decoder, logits: prompts.map((_, row) => logitsAt(row, length - 1)) };
  const options: SearchOptions = {
    rules: rulesOf(model, first.withTimes),
    endId: vocabulary.endId,
    maxTokens: Math.min(Math.max(...requests.map(({ maxTokens }) => maxTokens)), targetPositions - length),
    signal: first.signal,
  };
  const written =
    temperature === 0 && first.beamCount > 1
      ? [await searchWithBeams(start, options, first.beamCount)]
      : await searchGreedily(start, options, { temperature, random: seededRandom(temperature) });
  return written.map((one, row) => ({
    ...one,
    prompt: prompts[row] ?? [],
    text: vocabulary.decode(one.tokens),
    noSpeech: noSpeech[row] ?? 0,
    temperature,
  }));
}

function promptOf({ settings: { vocabulary, targetPositions } }: WhisperModel, { language, task, withTimes, prompt }: WindowRequest): readonly number[] {
  const languageId = vocabulary.languageIds.get(language);
  // The newest words of a long prompt: half of the places are for what is written.
  const kept = prompt.slice(-Math.max(0, targetPositions / 2 - 1));
  return [
    ...(kept.length === 0 ? [] : [vocabulary.previousTextId, ...kept]),
    vocabulary.startId,
    ...(languageId === undefined ? [] : [languageId, task === "translate" ? vocabulary.translateId : vocabulary.transcribeId]),
    ...(withTimes ? [] : [vocabulary.noTimestampsId]),
  ];
}

function rulesOf({ settings }: WhisperModel, withTimes: boolean): TokenRules {
  const { suppressed, suppressedAtBegin, maxInitialTimeIndex, vocabulary } = settings;
  if (!withTimes) return { suppressed, suppressedAtBegin };
  const { firstTimeId: firstId, noTimestampsId, endId } = vocabulary;
  return { suppressed, suppressedAtBegin, timestamps: { firstId, noTimestampsId, endId, maxInitialIndex: maxInitialTimeIndex } };
}

function noSpeechOf({ settings: { vocabulary } }: WhisperModel, logits: Float32Array): number {
  return vocabulary.noSpeechId === undefined ? 0 : Math.exp((logits[vocabulary.noSpeechId] ?? Number.NEGATIVE_INFINITY) - logSumExp(logits));
}

export interface TokenTimes {
  /** Milliseconds from the window's beginning: one per token, when it begins, and one for the end. */
  readonly startMs: readonly number[];
  /** Of each token, the moment of the window that was listened to most for it. */
  readonly attendedMs: readonly number[];
}

/**
 * When each token was said, from one more pass over all of them.
 *
 * @param place - the window's row in the batch, and its encoder positions that hold sound, 20 ms each.
 * @returns undefined when the model does not tell
 */
export async function timeTokens(
  model: WhisperModel,
  hiddenStates: Ort.Tensor,
  { prompt, tokens }: WindowText,
  { row, positions }: { readonly row: number; readonly positions: number },
): Promise<TokenTimes | undefined> {
  if (!model.hasCrossAttentions || tokens.length === 0) return undefined;
  const rows = prompt.length + tokens.length;
  const decoder = model.startDecoder(hiddenStates);
  decoder.keep([row]);
  const { crossAttentions } = await decoder.step([[...prompt, ...tokens]]);
  const heads = model.alignmentHeads.flatMap(([layer, head]): readonly HeadAttention[] => {
    const tensor = crossAttentions[layer];
    const stride = tensor?.dims[3];
    if (tensor === undefined || stride === undefined) return [];
    const size = rows * stride;
    return [{ weights: (tensor.data as Float32Array).subarray(head * size, (head + 1) * size), stride }];
  });
  if (heads.length === 0) return undefined;
  const columns = Math.min(positions, heads[0]?.stride ?? positions);
  // A row stands for the token that it writes: the one after it.
  const written = (column: readonly number[]): readonly number[] => column.slice(prompt.length - 1).map((one) => one * TIME_STEP_MS);
  return { startMs: written(tokenColumns(heads, rows, columns)), attendedMs: written(attendedColumns(heads, rows, columns)).slice(0, tokens.length) };
}

/** Mean over the tokens and the end mark. */
function meanLogProbability({ sumLogProbability, tokens }: WrittenTokens): number {
  return sumLogProbability / (tokens.length + 1);
}

/** Nobody spoke, says the model, and it does not believe its text either. */
export function isNoSpeech(window: WindowText): boolean {
  return window.noSpeech > MIN_NO_SPEECH && meanLogProbability(window) < MIN_MEAN_LOG_PROBABILITY;
}

/** Nothing to lead the next window on with: said over and over, hardly believed, or drawn by lot. */
export function isDoubtful(window: WindowText): boolean {
  return window.temperature > 0.5 || looksWrong(window);
}

function looksWrong(window: WindowText): boolean {
  if (isNoSpeech(window)) return false;
  return compressionRatio(window.text) > MAX_COMPRESSION_RATIO || meanLogProbability(window) < MIN_MEAN_LOG_PROBABILITY;
}

function compressionRatio(text: string): number {
  const bytes = Buffer.from(text);
  return bytes.length === 0 ? 0 : bytes.length / deflateSync(bytes).length;
}

/** xorshift32: the same sound gives the same text. */
function seededRandom(temperature: number): () => number {
  let state = 0x9e3779b9 ^ Math.round(temperature * 1_000);
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x100000000;
  };
}
