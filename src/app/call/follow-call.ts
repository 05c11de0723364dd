/** Follows one call on the service's WebSocket, from its first event to the end of its analysis, and says what comes. */
import { setTimeout as wait } from "node:timers/promises";
import { WebSocket } from "ws";
import type { WireCallEvent } from "../../protocol/call-events.js";

export interface FollowCallOptions {
  readonly api: URL;
  readonly apiKey: string;
  readonly callId: string;
  readonly waitForAnalysis: boolean;
  readonly signal: AbortSignal;
  readonly onLine?: (line: string) => void;
}

export interface FollowedCall {
  readonly receivedMs: number;
  readonly finals: number;
}

/** The call exists when its first audio came: until then there is nothing to follow. */
const RETRY_MS = 200;
const MAX_TRIES = 50;

/** @returns undefined when the service can't be followed; the call itself is not harmed by that */
export async function followCall(options: FollowCallOptions): Promise<FollowedCall | undefined> {
  const state = { afterSeq: 0, receivedMs: 0, finals: 0 };
  for (let attempt = 0; attempt < MAX_TRIES && !options.signal.aborted; attempt++) {
    const before = state.afterSeq;
    if (await followOnce(options, state)) return { receivedMs: state.receivedMs, finals: state.finals };
    if (state.afterSeq > before) attempt = 0;
    await wait(RETRY_MS, undefined, { signal: options.signal }).catch(() => {});
  }
  options.onLine?.(
    "The call could not be followed: it never began (was the leg taken? TLS, allowed peers), the gateway does not answer, or the key may not read calls.",
  );
  return undefined;
}

/** @returns true when everything that was to be seen was seen. */
function followOnce(
  { api, apiKey, callId, waitForAnalysis, signal, onLine }: FollowCallOptions,
  state: { afterSeq: number; receivedMs: number; finals: number },
): Promise<boolean> {
  const url = new URL(`/api/v1/calls/${callId}/live?after=${state.afterSeq}`, api);
  url.protocol = api.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${apiKey}` } });
  return new Promise((resolve) => {
    const onAbort = (): void => socket.terminate();
    signal.addEventListener("abort", onAbort, { once: true });
    let isDone = false;
    socket.on("message", (data: Buffer) => {
      const event = JSON.parse(data.toString("utf8")) as WireCallEvent;
      if (event.seq === undefined) return;
      state.afterSeq = event.seq;
      const line = describeEvent(event);
      if (line !== undefined) onLine?.(line);
      if (event.type === "segment.final" && event.payload["pass"] === "live") state.finals++;
      if (event.type === "call.ended") state.receivedMs = receivedMs(event);
      isDone = event.type === "analysis.completed" || event.type === "call.failed" || (event.type === "call.ended" && !waitForAnalysis);
      if (isDone) socket.close(1000);
    });
    socket.on("error", () => {});
    socket.on("close", (code) => {
      signal.removeEventListener("abort", onAbort);
      resolve(isDone || code === 1000);
    });
  });
}

function receivedMs({ payload }: WireCallEvent): number {
  const { ledger } = payload["audio"] as { readonly ledger: Readonly<Record<string, number>> };
  return ["speech_ms", "silence_ms", "paused_ms", "failed_ms", "pending_ms"].reduce((sum, name) => sum + (ledger[name] ?? 0), 0);
}

interface DescribedPayload {
  readonly channel?: string;
  readonly text?: string;
  readonly pass?: string;
  readonly segment?: { readonly channel: string; readonly start_ms: number; readonly text: string };
  readonly finding?: { readonly kind: string; readonly level: string; readonly evidence: readonly { readonly text: string }[] };
  readonly classification?: Readonly<Record<string, { readonly label: string | null }>>;
  readonly summary?: { readonly text: string };
  readonly reason?: string;
  readonly error_code?: string;
}

/** One line for a person; undefined for what only machines want. */
function describeEvent({ type, payload }: WireCallEvent): string | undefined {
  const { channel, text, pass, segment, finding, classification, summary, reason, error_code } = payload as DescribedPayload;
  if (type === "segment.interim") return text === "" ? undefined : `   ... ${channel}: ${text}`;
  if (type === "segment.final" && segment !== undefined)
    return `${pass === "live" ? "" : "(recording) "}${segment.channel} ${(segment.start_ms / 1000).toFixed(1)} s: ${segment.text}`;
  if (type === "risk.raised" && finding !== undefined) return `!! ${finding.level} risk: ${finding.kind} ("${finding.evidence[0]?.text ?? ""}")`;
  if (type === "classification.updated")
    return `   case: ${classification?.["main_category"]?.label ?? "not enough evidence"} / priority ${classification?.["priority"]?.label ?? "-"}`;
  if (type === "summary.updated") return `   summary: ${summary?.text ?? ""}`;
  if (type === "call.ended") return `call ended (${reason})`;
  if (type === "call.failed") return `call failed (${error_code})`;
  return type === "analysis.completed" ? "analysis completed" : undefined;
}
