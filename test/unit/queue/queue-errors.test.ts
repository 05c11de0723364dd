import { describe, expect, it } from "vitest";
import { cancelledJobError, PermanentJobError, RetryAfterError } from "../../../src/queue/queue-backend.js";

describe("the errors a handler chooses its job's outcome by", () => {
  it("carry what the queue needs and can be told apart", () => {
    const cause = new RangeError("why");
    const permanent = new PermanentJobError("AUDIO_EMPTY", { cause });
    expect(permanent).toMatchObject({ name: "PermanentJobError", code: "AUDIO_EMPTY", cause });
    expect(permanent).not.toBeInstanceOf(RetryAfterError);
    expect(new RetryAfterError(1_500)).toMatchObject({ name: "RetryAfterError", delayMs: 1_500 });
    expect(cancelledJobError()).toMatchObject({ code: "QUEUE_JOB_CANCELLED", retryable: false });
  });
});
