/** Entry file of a model process: builds the engines this machine can run and serves the pool. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { isProgramPresent } from "../audio/program.js";
import { AppError } from "../core/errors.js";
import { createBuiltinEngines, createLazyBuiltinEngines } from "../inference/backends/builtin/create-builtin-engines.js";
import { createEnergyVoiceActivityDetector } from "../inference/backends/energy/energy-voice-activity-detector.js";
import { ModelRoom } from "../inference/backends/onnx/model-room.js";
import type { ComputeDevice } from "../inference/backends/onnx/onnx-runtime.js";
import { createPocketsphinxRecognizer, POCKETSPHINX_PROBE } from "../inference/backends/pocketsphinx/pocketsphinx-recognizer.js";
import { type ChatEngineOptions, createChatEngines } from "../inference/backends/remote/chat/chat-engines.js";
import type { RemoteServer } from "../inference/backends/remote/remote-client.js";
import { createRemoteRecognizer } from "../inference/backends/remote/remote-recognizer.js";
import { createSileroVoiceActivityDetector } from "../inference/backends/silero/silero-voice-activity-detector.js";
import type { ModelEngine } from "../inference/model-engine.js";
import { reportUnable, runInferenceWorker } from "../inference/pool/inference-worker.js";
import { loadRiskGuidance, withRiskGuidance } from "./casework/risk-guidance.js";
import { loadTaxonomy } from "./casework/taxonomy.js";
import { chooseDevice } from "./compute-device.js";
import { createInstalledEngines } from "./installed-engines.js";

/** What the parent hands over, as JSON in the first argument. */
export interface InferenceProcessArguments {
  readonly dataDirectory: string;
  readonly voiceActivityModelPath: string;
  /** A shipped taxonomy, or the path of one. */
  readonly taxonomy: string;
  /** Private scratch space. */
  readonly workDirectory: string;
  /** Where installed models lie; undefined: none are used. */
  readonly modelsDirectory?: string;
  /** For one model at work. */
  readonly threads: number;
  /** What installed models run on. */
  readonly device: "auto" | ComputeDevice;
  /** Of one process, for installed models; 0: as much as there is. */
  readonly modelMemoryMb: number;
  /** Without work for so long, a model is let go; 0: never. */
  readonly modelIdleMs: number;
  readonly whisperWindowMargin: number;
  readonly whisperPreviousText: boolean;
  /** Words for Whisper to expect, one a line; undefined: none. */
  readonly glossaryFile?: string;
  /** A server that hears calls; undefined: none. */
  readonly remoteSpeech?: RemoteServerSettings;
  /** A server that reads calls; undefined: none. */
  readonly remoteChat?: Pick<ChatEngineOptions, "tasks" | "maxCharacters"> & { readonly server: RemoteServerSettings };
}

/** The key goes by file and not on the command line, where others could read it. */
type RemoteServerSettings = Omit<RemoteServer, "apiKey"> & { readonly apiKeyFile?: string };

const MEGABYTE = 1e6;

/** @param readsText - whether texts will be read here, and not only if need be */
async function createEngines(options: InferenceProcessArguments, readsText: boolean): Promise<readonly ModelEngine[]> {
  const engines: ModelEngine[] = [];
  // A missing optional runtime leaves the energy detector, which marks its output; `doctor` and /models say so.
  await createSileroVoiceActivityDetector({ modelPath: options.voiceActivityModelPath }).then(
    (engine) => engines.push(engine as ModelEngine),
    () => {},
  );
  engines.push(createEnergyVoiceActivityDetector() as ModelEngine);
  const { modelsDirectory, threads, whisperWindowMargin: windowMargin, whisperPreviousText: withPreviousText, remoteSpeech, remoteChat } = options;
  const taxonomy = await loadTaxonomy({ taxonomy: options.taxonomy, assetsDirectory: options.dataDirectory });
  const createRules = readsText ? createBuiltinEngines : createLazyBuiltinEngines;
  const rules = createRules({ assetsDirectory: options.dataDirectory, labels: taxonomy.helplineLabels }) as readonly ModelEngine[];
  if (remoteSpeech !== undefined) engines.push(createRemoteRecognizer(await withKey(remoteSpeech)) as ModelEngine);
  if (remoteChat !== undefined) engines.push(...createChatEngines({ ...remoteChat, server: await withKey(remoteChat.server), taxonomy, rules }));
  if (modelsDirectory !== undefined) {
    const room = new ModelRoom({ limitBytes: options.modelMemoryMb * MEGABYTE, idleMs: options.modelIdleMs });
    const device = await chooseDevice(options.device);
    const whisper = { windowMargin, withPreviousText, glossary: await readGlossary(options.glossaryFile) };
    engines.push(...(await createInstalledEngines(modelsDirectory, { threads, device, whisper, taxonomy, rules, room })));
  }
  if (existsSync(POCKETSPHINX_PROBE.modelDirectory) && (await isProgramPresent(POCKETSPHINX_PROBE.program, ["-help"], [0, 1]))) {
    engines.push(createPocketsphinxRecognizer(options) as ModelEngine);
  }
  engines.push(...rules);
  return withRiskGuidance(engines, await loadRiskGuidance(options.dataDirectory));
}

/** Empty lines and what follows a `#` are left out. */
async function readGlossary(path: string | undefined): Promise<readonly string[]> {
  if (path === undefined) return [];
  const text = await readFile(path, "utf8").catch(() => {
    throw new AppError("CONFIG_INVALID", "GLOSSARY_FILE can't be read; check the path and who may read it.");
  });
  return text
    .split(/\r?\n/u)
    .map((line) => line.replace(/#.*$/u, "").trim())
    .filter((line) => line !== "");
}

async function withKey({ apiKeyFile, ...server }: RemoteServerSettings): Promise<RemoteServer> {
  if (apiKeyFile === undefined) return server;
  const apiKey = await readFile(apiKeyFile, "utf8").catch(() => {
    throw new AppError("CONFIG_INVALID", "REMOTE_API_KEY_FILE can't be read; check the path and who may read it.");
  });
  return { ...server, apiKey: apiKey.trim() };
}

try {
  runInferenceWorker(await createEngines(JSON.parse(process.argv[2] ?? "{}") as InferenceProcessArguments, process.argv[3] !== "sound"));
} catch (error) {
  reportUnable(error);
}
