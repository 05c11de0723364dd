/** A server with OpenAI's `/chat/completions`, which answers what a test tells it to. */
import { type ScriptedAnswer, type ScriptedServer, startScriptedServer } from "./scripted-server.js";

export interface ChatRequest {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: {
    readonly model: string;
    readonly temperature: number;
    readonly messages: readonly { readonly role: string; readonly content: string }[];
    readonly response_format: { readonly type: string; readonly json_schema: { readonly name: string; readonly strict: boolean; readonly schema: unknown } };
  };
}

export type ChatServer = ScriptedServer<ChatRequest>;

export function startChatServer(...answers: ScriptedAnswer[]): Promise<ChatServer> {
  return startScriptedServer(
    (request, body): ChatRequest => ({ path: request.url ?? "", authorization: request.headers.authorization, body: JSON.parse(body.toString("utf8")) }),
    answers,
  );
}

/** @param content - what the model writes: JSON is made of all but strings */
export function chatAnswer(content: unknown, finishReason = "stop"): ScriptedAnswer {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  return { body: { choices: [{ index: 0, finish_reason: finishReason, message: { role: "assistant", content: text } }] } };
}
