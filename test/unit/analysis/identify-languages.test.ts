/** Segments without a language get one before anything reads them; a failure leaves them as they are. */
import { describe, expect, it } from "vitest";
import { hearLanguage } from "../../../src/analysis/live/language-hysteresis.js";
import { asTranslated, identifyLanguages, withLanguages } from "../../../src/analysis/steps/identify-languages.js";
import { AppError } from "../../../src/core/errors.js";
import type { TranscriptSegment } from "../../../src/core/transcript.js";
import type { InferenceRunner } from "../../../src/inference/pool/inference-pool.js";

const segment = (id: string, language: string, text = "some words"): TranscriptSegment => ({
  ...{ id, language, text, channel: "caller", startMs: 0, endMs: 1_000, score: null },
});
const { signal } = new AbortController();

/** An engine that gives each segment that has none the language its id begins with. */
function scripted(fails = false): { readonly inference: InferenceRunner; readonly asked: string[] } {
  const asked: string[] = [];
  const run = async (task: string, { segments }: { readonly segments: readonly TranscriptSegment[] }) => {
    asked.push(task);
    if (fails) throw new AppError("MODEL_NOT_READY", "No engine is installed for this.");
    const told = segments.filter(({ language }) => language === "und").map(({ id }) => ({ segmentId: id, language: id.split("-")[0] }));
    return { output: { segments: told }, engine: "scripted", revision: "1" };
  };
  return { inference: { engines: () => [], run } as unknown as InferenceRunner, asked };
}

describe("identifyLanguages", () => {
  it("asks only where a language is missing, and changes nothing else", async () => {
    const { inference, asked } = scripted();
    const told = [segment("s1", "sw"), segment("s2", "en")];
    expect(await identifyLanguages(inference, told, { signal })).toEqual({ segments: told, model: null });
    expect(asked).toEqual([]);
    const { segments, model } = await identifyLanguages(inference, [segment("s1", "sw"), segment("lg-2", "und")], { signal });
    expect(segments).toEqual([segment("s1", "sw"), segment("lg-2", "lg")]);
    expect(model).toEqual({ task: "language", engine: "scripted", id: "scripted", revision: "1" });
  });

  it("keeps a language the helpline does not speak out", async () => {
    const { inference } = scripted();
    const unknown = [segment("lg-1", "und"), segment("sw-2", "und"), segment("mixed-3", "und")];
    const { segments } = await identifyLanguages(inference, unknown, { allowedLanguages: ["sw", "en"], signal });
    expect(segments.map(({ language }) => language)).toEqual(["und", "sw", "mixed"]);
    const alone = await identifyLanguages(inference, unknown, { allowedLanguages: ["sw"], signal });
    expect(alone.segments.map(({ language }) => language)).toEqual(["und", "sw", "und"]);
  });

  it("leaves the segments as they came when nothing can tell", async () => {
    const unknown = [segment("sw-1", "und")];
    expect(await identifyLanguages(scripted(true).inference, unknown, { signal })).toEqual({ segments: unknown, model: null });
  });

  it("stops when nobody waits", async () => {
    const reason = new Error("stopped");
    await expect(identifyLanguages(scripted(true).inference, [segment("sw-1", "und")], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it("gives a transcript the language most of it is in", () => {
    const segments = [segment("s1", "en", "Yes."), segment("s2", "sw", "Baba ananipiga kila siku.")];
    expect(withLanguages({ language: "und", segments: [], lowQuality: false }, segments)).toEqual({ language: "sw", segments, lowQuality: false });
    expect(withLanguages({ language: "en", segments: [], lowQuality: false }, segments).language).toBe("en");
  });
});

describe("asTranslated", () => {
  it("tells a translator one language for what is mixed", () => {
    const languages = (target: string, ...given: readonly string[]): readonly string[] =>
      asTranslated(
        given.map((language, index) => segment(`s${index}`, language)),
        target,
      ).map(({ language }) => language);
    expect(languages("en", "mixed", "lg", "en")).toEqual(["lg", "lg", "en"]);
    expect(languages("en", "mixed")).toEqual(["sw"]);
    expect(languages("sw", "mixed", "sw")).toEqual(["en", "sw"]);
  });
});

describe("hearLanguage", () => {
  it("keeps the channel's language through segments that tell none, and through mixed ones", () => {
    const state = { current: "sw" };
    expect(hearLanguage(state, "und", 12)).toEqual({ state, tag: "sw" });
    expect(hearLanguage({}, "und", 12)).toEqual({ state: {}, tag: "und" });
    expect(hearLanguage(state, "mixed", 12)).toEqual({ state, tag: "mixed" });
    expect(hearLanguage(state, "mixed", 2)).toEqual({ state, tag: "sw" });
  });
});
