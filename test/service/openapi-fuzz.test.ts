/** Requests made from our own OpenAPI page: whatever comes, no 5xx, and no answer the page does not declare. */
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type GeneratedRequest, type OpenApiDocument, requestsOf } from "../support/openapi-requests.js";
import { shortClip } from "../support/sample-audio.js";
import { startGateway, type TestGateway, uploadForm } from "../support/start-gateway.js";
import { until } from "../support/until.js";

const REQUESTS = 800;
const SEED = 20_261_122;
const ajv = new Ajv2020({ strict: false, validateFormats: false });

let gateway: TestGateway;
let ids: readonly string[];

beforeAll(async () => {
  gateway = await startGateway({ REQUESTS_PER_SECOND: "100000", REQUEST_BURST: "1000000", LOG_LEVEL: "silent" });
  const { task_id, call_id } = await gateway.json<{ task_id: string; call_id: string }>("agent", "/audio/process", {
    method: "POST",
    body: uploadForm(shortClip("child-labour", 2)),
  });
  await until(
    "the call is analysed",
    async () => (await gateway.json<{ status: string }>("agent", `/audio/task/${task_id}`)).status === "completed",
    60_000,
    50,
  );
  ids = [task_id, call_id, "01a20437-e50b-7001-8a96-7607207566bf"];
});

afterAll(() => gateway.stop());

/** What is wrong with the answer; undefined when nothing is. */
async function faultOf(generated: GeneratedRequest): Promise<string | undefined> {
  const { method, path, headers, body, operation } = generated;
  // Long waits and long streams are of no interest here; everything else is sent as it was made.
  const url = path.replace(/([?&]wait=)\d+/, "$11");
  const response = await gateway.request("admin", url, { method, headers, signal: AbortSignal.timeout(30_000), ...(body === undefined ? {} : { body }) });
  const { status } = response;
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
  if (isStream) await response.body?.cancel();
  const content = isStream ? "" : await response.text();
  const declared = operation.responses[String(status)] ?? operation.responses[`${String(status)[0]}XX`];
  const place = `${method} ${url} -> ${status}`;
  if (status >= 500) return `${place}: ${content}`;
  if (declared === undefined) return `${place}: not declared`;
  const type = response.headers.get("content-type")?.split(";")[0] ?? "";
  if (!type.endsWith("json") || type === "application/x-ndjson") return undefined;
  const [schema] = Object.values(declared.content ?? {}).map((one) => one.schema);
  if (schema === undefined) return `${place}: a body where none is declared`;
  const validate = ajv.compile(schema);
  return validate(JSON.parse(content)) ? undefined : `${place}: ${ajv.errorsText(validate.errors)} in ${content.slice(0, 300)}`;
}

describe("the API", () => {
  it(`gives declared answers to ${REQUESTS} requests made from its own page`, { timeout: 240_000 }, async () => {
    const document = (await (await gateway.request(null, "/openapi.json")).json()) as OpenApiDocument;
    const requests = fc.sample(requestsOf(document, { ids }), { numRuns: REQUESTS, seed: SEED });
    const faults: string[] = [];
    const deleting = (request: GeneratedRequest): boolean => request.method === "DELETE" && request.template === "/api/v1/calls/{id}";
    // The one call that exists is deleted last, so that the others have something to find.
    for (const request of [...requests.filter((one) => !deleting(one)), ...requests.filter(deleting)]) {
      const fault = await faultOf(request);
      if (fault !== undefined) faults.push(fault);
    }
    expect(faults).toEqual([]);
    expect(new Set(requests.map(({ method, template }) => `${method} ${template}`)).size).toBe(countOperations(document));
    expect((await gateway.request(null, "/health/ready")).status).toBe(200);
  });
});

function countOperations(document: OpenApiDocument): number {
  return Object.values(document.paths).reduce((sum, methods) => sum + Object.keys(methods).length, 0);
}
