/** Eight uploads of 300 MB at once: memory of the main process over idle. `-- MB COUNT` for other sizes. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { inDirectory, round } from "./measure.mjs";

const BOUNDARY = "bench";
const CHUNK = Buffer.alloc(1_048_576);

export const bench = ([megabytes = "300", count = "8"]) =>
  inDirectory(async (directory) => {
    const service = await startService(directory);
    const residentMb = () => Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${service.pid}/status`, "utf8"))[1]) / 1024);
    const idleMb = residentMb();
    let peakMb = idleMb;
    const watch = setInterval(() => {
      peakMb = Math.max(peakMb, residentMb());
    }, 20);
    const startedAtMs = performance.now();
    const statuses = await Promise.all(Array.from({ length: Number(count) }, () => upload(service, Number(megabytes))));
    const seconds = (performance.now() - startedAtMs) / 1000;
    clearInterval(watch);
    service.child.kill("SIGKILL");
    const accepted = statuses.filter((status) => status === 202).length;
    return [
      { measure: `uploads of ${megabytes} MB at once, accepted`, value: accepted, unit: `of ${count}`, isMet: accepted === Number(count) },
      { measure: "memory of the main process, idle", value: idleMb, unit: "MB" },
      { measure: "memory of the main process over idle, highest", value: peakMb - idleMb, unit: "MB", bar: "< 200", isMet: peakMb - idleMb < 200 },
      { measure: "received, encrypted and stored", value: round((Number(megabytes) * Number(count)) / seconds, 0), unit: "MB/s" },
    ];
  });

/** No worker takes the recordings: this is about receiving them. */
async function startService(directory) {
  const dataDirectory = join(directory, "data");
  const child = spawn(
    process.execPath,
    [new URL("../dist/cli/main.js", import.meta.url).pathname, "serve", "--port", "0", "--stream-port", "0", "--data-dir", dataDirectory],
    {
      stdio: ["ignore", "pipe", "ignore"],
    },
  );
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    output += text;
  });
  for (;;) {
    const url = /http:\/\/[\d.:]+/.exec(output)?.[0];
    if (url !== undefined) return { url, child, pid: child.pid, key: (await readFile(join(dataDirectory, "admin.key"), "utf8")).trim() };
    await delay(50);
  }
}

function upload({ url, key }, megabytes) {
  return new Promise((resolve, reject) => {
    const opening = `--${BOUNDARY}\r\ncontent-disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n`;
    const closing = `\r\n--${BOUNDARY}--\r\n`;
    const sending = request(new URL("/audio/process", url), {
      method: "POST",
      headers: {
        authorization: `Bearer ${key}`,
        "content-type": `multipart/form-data; boundary=${BOUNDARY}`,
        "content-length": opening.length + megabytes * CHUNK.length + closing.length,
      },
    });
    sending.on("response", (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sending.on("error", reject);
    void send(sending, { opening, closing, megabytes });
  });
}

async function send(sending, { opening, closing, megabytes }) {
  sending.write(opening);
  for (let sent = 0; sent < megabytes; sent++) {
    if (!sending.write(sent === 0 ? firstChunk(megabytes) : CHUNK)) await new Promise((resolve) => sending.once("drain", resolve));
  }
  sending.end(closing);
}

/** A WAV of silence, 16-bit stereo at 48 kHz: as long as there is data. */
function firstChunk(megabytes) {
  const chunk = Buffer.alloc(CHUNK.length);
  chunk.write("RIFF", 0, "latin1");
  chunk.writeUInt32LE(megabytes * CHUNK.length - 8, 4);
  chunk.write("WAVEfmt ", 8, "latin1");
  chunk.writeUInt32LE(16, 16);
  chunk.writeUInt16LE(1, 20);
  chunk.writeUInt16LE(2, 22);
  chunk.writeUInt32LE(48_000, 24);
  chunk.writeUInt32LE(192_000, 28);
  chunk.writeUInt16LE(4, 32);
  chunk.writeUInt16LE(16, 34);
  chunk.write("data", 36, "latin1");
  chunk.writeUInt32LE(megabytes * CHUNK.length - 44, 40);
  return chunk;
}
