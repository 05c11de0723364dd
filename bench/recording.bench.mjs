/** A recording through the whole service: event-loop delay of the main process, real-time factor, memory. */
import { openAsBlob } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startService } from "../dist/app/lifecycle.js";
import { loadConfig } from "../dist/config/load-config.js";
import { silentLogger } from "../dist/core/log.js";
import { inDirectory, round } from "./measure.mjs";

const SAMPLES = ["child-violence-home", "early-marriage", "custody-maintenance"];

export const bench = () =>
  inDirectory(async (directory) => {
    const dataDirectory = join(directory, "data");
    const service = await startService(loadConfig({ argv: { DATA_DIR: dataDirectory, PORT: "0", STREAM_PORT: "0" } }), silentLogger);
    const authorization = `Bearer ${(await readFile(join(dataDirectory, "admin.key"), "utf8")).trim()}`;
    const get = async (path) => (await fetch(`${service.url}${path}`, { headers: { authorization } })).json();
    await get("/health/resources");
    const startedAtMs = performance.now();
    const tasks = await Promise.all(
      SAMPLES.map(async (id) => {
        const form = new FormData();
        form.set("audio", await openAsBlob(new URL(`../samples/${id}/call-16k.flac`, import.meta.url)), "call.flac");
        form.set("language", "en");
        return (await (await fetch(`${service.url}/audio/process`, { method: "POST", headers: { authorization }, body: form })).json()).task_id;
      }),
    );
    let done = [];
    while (done.length < tasks.length) {
      await delay(100);
      done = (await Promise.all(tasks.map((id) => get(`/audio/task/${id}`)))).filter(({ status }) => status === "completed");
    }
    const elapsedMs = performance.now() - startedAtMs;
    const { event_loop_delay_p99_ms: p99Ms, process_memory_bytes: memoryBytes } = await get("/health/resources");
    const audioMs = done.reduce((sum, { result }) => sum + result.audio.duration_ms, 0);
    await service.stop();
    return [
      { measure: "event-loop delay p99 of the main process", value: round(p99Ms), unit: "ms", bar: "< 50", isMet: p99Ms < 50 },
      { measure: "time per time of audio (two-channel calls, all cores)", value: round(elapsedMs / audioMs, 3), unit: "x" },
      { measure: "memory of the main process after", value: Math.round(memoryBytes / 1_048_576), unit: "MB" },
    ];
  });
