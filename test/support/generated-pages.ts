/** The pages that follow from the code, by path. Used to write them and to check what is committed. */
import { z } from "zod";
import { openapiDocument } from "../../src/app/openapi-document.js";
import { SETTINGS } from "../../src/config/settings.js";
import { CALL_EVENT_TYPES } from "../../src/core/call-event.js";
import { ERROR_CATALOGUE, type ErrorCode } from "../../src/core/error-catalogue.js";
import { ERROR_STATUS } from "../../src/gateway/error-status.js";
import { createMetrics } from "../../src/observability/metrics.js";
import { CALL_EVENTS } from "../../src/protocol/call-events.js";
import { AUDIT_ACTIONS } from "../../src/security/audit-record.js";

const NOTE = "<!-- Made by `npm run docs:generate`; change the code, not this page. -->";

export async function generatedPages(): Promise<Readonly<Record<string, string>>> {
  return {
    "docs/config.md": configPage(),
    "docs/errors.md": errorsPage(),
    "docs/metrics.md": await metricsPage(),
    "docs/events.md": eventsPage(),
    "docs/openapi.json": `${JSON.stringify(await openapiDocument(), null, 2)}\n`,
  };
}

function configPage(): string {
  const rows = Object.entries(SETTINGS).map(
    ([variable, { defaultText, rule, purpose }]) => `| \`${variable}\` | ${defaultText === undefined ? "" : `\`${defaultText}\``} | ${rule} | ${purpose} |`,
  );
  return `# Settings

${NOTE}

Each can be an environment variable or a key of the JSON file given with \`--config\`; a command line option wins over
the environment, the environment over the file. \`serve\` needs none of them. A setting that breaks its rule stops the
start; all faults are told at once, by name and rule, never by value.

| setting | default | rule | what for |
|---|---|---|---|
${rows.join("\n")}
`;
}

function errorsPage(): string {
  const rows = (Object.keys(ERROR_CATALOGUE) as ErrorCode[]).map((code) => {
    const { meaning, remedy } = ERROR_CATALOGUE[code];
    return `| \`${code}\` | ${ERROR_STATUS[code]} | ${meaning} | ${remedy} |`;
  });
  return `# Error codes

${NOTE}

Over HTTP an error is an RFC 9457 problem document (\`application/problem+json\`) with \`code\`; on the command line it is
one line on stderr that ends with the code. Codes are stable; a retired one stays on this page and is never used again.

| code | HTTP status | meaning | what to do |
|---|---|---|---|
${rows.join("\n")}
`;
}

async function metricsPage(): Promise<string> {
  const ours = (await createMetrics().names()).filter(({ name }) => name.startsWith("helpline_"));
  const rows = ours.map(({ name, type, help }) => `| \`${name}\` | ${type} | ${help} |`);
  return `# Metrics

${NOTE}

\`GET /metrics\` in the Prometheus text format, for keys with the permission \`metrics:read\` (roles admin and service).
Labels come from closed sets and never hold an id, a number or text of a call. Node's own process and event-loop metrics
(\`process_*\`, \`nodejs_*\`) are there as well.

| metric | type | what it counts |
|---|---|---|
${rows.join("\n")}
`;
}

function payloadRows(payload: z.ZodObject): string {
  const { properties = {}, required = [] } = z.toJSONSchema(payload, { io: "output" });
  return Object.entries(properties)
    .map(([name, property]) => {
      const { type, enum: values, description } = property as { type?: string; enum?: readonly string[]; description?: string };
      const kind = values?.join(", ") ?? type ?? "object";
      return `| \`${name}\`${required.includes(name) ? "" : " (optional)"} | ${kind}${description === undefined ? "" : `; ${description}`} |`;
    })
    .join("\n");
}

function eventsPage(): string {
  const types = CALL_EVENT_TYPES.map((type) => {
    const { meaning, payload } = CALL_EVENTS[type];
    return `### \`${type}\`\n\n${meaning}\n\n| field | |\n|---|---|\n${payloadRows(payload)}\n`;
  });
  return `# Events

${NOTE}

## Events of a call

What happens on a call, as it happens: \`GET /audio/task/{id}/events\` and \`POST /audio/process-stream\` send them as
server-sent events. Each is \`{seq, type, call_id, at, payload}\`; \`seq\` counts the events of the call from 1 with no
gap and is the id of the server-sent event, so \`Last-Event-ID\` (or \`?after=\`) goes on where a connection was lost. A
comment is sent when there was nothing for \`EVENT_HEARTBEAT_MS\`. Shapes of results are those of the analysis
(\`GET /audio/task/{id}\`, see [openapi.json](openapi.json)). Roles without \`transcript:read\` get every text withheld.

${types.join("\n")}
## Audit actions

Every read and change of call data and every administrative act appends one record to the audit log; a read of a
transcript is refused when the record can't be written. \`openchs-ai audit verify\` checks the chain.

${AUDIT_ACTIONS.map((action) => `- \`${action}\``).join("\n")}
`;
}
