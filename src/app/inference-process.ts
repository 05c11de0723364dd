/** Entry file of a model process: builds the engines this machine can run and serves the pool. */
import { existsSync } from "node:fs";
import { isProgramPresent } from "../audio/program.js";
import { createBuiltinEngines } from "../inference/backends/builtin/create-builtin-engines.js";
import { createEnergyVoiceActivityDetector } from "../inference/backends/energy/energy-voice-activity-detector.js";
import { createPocketsphinxRecognizer, POCKETSPHINX_PROBE } from "../inference/backends/pocketsphinx/pocketsphinx-recognizer.js";
import { createSileroVoiceActivityDetector } from "../inference/backends/silero/silero-voice-activity-detector.js";
import type { ModelEngine } from "../inference/model-engine.js";
import { reportUnable, runInferenceWorker } from "../inference/pool/inference-worker.js";
import { createInstalledEngines } from "./installed-engines.js";

/** What the parent hands over, as JSON in the first argument. */
export interface InferenceProcessArguments {
  readonly dataDirectory: string;
  readonly voiceActivityModelPath: string;
  /** Private scratch space. */
  readonly workDirectory: string;
  /** Where installed models lie; undefined: none are used. */
  readonly modelsDirectory?: string;
  /** For one model at work. */
  readonly threads: number;
  readonly whisperWindowMargin: number;
}

async function createEngines(options: InferenceProcessArguments): Promise<readonly ModelEngine[]> {
  const engines: ModelEngine[] = [];
  // A missing optional runtime leaves the energy detector, which marks its output; `doctor` and /models say so.
  await createSileroVoiceActivityDetector({ modelPath: options.voiceActivityModelPath }).then(
    (engine) => engines.push(engine as ModelEngine),
    () => {},
  );
  engines.push(createEnergyVoiceActivityDetector() as ModelEngine);
  const { modelsDirectory, threads, whisperWindowMargin } = options;
  if (modelsDirectory !== undefined) engines.push(...(await createInstalledEngines({ modelsDirectory, threads, whisperWindowMargin })));
  if (existsSync(POCKETSPHINX_PROBE.modelDirectory) && (await isProgramPresent(POCKETSPHINX_PROBE.program, ["-help"], [0, 1]))) {
    engines.push(createPocketsphinxRecognizer(options) as ModelEngine);
  }
  engines.push(...createBuiltinEngines({ assetsDirectory: options.dataDirectory }));
  return engines;
}

try {
  runInferenceWorker(await createEngines(JSON.parse(process.argv[2] ?? "{}") as InferenceProcessArguments));
} catch (error) {
  reportUnable(error);
}
