/** What uploads and calls in, for benchmarks of several processes. */
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { encodeIdMessage } from "../dist/telephony/audiosocket/message.js";

const CLIP = readFileSync(new URL("../samples/child-violence-home/call-8k-alaw.wav", import.meta.url)).subarray(0, 44 + 16_000 * 3);
export const CALL_SECONDS = 12;
const FRAME_MS = 20;
const FRAME_SAMPLES = 160;

/** A short recording, as a form. */
export function recordingForm() {
  const form = new FormData();
  form.set("audio", new Blob([CLIP]), "call.wav");
  form.set("language", "en");
  return form;
}

/**
 * One leg at real time. Rejects when it is not let in; once it has begun it is over when it is cut off: an exchange does
 * not dial again.
 */
export function speak(port, callId, samples) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let sentMs = 0;
    let timer;
    socket.resume();
    let isConnected = false;
    // Cut off once it has begun, it is over: an exchange does not dial again.
    socket.on("error", (error) => !isConnected && reject(error));
    socket.once("close", () => {
      clearInterval(timer);
      if (isConnected) resolve({ sentMs, isCutOff: sentMs < CALL_SECONDS * 1_000 });
    });
    socket.once("connect", () => {
      isConnected = true;
      socket.write(encodeIdMessage(callId));
      const beganAtMs = performance.now();
      timer = setInterval(() => {
        while (sentMs < Math.min(CALL_SECONDS * 1_000, performance.now() - beganAtMs)) {
          const at = (sentMs / FRAME_MS) * FRAME_SAMPLES;
          const frame = samples.subarray(at, at + FRAME_SAMPLES);
          socket.write(Buffer.concat([Buffer.from([0x10, 0x01, 0x40]), Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength)]));
          sentMs += FRAME_MS;
        }
        if (sentMs >= CALL_SECONDS * 1_000) socket.end();
      }, FRAME_MS);
    });
  });
}
