/** The pages that follow from the code, by path. Used to write them and to check what is committed. */
import { openapiDocument } from "../../src/app/openapi-document.js";
import { SETTINGS } from "../../src/config/config-schema.js";
import { ERROR_CATALOGUE, type ErrorCode } from "../../src/core/error-catalogue.js";
import { ERROR_STATUS } from "../../src/gateway/error-status.js";
import { createMetrics } from "../../src/observability/metrics.js";
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

function eventsPage(): string {
  return `# Events

${NOTE}

## Audit actions

Every read and change of call data and every administrative act appends one record to the audit log; a read of a
transcript is refused when the record can't be written. \`openchs-ai audit verify\` checks the chain.

${AUDIT_ACTIONS.map((action) => `- \`${action}\``).join("\n")}
`;
}
