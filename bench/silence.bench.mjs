/** Three hours of silence at 8 kHz through `process`: time, memory of the whole process tree, and that no word is heard. */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { inDirectory, round } from "./measure.mjs";

const HOURS = 3;
const RATE_HZ = 8_000;

export const bench = () =>
  inDirectory(async (directory) => {
    const path = join(directory, "silence.wav");
    await writeSilence(path);
    const startedAtMs = performance.now();
    const child = spawn(process.execPath, [new URL("../dist/cli/main.js", import.meta.url).pathname, "process", "--json", path], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
    const peaks = { main: 0, tree: 0 };
    const watch = setInterval(() => {
      peaks.main = Math.max(peaks.main, residentMb(child.pid));
      peaks.tree = Math.max(peaks.tree, treeMb(child.pid));
    }, 50);
    const code = await new Promise((resolve) => child.once("close", resolve));
    clearInterval(watch);
    const seconds = (performance.now() - startedAtMs) / 1000;
    const analysis = JSON.parse(output);
    const words = (analysis.transcript?.segments ?? []).length;
    return [
      { measure: `${HOURS} h of silence, wall clock`, value: round(seconds, 1), unit: "s", bar: "< 45", isMet: seconds < 45 },
      { measure: "memory of the main process, highest", value: peaks.main, unit: "MB", bar: "< 300", isMet: peaks.main < 300 },
      { measure: "memory of all its processes together (private), highest", value: peaks.tree, unit: "MB" },
      { measure: "segments heard", value: words, unit: "", bar: "0", isMet: words === 0 },
      { measure: "silence in the ledger", value: analysis.audio.ledger.silence_ms, unit: "ms", isMet: analysis.audio.ledger.silence_ms === HOURS * 3_600_000 },
      { measure: "exit code", value: code, unit: "" },
    ];
  });

async function writeSilence(path) {
  const dataBytes = HOURS * 3600 * RATE_HZ * 2;
  const header = Buffer.alloc(44);
  header.write("RIFF", 0, "latin1");
  header.writeUInt32LE(36 + dataBytes, 4);
  header.write("WAVEfmt ", 8, "latin1");
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(RATE_HZ, 24);
  header.writeUInt32LE(RATE_HZ * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write("data", 36, "latin1");
  header.writeUInt32LE(dataBytes, 40);
  const file = await open(path, "w");
  await file.write(header);
  await file.truncate(header.length + dataBytes);
  await file.close();
}

function residentMb(pid) {
  try {
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024);
  } catch {
    return 0;
  }
}

/** Memory that only this process has, summed over the tree: shared libraries are counted once at most. */
function treeMb(root) {
  const parents = new Map();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      parents.set(Number(name), Number(/PPid:\s+(\d+)/.exec(readFileSync(`/proc/${name}/status`, "utf8"))[1]));
    } catch {
      // It ended just now.
    }
  }
  const isOfTree = (pid) => pid === root || (parents.has(pid) && parents.get(pid) > 1 && isOfTree(parents.get(pid)));
  let kilobytes = 0;
  for (const pid of parents.keys()) {
    if (!isOfTree(pid)) continue;
    try {
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
      kilobytes += Number(/Private_Dirty:\s+(\d+)/.exec(rollup)[1]) + Number(/Private_Clean:\s+(\d+)/.exec(rollup)[1]);
    } catch {
      // It ended just now.
    }
  }
  return Math.round(kilobytes / 1024);
}
