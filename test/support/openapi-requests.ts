/**
 * Requests made from an OpenAPI document: for each operation, parameters and bodies that keep its schemas, that break
 * them, or that only look right. Deterministic for a seed of fast-check.
 */
import fc from "fast-check";

export interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
}

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly schema: JsonSchema;
}

export interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>> }>>;
}

export interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

export interface GeneratedRequest {
  readonly method: string;
  /** As the document has it, with its placeholders. */
  readonly template: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | FormData | undefined;
  readonly operation: Operation;
}

/** Ids of things that exist, so that not every request ends at "not found". */
export interface KnownIds {
  readonly ids: readonly string[];
}

const ANY_TEXT = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.constantFrom("", " ", "\u0000", "../../etc/passwd", "%00", "'; drop table call; --", "null", "💥".repeat(20), "-1"),
);

/** A value that keeps the schema, mostly: patterns and refinements are not read. */
export function keepingValue(schema: JsonSchema): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map(keepingValue));
  switch (schema.type) {
    case "object":
      return fc.record(Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, keepingValue(inner)])), {
        requiredKeys: [...(schema.required ?? [])],
      });
    case "array":
      return fc.array(keepingValue(schema.items ?? {}), { maxLength: 4 });
    case "integer":
      return fc.integer({ min: Math.max(schema.minimum ?? -10, -1_000), max: Math.min(schema.maximum ?? 1_000, 1_000_000) });
    case "number":
      return fc.double({ min: schema.minimum ?? -10, max: schema.maximum ?? 1_000, noNaN: true });
    case "boolean":
      return fc.boolean();
    case "string":
      return textOf(schema);
    default:
      return fc.jsonValue();
  }
}

function textOf({ format, pattern, minLength = 0, maxLength = 60 }: JsonSchema): fc.Arbitrary<string> {
  if (format === "date-time") return fc.date({ noInvalidDate: true, min: new Date(0), max: new Date("2100-01-01") }).map((date) => date.toISOString());
  if (format === "uuid") return fc.uuid();
  const plain = fc.string({ unit: "grapheme-ascii", minLength, maxLength: Math.min(maxLength, 60) });
  const words = fc.constantFrom("sw", "en", "auto", "Mtoto anapigwa nyumbani.", "Caller: my uncle beats me\nCounsellor: pole sana", "😀 Zuhura, 13");
  if (pattern !== undefined && /\\d/.test(pattern)) return fc.nat(99).map(String);
  return fc.oneof(words, plain);
}

/** One that breaks it, or not: any JSON at all, or the right object with one wrong part. */
function breakingValue(schema: JsonSchema): fc.Arbitrary<unknown> {
  const names = Object.keys(schema.properties ?? {});
  const withWrongPart = fc.tuple(keepingValue(schema), fc.constantFrom(...(names.length === 0 ? ["x"] : names)), fc.jsonValue());
  return fc.oneof(
    fc.jsonValue(),
    withWrongPart.map(([value, name, wrong]) => ({ ...(typeof value === "object" ? value : {}), [name]: wrong })),
  );
}

/** Requests of every operation of the document, each as likely as the others. */
export function requestsOf(document: OpenApiDocument, known: KnownIds): fc.Arbitrary<GeneratedRequest> {
  const operations = Object.entries(document.paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ template, method, operation })),
  );
  return fc.constantFrom(...operations).chain(({ template, method, operation }) => {
    const parameters = operation.parameters ?? [];
    const values = fc.tuple(...parameters.map((parameter) => parameterValue(parameter, known)));
    return fc.tuple(values, bodyOf(operation, known)).map(([given, { body, contentType }]) => {
      const of = (place: string) =>
        parameters.flatMap((parameter, index) =>
          parameter.in === place && given[index] !== undefined ? [[parameter.name, String(given[index])] as const] : [],
        );
      const path = of("path").reduce((text, [name, value]) => text.replace(`{${name}}`, encodeURIComponent(value) || "%20"), template);
      const query = new URLSearchParams(Object.fromEntries(of("query"))).toString();
      const headers = Object.fromEntries(of("header").map(([name, value]) => [name, value.replaceAll(/[^\x20-\x7e]/g, "?")]));
      return {
        ...{ method: method.toUpperCase(), template, operation, body },
        path: query === "" ? path : `${path}?${query}`,
        headers: contentType === undefined ? headers : { ...headers, "content-type": contentType },
      };
    });
  });
}

function parameterValue({ in: place, name, required, schema }: Parameter, { ids }: KnownIds): fc.Arbitrary<unknown> {
  const right = place === "path" || name.endsWith("_id") ? fc.constantFrom(...ids) : keepingValue(schema);
  const wrong = place === "path" ? ANY_TEXT.filter((text) => text !== "" && text !== "." && text !== "..") : ANY_TEXT;
  const either = fc.oneof({ weight: 3, arbitrary: right }, { weight: 1, arbitrary: wrong });
  return required === true ? either : fc.option(either, { nil: undefined });
}

interface GeneratedBody {
  readonly body: string | FormData | undefined;
  readonly contentType: string | undefined;
}

function bodyOf({ requestBody }: Operation, known: KnownIds): fc.Arbitrary<GeneratedBody> {
  const [[contentType, content] = []] = Object.entries(requestBody?.content ?? {});
  if (content === undefined || contentType === undefined) return fc.constant({ body: undefined, contentType: undefined });
  if (contentType === "multipart/form-data") return formOf(content.schema);
  const schema = withKnownIds(content.schema, known);
  return fc.oneof(
    { weight: 3, arbitrary: keepingValue(schema).map((value) => ({ body: JSON.stringify(value), contentType: "application/json" })) },
    { weight: 2, arbitrary: breakingValue(schema).map((value) => ({ body: JSON.stringify(value), contentType: "application/json" })) },
    { weight: 1, arbitrary: ANY_TEXT.map((body) => ({ body, contentType: "application/json" })) },
    { weight: 1, arbitrary: ANY_TEXT.map((body) => ({ body, contentType: "text/plain" })) },
  );
}

function withKnownIds(schema: JsonSchema, { ids }: KnownIds): JsonSchema {
  const properties = Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, name.endsWith("_id") ? { enum: ids } : inner] as const);
  return schema.properties === undefined ? schema : { ...schema, properties: Object.fromEntries(properties) };
}

const MAGIC = ["", "RIFF\u0024\u0000\u0000\u0000WAVEfmt ", "fLaC", "OggS", "ID3", "#!AMR\n", "text of no audio at all"];

function formOf(schema: JsonSchema): fc.Arbitrary<GeneratedBody> {
  const file = fc
    .tuple(fc.constantFrom(...MAGIC), fc.uint8Array({ maxLength: 200 }))
    .map(([magic, rest]) => new Blob([Buffer.from(magic, "latin1"), new Uint8Array(rest)]));
  const fields = fc.tuple(
    ...Object.entries(schema.properties ?? {}).map(([name, inner]) => {
      const isFile = inner.format === "binary" || inner.items?.format === "binary";
      const value: fc.Arbitrary<unknown> = isFile ? file : fc.oneof({ weight: 3, arbitrary: keepingValue(inner) }, { weight: 1, arbitrary: ANY_TEXT });
      return fc.option(
        value.map((one) => [name, one] as const),
        { nil: undefined, freq: isFile ? 8 : 2 },
      );
    }),
  );
  return fields.map((given) => {
    const body = new FormData();
    for (const entry of given) {
      if (entry === undefined) continue;
      const [name, value] = entry;
      if (value instanceof Blob) body.append(name, value, "recording");
      else body.append(name, String(value));
    }
    return { body, contentType: undefined };
  });
}
