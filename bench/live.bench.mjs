/**
 * Live calls on real sockets with real voice activity and a scripted recognizer. `-- --calls N --seconds S` for another
 * size than 100 calls of 300 s; `-- --mode latency` measures how soon text and risks come instead. `-- --engine whisper --model
 * DIRECTORY` hears with a true Whisper: how many calls at once, and how soon.
 */
import { parseArgs } from "node:util";
import { measureLatency } from "./live-latency.mjs";
import { measureLoad } from "./live-load.mjs";
import { measureWhisper } from "./live-whisper.mjs";
import { inDirectory } from "./measure.mjs";

const MIN_SECONDS = 20;

export const bench = (benchArguments) => {
  const options = {
    calls: { type: "string", default: "100" },
    seconds: { type: "string", default: "300" },
    mode: { type: "string", default: "load" },
    engine: { type: "string" },
    model: { type: "string" },
  };
  const { values } = parseArgs({ args: benchArguments, options });
  const [calls, seconds] = [Number(values.calls), Number(values.seconds)];
  if (!(calls >= 1 && seconds >= MIN_SECONDS)) throw new Error(`--calls must be 1 or more, --seconds ${MIN_SECONDS} or more`);
  if (values.engine !== undefined) {
    if (values.engine !== "whisper" || values.model === undefined)
      throw new Error("say --engine whisper --model DIRECTORY (see tools/model-fixtures/README.md)");
    return inDirectory((directory) => measureWhisper(directory, values.model));
  }
  if (values.mode === "latency") return inDirectory((directory) => measureLatency(directory));
  if (values.mode !== "load") throw new Error("--mode must be load or latency");
  return inDirectory((directory) => measureLoad(directory, { calls, seconds }));
};
