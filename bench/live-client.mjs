/**
 * The telephone exchange of the live benchmark, in a process of its own: plays legs over AudioSocket, 20 ms messages on an
 * absolute schedule, so that what is late is made up for. Each leg loops its file until all its frames are sent.
 */
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { encodeIdMessage } from "../dist/telephony/audiosocket/message.js";

const FRAME_MS = 20;
const FRAME_BYTES = 320;
const MESSAGE_BYTES = 3 + FRAME_BYTES;
const TICK_MS = 5;
const AUDIO_KIND = 0x10;

process.on("message", (message) => {
  if (message.stop === true) process.exit(0);
  void play(message).then((report) => process.send(report));
});

async function play({ port, legs }) {
  const messages = new Map([...new Set(legs.map(({ file }) => file))].map((file) => [file, audioMessages(readFileSync(file))]));
  const beganAtMs = performance.now();
  const players = legs.map((leg) => ({ ...leg, dueFromMs: beganAtMs + leg.delayMs, sent: 0, markTimes: [], isOver: false, isCutOff: false }));
  const usageBefore = process.cpuUsage();
  const lateMs = [];
  await new Promise((resolve) => {
    const timer = setInterval(() => {
      const nowMs = performance.now();
      for (const player of players) {
        if (player.isOver || nowMs < player.dueFromMs) continue;
        player.socket ??= open(player, port);
        step(player, { messages: messages.get(player.file), nowMs, lateMs });
      }
      if (!players.every(({ isOver }) => isOver)) return;
      clearInterval(timer);
      resolve();
    }, TICK_MS);
  });
  const { user, system } = process.cpuUsage(usageBefore);
  lateMs.sort((a, b) => a - b);
  return {
    elapsedMs: performance.now() - beganAtMs,
    cpuMs: (user + system) / 1000,
    lateP99Ms: lateMs[Math.floor(lateMs.length * 0.99)] ?? 0,
    legs: players.map(({ streamId, sent, markTimes, isCutOff }) => ({ streamId, sentMs: sent * FRAME_MS, markTimes, isCutOff })),
  };
}

function open(player, port) {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.resume();
  socket.on("error", () => socket.destroy());
  socket.on("close", () => {
    player.isCutOff ||= player.sent < player.frames;
    player.isOver = true;
  });
  socket.write(encodeIdMessage(player.streamId));
  return socket;
}

/** Sends what is due by now. */
function step(player, { messages, nowMs, lateMs }) {
  const due = Math.min(player.frames, Math.floor((nowMs - player.dueFromMs) / FRAME_MS) + 1);
  if (due > player.sent) lateMs.push(nowMs - (player.dueFromMs + player.sent * FRAME_MS));
  for (; player.sent < due; player.sent++) {
    const at = ((player.firstFrame + player.sent) * MESSAGE_BYTES) % messages.length;
    player.socket.write(messages.subarray(at, at + MESSAGE_BYTES));
    if (player.sent === player.marks[player.markTimes.length]) player.markTimes.push(Date.now());
  }
  if (player.sent < player.frames) return;
  player.isOver = true;
  player.socket.end();
}

/** The whole file as messages, one after the other. */
function audioMessages(samples) {
  const count = Math.floor(samples.length / FRAME_BYTES);
  const messages = Buffer.alloc(count * MESSAGE_BYTES);
  for (let frame = 0; frame < count; frame++) {
    messages.writeUInt8(AUDIO_KIND, frame * MESSAGE_BYTES);
    messages.writeUInt16BE(FRAME_BYTES, frame * MESSAGE_BYTES + 1);
    samples.copy(messages, frame * MESSAGE_BYTES + 3, frame * FRAME_BYTES, (frame + 1) * FRAME_BYTES);
  }
  return messages;
}
