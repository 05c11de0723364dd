/** The demo: three acts that tell the truth about this machine, then what works here and what does not. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeAlawWav, parseWavHeader } from "../../audio/wav.js";
import type { Config } from "../../config/config-schema.js";
import { AppError } from "../../core/errors.js";
import { packageRoot } from "../paths.js";
import { waitForShutdownSignal } from "../shutdown-signals.js";
import { hearSamples } from "./hear-samples.js";
import { readScripts } from "./read-scripts.js";
import { loadSamples } from "./sample-script.js";
import { surviveKill } from "./survive-kill.js";

export interface DemoOptions {
  readonly keep: boolean;
  readonly print: (line: string) => void;
}

/** @returns false when an act did not hold what it claims. */
export async function runDemo(config: Config, { keep, print }: DemoOptions): Promise<boolean> {
  const samples = await loadSamples();
  const stop = new AbortController();
  const { signal } = stop;
  const stopped = waitForShutdownSignal().then(() => stop.abort(new AppError("QUEUE_JOB_CANCELLED", "Stopped; nothing was kept.")));
  const hasSpeech = await hearSamples(config, samples, { print, signal });
  await readScripts(samples, { print, signal });
  const dataDirectory = keep ? join(packageRoot(), ".openchs-demo") : await mkdtemp(join(tmpdir(), "openchs-demo-"));
  try {
    if (keep) await rm(dataDirectory, { recursive: true, force: true });
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
    const clips = { upload: join(dataDirectory, "upload.wav"), live: join(dataDirectory, "call.wav") };
    await writeClip(clips.upload, { sample: "child-violence-home", seconds: 4 });
    await writeClip(clips.live, { sample: "school-bullying", seconds: 20 });
    const { isWhole, service } = await surviveKill(join(dataDirectory, "data"), clips, { print, signal });
    printLists(print, hasSpeech);
    const ended = new Promise((resolve) => service.child.once("exit", resolve));
    if (keep) {
      print(
        `\nThe service keeps running at ${service.url} (dashboard: ${service.url}/; API page: ${service.url}/docs; key: ${dataDirectory}/data/admin.key). Ctrl-C ends it.`,
      );
      await stopped;
    }
    service.child.kill("SIGTERM");
    await ended;
    return isWhole;
  } finally {
    if (!keep) await rm(dataDirectory, { recursive: true, force: true });
  }
}

/** The first seconds of a sample, so that the third act is quick. */
async function writeClip(path: string, { sample: id, seconds }: { readonly sample: string; readonly seconds: number }): Promise<void> {
  const sample = await readFile(join(packageRoot(), "samples", id, "call-8k-alaw.wav"));
  const { dataOffset } = parseWavHeader(sample);
  const frames = sample.subarray(dataOffset, dataOffset + seconds * 8_000 * 2);
  await writeFile(path, encodeAlawWav(frames, { channelCount: 2, sampleRateHz: 8_000 }));
}

/** English speech needs Debian's packages: where they are missing it stands among what does not work. */
function printLists(print: (line: string) => void, hasSpeech: boolean): void {
  const speechHere = "\n  - English speech on clear wide-band audio, with the word errors shown above; marked low_quality";
  const speechMissing = "\n  - English speech on clear audio: apt-get install pocketsphinx pocketsphinx-en-us (25 MB)";
  print(`
===== WHAT IS TRUE HERE =====

Works here, with nothing downloaded:
  - recordings in, encrypted at rest, analysed in the background, found again after kill -9${hasSpeech ? speechHere : ""}
  - live calls from the exchange (AudioSocket, id line, WebSocket): words while they are said, risks at once, nothing lost by kill -9
  - a page for counsellors at the service's address, in English and Swahili
  - entities, classification, priority, risk, summary and quality in English and Swahili, each with its words
  - who spoke when, talk time, interruptions, silence

Needs something installed (a model: openchs-ai models pull NAME, or import from a file; docs/models.md):${hasSpeech ? "" : speechMissing}
  - Swahili and mixed speech, and English on the telephone: a Whisper model (base 150 MB, small 480 MB, large-v3 3 GB)
  - translation: a Marian or M2M100 model (300 MB to 2 GB)

Never measured:
  - real voices: every sample here is synthetic speech of a script, and nothing above tells how real callers are heard
  - the marks against counsellors' own judgement; how far the scores can be trusted was measured on made-up calls alone (docs/quality.md)`);
}
