/** What a model that reads some languages reads of a call. */
import { describe, expect, it } from "vitest";
import type { TranscriptSegment } from "../../../src/core/transcript.js";
import { readableText, refuseOtherLanguages } from "../../../src/inference/readable-text.js";

const segment = (id: string, language: string, text: string): TranscriptSegment => ({
  ...{ id, language, text, channel: "caller", startMs: 0, endMs: 1_000, score: null },
});
const swahili = segment("s1", "sw", "Jina langu ni Amina na ninaishi Kisumu.");
const english = segment("s2", "en", "He beats me.");

describe("readableText", () => {
  it("is what was said, in a language the model reads", () => {
    expect(readableText([english, swahili], ["sw", "en"], undefined).map(({ text }) => text)).toEqual([english.text, swahili.text]);
  });

  it("is the translation where the model does not read what was spoken", () => {
    const translation = { language: "en", segments: [{ segmentId: "s1", text: "My name is Amina and I live in Kisumu." }] };
    const read = readableText([swahili, english], ["en"], translation);
    expect(read.map(({ text }) => text)).toEqual(["My name is Amina and I live in Kisumu.", english.text]);
    expect(read[0]?.segment).toBe(swahili);
  });

  it("refuses a call that is mostly in another language, so that the next engine reads it", () => {
    expect(() => readableText([swahili, english], ["en"], undefined)).toThrow(expect.objectContaining({ code: "MODEL_NOT_READY" }));
    expect(() => readableText([swahili, english], ["en"], { language: "fr", segments: [{ segmentId: "s1", text: "Je m'appelle Amina." }] })).toThrow();
  });

  it("leaves out the few words in another language", () => {
    expect(readableText([swahili, segment("s3", "en", "Okay.")], ["sw"], undefined).map(({ segment: { id } }) => id)).toEqual(["s1"]);
  });

  it("reads anything with a model of any language, and text of no known language", () => {
    expect(() => refuseOtherLanguages([swahili], ["*"])).not.toThrow();
    expect(() => refuseOtherLanguages([segment("s1", "und", "mm hm")], ["en"])).not.toThrow();
    expect(() => refuseOtherLanguages([], ["en"])).not.toThrow();
  });
});
