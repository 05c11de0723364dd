/** The older service's paths of modes and notices: they say what is so. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGateway, type TestGateway } from "../support/start-gateway.js";

describe("modes and notices", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway({ PROCESSING_MODE: "dual" });
  });
  afterAll(() => gateway.stop());

  it("say which passes each mode has, and which is the default, also when it was set by an older name", async () => {
    const { default_mode, modes } = await gateway.json<{
      default_mode: string;
      modes: readonly { mode: string; live_text: boolean; recording_pass: string }[];
    }>("agent", "/api/v1/processing/modes");
    expect(default_mode).toBe("both");
    expect(Object.fromEntries(modes.map(({ mode, live_text, recording_pass }) => [mode, [live_text, recording_pass]]))).toEqual({
      realtime: [true, "never"],
      post_call: [false, "always"],
      both: [true, "always"],
      adaptive: [true, "unless short, calm and heard whole"],
    });
  });

  it("count calls in progress and deliveries that are left", async () => {
    expect(await gateway.json("agent", "/api/v1/processing/status")).toMatchObject({ default_mode: "both", active_calls: 0 });
    expect(await gateway.json("admin", "/api/v1/notifications/status")).toEqual({ webhooks: 0, calls_pending: 0, calls_dead: 0 });
    expect((await gateway.request("agent", "/api/v1/notifications/status")).status).toBe(403);
  });

  it("list what can be told", async () => {
    const types = await gateway.json<{ event_types: readonly string[]; formats: readonly string[] }>("agent", "/api/v1/notifications/types");
    expect(types.event_types).toContain("risk.raised");
    expect(types.formats).toEqual(["events", "openchs", "openchs_base64"]);
  });
});
