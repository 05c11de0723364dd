/**
 * English speech by Debian's PocketSphinx: one batch process per channel of a recording. A known poor recognizer, good
 * for clear wide-band English only; everything it writes is marked low quality. It is never trusted with another
 * language: see `english-evidence.ts`.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { runProgram } from "../../../audio/program.js";
import { AppError } from "../../../core/errors.js";
import type { ModelEngine } from "../../model-engine.js";
import type { RecognizedUtterance, SpeechInput, Utterance } from "../../speech-recognizer.js";
import { soundsEnglish } from "./english-evidence.js";
import { type Hypothesis, parseHypothesis } from "./hypothesis-parser.js";
import { writeNoiseFloor } from "./noise-floor.js";

const FRAME_MS = 10;
/** Speech handed over begins and ends this much outside the utterance, so that no first sound is lost. */
const PADDING_MS = 150;
/** Telephone audio: nothing above 4 kHz, which this wide-band model can't bear without a noise floor. */
const NARROW_BAND_HZ = 8_000;
const TIMEOUT_MS = 3_600_000;
const MODEL = "/usr/share/pocketsphinx/model/en-us";

/**
 * It opens its output by name, which a socket (what Node gives a child) does not allow and a pipe does. `setpriv` ends
 * it with the model process, however that dies.
 */
const THROUGH_PIPE = ["--pdeathsig", "KILL", "sh", "-c", 'setpriv --pdeathsig KILL "$@" | cat', "sh"];

/** The model of Debian's package pocketsphinx-en-us. */
export const POCKETSPHINX_PROBE = { program: "pocketsphinx_batch", modelDirectory: `${MODEL}/en-us` } as const;

/**
 * The caller has checked that the program and its model are installed (`POCKETSPHINX_PROBE`).
 *
 * @param workDirectory - private scratch space: the program reads files only.
 */
export function createPocketsphinxRecognizer({ workDirectory }: { readonly workDirectory: string }): ModelEngine<"speech"> {
  return {
    description: {
      modelTask: "speech",
      engine: "pocketsphinx",
      revision: "pocketsphinx-0.8+5prealpha-en-us-1",
      capabilities: { languages: ["en"], lowQuality: true, sampleRatesHz: [16_000] },
    },
    async run(input, { signal }) {
      refuseOtherLanguages(input);
      if (input.utterances.length === 0) return { language: "en", utterances: [], lowQuality: true };
      const hypotheses = await recognize(input, workDirectory, signal);
      if (input.language === "auto" && !isOnlyEnglishAllowed(input) && !soundsEnglish(hypotheses)) throw notEnglish(input);
      return { language: "en", utterances: toUtterances(hypotheses, input.utterances), lowQuality: true };
    },
  };
}

function refuseOtherLanguages(input: SpeechInput): void {
  const canBeEnglish = input.language === "auto" ? input.allowedLanguages.some(isEnglish) : isEnglish(input.language);
  if (!canBeEnglish) {
    throw new AppError("MODEL_NOT_READY", "The installed speech engine hears English only, and this call is in another language; it needs a Whisper model.", {
      details: { modelTask: "speech" },
    });
  }
}

function notEnglish({ allowedLanguages }: SpeechInput): AppError {
  const others = allowedLanguages.filter((tag) => !isEnglish(tag)).join(", ");
  return new AppError(
    "MODEL_NOT_READY",
    `The speech does not sound like clear English, and no installed engine hears the other allowed languages (${others}); it needs a Whisper model. If it is English, ask again with language en.`,
    { details: { modelTask: "speech" } },
  );
}

const isEnglish = (tag: string): boolean => tag === "en" || tag.startsWith("en-");
const isOnlyEnglishAllowed = (input: SpeechInput): boolean => input.allowedLanguages.every(isEnglish);

async function recognize(input: SpeechInput, scratchDirectory: string, signal: AbortSignal): Promise<readonly Hypothesis[]> {
  const directory = await mkdtemp(join(scratchDirectory, "speech-"));
  try {
    const source = await prepareAudio(input, directory, signal);
    const controlPath = join(directory, "utterances");
    await writeFile(controlPath, controlLines(input, basename(source, extname(source))), { mode: 0o600 });
    const result = await runProgram("setpriv", [...THROUGH_PIPE, POCKETSPHINX_PROBE.program, ...batchArguments(controlPath, source)], {
      signal,
      timeoutMs: TIMEOUT_MS,
    });
    const hypotheses = result.stdout.split("\n").flatMap((line) => parseHypothesis(line) ?? []);
    // The pipe hides its exit code; a run that broke off is known by the utterances it left out.
    if (hypotheses.length !== input.utterances.length) {
      throw new AppError("MODEL_PROCESS_FAILED", "The speech program pocketsphinx_batch failed.", {
        retryable: true,
        cause: new Error("utterances are missing"),
      });
    }
    return hypotheses;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function prepareAudio({ audio }: SpeechInput, directory: string, signal: AbortSignal): Promise<string> {
  const isWideBand = audio.sourceSampleRateHz > NARROW_BAND_HZ;
  if (isWideBand && "path" in audio) return audio.path;
  const path = join(directory, "speech.s16");
  if (isWideBand && "samples" in audio)
    await writeFile(path, new Uint8Array(audio.samples.buffer, audio.samples.byteOffset, audio.samples.byteLength), { mode: 0o600 });
  else await writeNoiseFloor(audio, path, signal);
  return path;
}

/** `<file> <start frame> <end frame> <id>`: the id is the utterance's index. */
function controlLines(input: SpeechInput, fileName: string): string {
  const lastFrame = Math.floor((input.audio.sampleCount / input.audio.sampleRateHz) * (1000 / FRAME_MS));
  return input.utterances
    .map(({ startMs, endMs }, index) => {
      const start = paddedStartFrame(startMs);
      const end = Math.min(lastFrame, Math.ceil((endMs + PADDING_MS) / FRAME_MS));
      return `${fileName} ${start} ${end} u${index}\n`;
    })
    .join("");
}

const paddedStartFrame = (startMs: number): number => Math.max(0, Math.floor((startMs - PADDING_MS) / FRAME_MS));

/** Results go to standard output: what was said must not lie in a file, not even a temporary one. */
function batchArguments(controlPath: string, audioPath: string): readonly string[] {
  return [
    ...["-hmm", POCKETSPHINX_PROBE.modelDirectory, "-lm", `${MODEL}/en-us.lm.bin`, "-dict", `${MODEL}/cmudict-en-us.dict`],
    ...["-adcin", "yes", "-cepdir", dirname(audioPath), "-cepext", extname(audioPath), "-ctl", controlPath],
    ...["-hypseg", "/dev/stdout", "-logfn", "/dev/null", "-seed", "1"],
    // Bounds the search: telephone audio, which fits nothing well, otherwise takes several times longer for no better words.
    ...["-maxhmmpf", "3000", "-maxwpf", "20"],
  ];
}

function toUtterances(hypotheses: readonly Hypothesis[], utterances: readonly Utterance[]): readonly RecognizedUtterance[] {
  return hypotheses.flatMap((hypothesis) => {
    const utterance = utterances[Number(hypothesis.utteranceId.slice(1))];
    if (utterance === undefined || hypothesis.words.length === 0) return [];
    const offsetMs = paddedStartFrame(utterance.startMs) * FRAME_MS;
    const words = hypothesis.words.map(({ word, startFrame, endFrame }) => ({
      text: word,
      startMs: offsetMs + startFrame * FRAME_MS,
      endMs: offsetMs + endFrame * FRAME_MS,
      score: null,
    }));
    return [{ startMs: utterance.startMs, endMs: utterance.endMs, text: words.map((word) => word.text).join(" "), language: "en", score: null, words }];
  });
}
