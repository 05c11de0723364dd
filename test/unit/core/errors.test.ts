import { describe, expect, it } from "vitest";
import { AppError, toAppError } from "../../../src/core/errors.js";

describe("toAppError", () => {
  it("hands an error of ours on as it is", () => {
    const error = new AppError("AUDIO_EMPTY", "The recording is empty.");
    expect(toAppError(error)).toBe(error);
  });

  it("turns anything else into INTERNAL and tells nothing of it", () => {
    for (const thrown of [new TypeError("secret of a caller"), "secret of a caller", { secret: "caller" }, undefined, null]) {
      const error = toAppError(thrown);
      expect(error).toMatchObject({ code: "INTERNAL", retryable: true });
      expect(error.cause).toBe(thrown);
      expect(`${error.message} ${error.safeMessage} ${JSON.stringify(error.details)}`).not.toMatch(/secret|caller's|of a caller/);
    }
  });

  it("is neither retryable nor detailed unless told so", () => {
    expect(new AppError("AUDIO_EMPTY", "Empty.")).toMatchObject({ retryable: false, details: {}, message: "Empty.", safeMessage: "Empty." });
  });
});
