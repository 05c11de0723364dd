/** What a counsellor's or supervisor's program does with feedback: gives it on parts of an analysis, and looks it up. */
import { expect } from "vitest";
import type { WireAnalysis } from "../../src/protocol/http/analysis-schema.js";
import type { UserRole } from "../../src/security/permissions.js";
import type { TestGateway } from "./start-gateway.js";

export interface WireFeedback {
  readonly feedback_id: string;
  readonly call_id: string;
  readonly task_id: string;
  readonly task: string;
  readonly item: string | null;
  readonly rating: number | null;
  readonly reason: string | null;
  readonly correction: { readonly label?: string; readonly text?: string } | null;
  readonly predicted_label: string | null;
  readonly predicted_text: string | null;
  readonly agrees: boolean | null;
  readonly model: { readonly task: string; readonly engine: string; readonly revision: string };
  readonly actor_id: string;
  readonly created_at: string;
}

export type NewFeedback = Readonly<Record<string, unknown>>;
const PATH = "/api/v1/agent-feedback";

export function postFeedback(gateway: TestGateway, body: unknown, role: UserRole | null = "agent", path = PATH): Promise<Response> {
  return gateway.request(role, path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
}

/** Feedback that has to be taken. */
export async function given(gateway: TestGateway, body: NewFeedback, role: UserRole = "agent"): Promise<WireFeedback> {
  const response = await postFeedback(gateway, body, role);
  const text = await response.text();
  expect(response.status, `${JSON.stringify(body)} ${text}`).toBe(201);
  return JSON.parse(text) as WireFeedback;
}

export async function feedbackOf(gateway: TestGateway, callId: string, query = ""): Promise<readonly WireFeedback[]> {
  const { items } = await gateway.json<{ items: readonly WireFeedback[] }>("supervisor", `${PATH}?call_id=${callId}${query}`);
  return items;
}

export async function exported(gateway: TestGateway, query = "", role: UserRole = "supervisor"): Promise<readonly WireFeedback[]> {
  const response = await gateway.request(role, `${PATH}/export${query}`);
  const text = await response.text();
  expect(response.status, text).toBe(200);
  expect(response.headers.get("content-type")).toContain("application/x-ndjson");
  if (text !== "") expect(text.endsWith("\n")).toBe(true);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as WireFeedback);
}

/** A word of the transcript that is no entity, as the place of a miss: `s3:10-16`. */
export function missedPlace(analysis: WireAnalysis): { readonly item: string; readonly text: string } {
  const mentions = (analysis.entities ?? []).flatMap((entity) => entity.mentions);
  for (const { id, text } of analysis.transcript?.segments ?? []) {
    for (const found of text.matchAll(/\S{4,}/g)) {
      const end = found.index + found[0].length;
      const isTaken = mentions.some((one) => one.segment_id === id && one.start_offset < end && found.index < one.end_offset);
      if (!isTaken) return { item: `${id}:${found.index}-${end}`, text: found[0] };
    }
  }
  throw new Error("every word of the call is an entity");
}
