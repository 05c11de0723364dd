/** A pool of one model process, for commands that ask a few questions and end. */
import { availableParallelism, tmpdir } from "node:os";
import { silentLogger } from "../core/log.js";
import { processEntry } from "../core/module-entry.js";
import { InferencePool } from "../inference/pool/inference-pool.js";
import { inferenceProcessArguments } from "./build-services.js";

export interface OneShotPoolOptions {
  /** Holds installed models; absent: only what comes with the package. */
  readonly modelsDirectory?: string;
  /** A shipped taxonomy, or the path of one. */
  readonly taxonomy: string;
}

/** Not started yet; close it. */
export function createOneShotPool({ modelsDirectory, taxonomy }: OneShotPoolOptions): InferencePool {
  return new InferencePool({
    entry: processEntry(import.meta.url, "./inference-process"),
    entryArguments: inferenceProcessArguments({
      ...{ taxonomy, workDirectory: tmpdir() },
      threads: availableParallelism(),
      device: "cpu",
      modelMemoryMb: 0,
      modelIdleMs: 0,
      whisperWindowMargin: 0,
      whisperPreviousText: false,
      ...(modelsDirectory === undefined ? {} : { modelsDirectory }),
    }),
    processCount: 1,
    maxWaiting: 10,
    logger: silentLogger,
  });
}
