/** `kill -9` during ten calls: after the next start all ten are in the history, with all but their last second, analysed. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { newStreamId } from "../support/live-gateway.js";
import { type Leg, openLeg } from "../support/live-legs.js";
import { isMissing } from "../support/requirements.js";
import { type ServedService, serve } from "../support/run-cli.js";
import { legOf } from "../support/telephone-leg.js";
import { makeTemporaryDirectory } from "../support/temporary-directory.js";
import { until } from "../support/until.js";

const CALLS = 10;
/** Written every 250 ms by default; the brief allows a second. */
const MAY_BE_LOST_MS = 1_000;
const SPOKEN_MS = 12_000;

interface CallRecord {
  readonly call_id: string;
  readonly status: string;
  readonly duration_ms: number | null;
}

interface Ledger {
  readonly speech_ms: number;
  readonly silence_ms: number;
  readonly paused_ms: number;
  readonly failed_ms: number;
}

interface Analysis {
  readonly status: string;
  readonly audio: { readonly channels: readonly { readonly channel: string; readonly ledger: Ledger }[] } | null;
  readonly transcript: { readonly segments: readonly object[] } | null;
}

const sumOf = ({ speech_ms: speechMs, silence_ms: silenceMs, paused_ms: pausedMs, failed_ms: failedMs }: Ledger): number =>
  speechMs + silenceMs + pausedMs + failedMs;

async function historyOf(service: ServedService): Promise<readonly CallRecord[]> {
  return (await service.json<{ items: readonly CallRecord[] }>("/api/v1/calls?limit=100")).items;
}

describe.skipIf(isMissing("pocketsphinx"))("ten calls and a kill -9", () => {
  it("are all there after the next start, with all but their last second, and analysed", async () => {
    const directory = await makeTemporaryDirectory();
    const dataDirectory = join(directory.path, "data");
    const env = { DEFAULT_LANGUAGES: "en", PROCESSING_MODE: "realtime" };
    const legs: Leg[] = [];
    try {
      await using first = await serve(dataDirectory, { env });
      const callIds = Array.from({ length: CALLS }, () => newStreamId("1"));
      // Five calls have a counsellor's leg as well, of which less was said when the end came.
      const caller = legOf("child-violence-home", 0, 3_000, 3_000 + SPOKEN_MS);
      const agent = legOf("child-violence-home", 1, 0, SPOKEN_MS / 2);
      await Promise.all(
        callIds.map(async (callId, index) => {
          const leg = await openLeg(first.streamPort, callId);
          legs.push(leg);
          const speaking = [leg.speak(caller, 2)];
          if (index % 2 === 0) {
            const second = await openLeg(first.streamPort, `${callId.slice(0, -1)}2`);
            legs.push(second);
            speaking.push(second.speak(agent, 1));
          }
          await Promise.all(speaking);
        }),
      );
      await first.end("SIGKILL");
      for (const leg of legs) leg[Symbol.dispose]();

      await using second = await serve(dataDirectory, { env });
      const areDone = async (): Promise<boolean> => {
        const records = await historyOf(second);
        return records.length >= CALLS && records.every(({ status }) => status === "completed" || status === "failed");
      };
      await until("all are analysed", areDone, 150_000, 250);
      const records = await historyOf(second);
      expect(records.map(({ call_id: callId }) => callId).sort()).toEqual([...callIds].sort());
      for (const [index, callId] of callIds.entries()) {
        const record = records.find(({ call_id: each }) => each === callId);
        expect(record?.status).toBe("completed");
        expect(record?.duration_ms).toBeGreaterThanOrEqual(SPOKEN_MS - MAY_BE_LOST_MS);
        expect(record?.duration_ms).toBeLessThanOrEqual(SPOKEN_MS + 500);
        const analysis = await second.json<Analysis>(`/api/v1/calls/${callId}/analysis`);
        expect(analysis.status).toBe("completed");
        const heard = new Map(analysis.audio?.channels.map(({ channel, ledger }) => [channel, sumOf(ledger)]));
        expect(heard.get("caller")).toBeGreaterThanOrEqual(SPOKEN_MS - MAY_BE_LOST_MS);
        expect(heard.get("caller")).toBeLessThanOrEqual(SPOKEN_MS);
        if (index % 2 === 0) expect(heard.get("agent")).toBeGreaterThanOrEqual(SPOKEN_MS / 2 - MAY_BE_LOST_MS);
        expect(analysis.transcript?.segments.length).toBeGreaterThan(0);
        expect((await second.request(`/api/v1/calls/${callId}/audio`)).status).toBe(200);
      }
      const told = await (await second.request(`/api/v1/calls/${callIds[0]}/live`)).text();
      expect(told).toContain('"reason":"crashed"');
      expect(await second.json("/api/v1/calls/active")).toEqual({ items: [] });
      expect(await second.end("SIGTERM")).toBe(0);
      expect(readdirSync(join(dataDirectory, "work"))).toEqual([]);

      // A third start finds nothing left to recover.
      await using third = await serve(dataDirectory, { env });
      expect(await historyOf(third)).toHaveLength(CALLS);
      expect(await third.end("SIGTERM")).toBe(0);
    } finally {
      for (const leg of legs) leg[Symbol.dispose]();
      await directory.remove();
    }
  });
});
