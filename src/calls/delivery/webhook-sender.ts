/** Sends one message to the helpline's system, with its credentials; a token is fetched when there is an address for it. */
import type { Clock } from "../../core/clock.js";
import type { WebhookTarget } from "../../core/webhook.js";
import type { WebhookMessage } from "./webhook-message.js";

export interface WebhookSender {
  /** @returns false when it was not taken: no answer, or anything but a 2xx */
  send(webhookId: string, target: WebhookTarget, message: WebhookMessage): Promise<boolean>;
}

const TIMEOUT_MS = 10_000;
/** The older service takes a token's life for an hour. */
const TOKEN_LIFE_MS = 3_300_000;
const MAX_TOKEN_ANSWER_CHARACTERS = 65_536;

/** Redirects are not followed: what is sent goes where it was told to go. */
export function createWebhookSender(clock: Clock): WebhookSender {
  const tokens = new Map<string, { readonly token: string; readonly untilMs: number }>();
  const authorizationOf = async (webhookId: string, { authorization, tokenUrl }: WebhookTarget): Promise<string | undefined> => {
    if (tokenUrl === undefined) return authorization;
    const known = tokens.get(webhookId);
    if (known !== undefined && known.untilMs > clock.monotonicMs()) return `Bearer ${known.token}`;
    const response = await fetch(tokenUrl, {
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: authorization === undefined ? {} : { authorization },
    });
    const token = tokenOf((await response.text()).slice(0, MAX_TOKEN_ANSWER_CHARACTERS));
    if (!response.ok || token === undefined) throw new Error("no token");
    tokens.set(webhookId, { token, untilMs: clock.monotonicMs() + TOKEN_LIFE_MS });
    return `Bearer ${token}`;
  };
  return {
    async send(webhookId, target, { body, headers }) {
      try {
        const authorization = await authorizationOf(webhookId, target);
        const response = await fetch(target.url, {
          ...{ method: "POST", redirect: "error", signal: AbortSignal.timeout(TIMEOUT_MS), body },
          headers: authorization === undefined ? headers : { ...headers, authorization },
        });
        await response.body?.cancel();
        // A token may have been withdrawn before its time.
        if (response.status === 401) tokens.delete(webhookId);
        return response.ok;
      } catch {
        return false;
      }
    },
  };
}

/** Where the helpline's system puts it: `ss[0][0]`, `access_token` or `token`. */
function tokenOf(text: string): string | undefined {
  try {
    const answer = JSON.parse(text) as { readonly ss?: readonly (readonly unknown[])[]; readonly access_token?: unknown; readonly token?: unknown };
    const token = answer.ss?.[0]?.[0] ?? answer.access_token ?? answer.token;
    return typeof token === "string" && token !== "" ? token : undefined;
  } catch {
    return undefined;
  }
}
