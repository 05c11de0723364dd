/** Why a request was refused: the gateway's problem document, or one of ours when no answer came. */

export interface Problem {
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  readonly code: string;
  /** The gateway's words, in English; empty when it said nothing. */
  readonly detail: string;
  /** Labels the gateway would have taken, when it refused one. */
  readonly labels: readonly string[];
}

export const NO_ANSWER: Problem = { status: 0, code: "NO_ANSWER", detail: "", labels: [] };

/** Reads the body of a refusal; anything that is not a problem document leaves its status. */
export function toProblem(status: number, body: unknown): Problem {
  const fields = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  const { code, detail, details } = fields;
  const listed = typeof details === "object" && details !== null ? (details as Record<string, unknown>)["labels"] : undefined;
  return {
    status,
    code: typeof code === "string" ? code : "UNKNOWN",
    detail: typeof detail === "string" ? detail : "",
    labels: Array.isArray(listed) ? listed.filter((label) => typeof label === "string") : [],
  };
}
