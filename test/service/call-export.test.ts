/** A call taken away as a file: masked unless clear text is asked for, as JSON or for printing. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import { analysisSchema, type WireAnalysis } from "../../src/protocol/http/analysis-schema.js";
import { callExportSchema, callSchema } from "../../src/protocol/http/call-schema.js";
import { ask, codeOf, type PlainAnswer, type SentRequest } from "../support/http-client.js";
import { quietClip } from "../support/quiet-clip.js";
import { analysed, audioFiles, untilProcessing, uploaded } from "../support/recording-client.js";
import { isMissing } from "../support/requirements.js";
import { shortClip } from "../support/sample-audio.js";
import { ROOT } from "../support/source-tree.js";
import { spokenPhrases, withoutText } from "../support/spoken-words.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";

describe.skipIf(isMissing("pocketsphinx"))("the export of a call", () => {
  let gateway: TestGateway;
  let path: string;
  let analysis: WireAnalysis;
  beforeAll(async () => {
    gateway = await startGateway({ WORKER_CONCURRENCY: "1" });
    const { accepted, task } = await analysed(gateway, shortClip("child-violence-home", 12));
    analysis = analysisSchema.parse(task.result);
    path = `/api/v1/calls/${accepted.call_id}`;
    expect(spokenPhrases(analysis).length).toBeGreaterThan(3);
  });
  afterAll(() => gateway.stop());

  const take = async (query: string, sent: SentRequest = {}): Promise<PlainAnswer> => {
    const answer = await ask(gateway, `${path}/export${query}`, sent);
    expect(answer.status, answer.body.toString("utf8")).toBe(200);
    return answer;
  };
  const parsed = ({ body }: PlainAnswer): z.infer<typeof callExportSchema> => callExportSchema.strict().parse(JSON.parse(body.toString("utf8")));

  it("is masked JSON unless something else is asked for, and has everything but the words with times", async () => {
    for (const query of ["", "?format=json", "?text=masked", "?format=json&text=masked"]) {
      const answer = await take(query);
      const { analysis: exported, call, text, exported_at: at } = parsed(answer);
      expect(answer.headers["content-type"]).toMatch(/^application\/json/);
      expect([text, answer.body.toString("utf8").includes('"words"')]).toEqual(["masked", false]);
      expect(withoutText(exported)).toEqual(withoutText(analysis));
      expect(call).toEqual(callSchema.parse(await gateway.json("agent", path)));
      expect(Math.abs(Date.parse(at) - Date.now())).toBeLessThan(60_000);
    }
  });

  it("tells what the case is in the categories of Child Helpline International, as far as anybody has said", async () => {
    const { mappings } = JSON.parse(readFileSync(join(ROOT, "data/taxonomies/openchs.json"), "utf8")) as {
      readonly mappings: readonly { readonly to: string; readonly certain: boolean; readonly sub_categories: Readonly<Record<string, string>> }[];
    };
    const label = analysis.classification?.sub_category.label ?? "";
    const expected = mappings.map(({ to, certain, sub_categories: categories }) => ({ to, certain, category: categories[label] ?? null }));
    expect(expected.map(({ to }) => to)).toEqual(["child-helpline-international"]);
    expect(parsed(await take("")).classification_mappings).toEqual(expected);
  });

  it("has the words when clear text is asked for by who may read them", async () => {
    for (const role of ["agent", "supervisor", "admin"] as const) {
      const exported = parsed(await take("?text=clear", { role }));
      expect([exported.text, exported.analysis]).toEqual(["clear", analysis]);
    }
  });

  it("is refused in clear text to the role service, which may have it masked", async () => {
    for (const format of ["json", "text"]) {
      const refused = await ask(gateway, `${path}/export?text=clear&format=${format}`, { role: "service" });
      expect({ format, status: refused.status, code: codeOf(refused) }).toEqual({ format, status: 403, code: "AUTH_PERMISSION_DENIED" });
      expect((await take(`?format=${format}`, { role: "service" })).body.toString("utf8")).not.toContain('"words"');
    }
  });

  it("is a text for printing when that is asked for, masked or clear", async () => {
    const [masked, clear] = [await take("?format=text"), await take("?format=text&text=clear")];
    for (const answer of [masked, clear]) {
      expect(answer.headers["content-type"]).toMatch(/^text\/plain; charset=utf-8/i);
      expect(answer.body.toString("utf8")).toContain(analysis.call_id);
    }
    for (const { label, text } of analysis.entities ?? []) if (label === "NAME") expect(masked.body.toString("utf8")).not.toContain(text);
    for (const { text } of analysis.transcript?.segments ?? []) expect(clear.body.toString("utf8")).toContain(text);
    for (const { text } of analysis.entities ?? []) expect(clear.body.toString("utf8")).toContain(text);
  });

  it("is a file to be kept by who asked and by no cache", async () => {
    for (const query of ["", "?format=text"]) {
      const { headers } = await take(query);
      expect(headers["content-disposition"]).toMatch(/^attachment\b/);
      expect(headers["cache-control"]).toContain("no-store");
    }
  });

  it.each(["?format=xml", "?text=plain", "?format=text&text="])("is refused with 400 for %s", async (query) => {
    const answer = await ask(gateway, `${path}/export${query}`);
    expect({ status: answer.status, code: codeOf(answer) }).toEqual({ status: 400, code: "GATEWAY_BAD_REQUEST" });
  });

  it("says how far the work is on a call that is not done, in both formats", async () => {
    const running = await uploaded(gateway, shortClip("custody-maintenance", 15));
    await untilProcessing(gateway, running.task_id);
    const queued = await uploaded(gateway, quietClip("queued"));
    const answer = await ask(gateway, `/api/v1/calls/${queued.call_id}/export?text=clear`);
    expect(parsed(answer)).toMatchObject({ call: { status: "queued" }, analysis: { status: "queued", transcript: null } });
    expect((await ask(gateway, `/api/v1/calls/${queued.call_id}/export?format=text`)).status).toBe(200);
    expect(audioFiles(gateway).length).toBeGreaterThan(0);
  });
});
