import { describe, expect, it } from "vitest";
import { processRecordingPayload } from "../../../src/protocol/job-payloads.js";

const PAYLOAD = {
  callId: "01890000-0000-7000-8000-000000000001",
  recordingId: "01890000-0000-7000-8000-000000000002",
  language: "sw",
  includeTranslation: true,
  speechEngine: "auto",
};

describe("the payload of a recording's job", () => {
  it("takes ids and settings", () => {
    expect(processRecordingPayload.parse(PAYLOAD)).toEqual(PAYLOAD);
  });

  it("takes nothing more, so that no text of a call can slip in", () => {
    expect(processRecordingPayload.safeParse({ ...PAYLOAD, transcript: "my name is" }).success).toBe(false);
    expect(processRecordingPayload.safeParse({ ...PAYLOAD, callId: "the girl from the market" }).success).toBe(false);
    expect(processRecordingPayload.safeParse({ ...PAYLOAD, language: "a sentence longer than any tag" }).success).toBe(false);
  });
});
