/** A service with scripted words for calls that run, and what tests ask of it. */
import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import type { UserRole } from "../../src/security/permissions.js";
import { startGateway, type TestGateway, type TestGatewayParts } from "./start-gateway.js";
import { until } from "./until.js";

export interface WireLedger {
  readonly speech_ms: number;
  readonly silence_ms: number;
  readonly paused_ms: number;
  readonly failed_ms: number;
  readonly gap_ms: number;
  readonly pending_ms?: number;
}

export interface WireAudio {
  readonly duration_ms?: number;
  readonly channels: readonly { readonly channel: string; readonly ledger: WireLedger }[];
  readonly ledger: WireLedger;
}

export interface WireLiveCall {
  readonly call_id: string;
  readonly task_id: string;
  readonly state: string;
  readonly duration_ms: number;
  readonly mode: string;
  readonly agent_id?: string;
  readonly legs: readonly { readonly stream_id: string; readonly channel: string }[];
  readonly lag_ms: number;
  readonly risk_kinds: readonly string[];
  readonly warnings: readonly string[];
  readonly audio: WireAudio;
}

export interface WireCall {
  readonly call_id: string;
  readonly status: string;
  readonly duration_ms: number;
  readonly started_at: string;
  readonly mode?: string;
  readonly agent_id?: string;
  readonly legs: readonly { readonly stream_id: string; readonly channel: string }[];
}

export interface WireLiveAnalysis {
  readonly status: string;
  readonly audio: WireAudio | null;
  readonly transcript: {
    readonly segments: readonly { readonly text: string; readonly start_ms: number; readonly end_ms: number; readonly channel: string }[];
  } | null;
  readonly risk?: readonly { readonly kind: string; readonly level: string; readonly evidence: readonly { readonly text: string }[] }[] | null;
  readonly warnings: readonly string[];
}

/** All of the milliseconds received: what the ledger has to account for. */
export function receivedMs({ speech_ms, silence_ms, paused_ms, failed_ms, pending_ms = 0 }: WireLedger): number {
  return speech_ms + silence_ms + paused_ms + failed_ms + pending_ms;
}

export interface LiveGateway extends TestGateway {
  readonly port: number;
  /** The value of one line of /metrics, such as `name{reason="idle"}`; 0 when there is none. */
  metric(line: string): Promise<number>;
  /** Over all label values. */
  metricSum(name: string): Promise<number>;
  closedBecause(reason: string): Promise<number>;
  activeCall(callId: string, role?: UserRole): Promise<WireLiveCall | undefined>;
  /** Waits until this holds of the call in progress. */
  whenActive(callId: string, what: string, holds?: (call: WireLiveCall) => boolean): Promise<WireLiveCall>;
  /** Waits until nothing more is to come of the call, and gives its analysis. */
  whenAnalysed(callId: string): Promise<WireLiveAnalysis>;
  call(callId: string): Promise<WireCall>;
  post(path: string, body?: unknown, role?: UserRole): Promise<{ readonly status: number; readonly body: Record<string, unknown> }>;
}

export async function startLiveGateway(settings: Readonly<Record<string, string>> = {}, parts: TestGatewayParts = {}): Promise<LiveGateway> {
  const inferenceEntry = { url: new URL("./scripted-speech-process.ts", import.meta.url), execArgv: ["--import", "tsx"] };
  const gateway = await startGateway({ DEFAULT_LANGUAGES: "en", ...settings }, { inferenceEntry, ...parts });
  const metrics = async (): Promise<string> => (await gateway.request("admin", "/metrics")).text();
  const metric = async (line: string): Promise<number> => {
    const found = (await metrics()).split("\n").find((candidate) => candidate.startsWith(`${line} `));
    return Number(found?.slice(line.length + 1) ?? 0);
  };
  const activeCall = async (callId: string, role: UserRole = "supervisor"): Promise<WireLiveCall | undefined> =>
    (await gateway.json<{ items: readonly WireLiveCall[] }>(role, "/api/v1/calls/active")).items.find(({ call_id }) => call_id === callId);
  return {
    ...gateway,
    port: Number(gateway.service.streamAddress?.split(":")[1]),
    metric,
    async metricSum(name) {
      const lines = (await metrics()).split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
      return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
    },
    closedBecause: (reason) => metric(`helpline_telephony_connections_closed_total{reason="${reason}"}`),
    activeCall,
    async whenActive(callId, what, holds = () => true) {
      let found: WireLiveCall | undefined;
      const holdsNow = async (): Promise<boolean> => {
        found = await activeCall(callId);
        return found !== undefined && holds(found);
      };
      await until(what, holdsNow, 15_000, 20);
      return found as WireLiveCall;
    },
    async whenAnalysed(callId) {
      let analysis: WireLiveAnalysis | undefined;
      const isComplete = async (): Promise<boolean> => {
        const call = await gateway.request("supervisor", `/api/v1/calls/${callId}`);
        if (call.status !== 200 && call.status !== 404) throw new Error(`the call was answered with ${call.status}`);
        const { status } = (await call.json()) as { readonly status: unknown };
        if (status !== "completed" && status !== "failed") return false;
        const response = await gateway.request("supervisor", `/api/v1/calls/${callId}/analysis`);
        if (response.status !== 200 && response.status !== 404) throw new Error(`the analysis was answered with ${response.status}`);
        analysis = response.status === 200 ? ((await response.json()) as WireLiveAnalysis) : undefined;
        return analysis?.status === "completed" || analysis?.status === "failed";
      };
      await until(`call ${callId} is analysed`, isComplete, 30_000, 50);
      expect(analysis?.status).toBe("completed");
      return analysis as WireLiveAnalysis;
    },
    call: (callId) => gateway.json<WireCall>("supervisor", `/api/v1/calls/${callId}`),
    async post(path, body = undefined, role = "supervisor") {
      const init = body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
      const response = await gateway.request(role, path, { method: "POST", ...init });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
  };
}

/** A fresh id of a stream whose last digit is `lastDigit`: 1 the caller, 2 the counsellor, others neither. */
export function newStreamId(lastDigit = "1"): string {
  return randomUUID().slice(0, -1) + lastDigit;
}
