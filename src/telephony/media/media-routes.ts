/** `WS /media/{call_id}` on the gateway's port: audio in, with the gateway's credentials and TLS. */
import "@fastify/websocket";
import type { FastifyPluginAsync } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { WebSocket } from "ws";
import { z } from "zod";
import type { LiveCalls } from "../../calls/live/live-calls.js";
import { AppError } from "../../core/errors.js";
import { CALL_ID_PATTERN } from "../../core/ids.js";
import { PROBLEM_RESPONSES } from "../../protocol/http/problem-schema.js";
import { STREAM_ENCODINGS } from "../pcm-bytes.js";
import { MediaConnection, type MediaConnectionOptions } from "./media-connection.js";

export interface MediaRoutesOptions extends Pick<MediaConnectionOptions, "metrics" | "idleTimeoutMs" | "maxPace"> {
  readonly liveCalls: MediaConnectionOptions["liveCalls"] & Pick<LiveCalls, "runningCallIds">;
  /** False: of calls that run only. */
  readonly isAccepting: () => boolean;
}

const tags = ["live calls"];
const config = { permission: "recording:create" as const, allowsBasic: true };
const callIdSchema = z.string().regex(CALL_ID_PATTERN);
const paramsSchema = z.object({ callId: callIdSchema });
const querySchema = z.object({
  channel: z.enum(["caller", "agent"]).optional().describe("who is heard; absent: a call of one channel, or as the frames say"),
  format: z.enum(STREAM_ENCODINGS).default("slin").describe("until a first text frame says something else"),
  rate: z.coerce.number().int().min(8_000).max(192_000).default(16_000),
  channels: z.coerce
    .number()
    .pipe(z.union([z.literal(1), z.literal(2)]))
    .default(1)
    .describe("2: interleaved, the caller left"),
});

const namedQuerySchema = querySchema.extend({ call_id: callIdSchema });
const response = { 101: z.null(), ...PROBLEM_RESPONSES };

function refusePlainRequest(): never {
  throw new AppError("TELEPHONY_UPGRADE_REQUIRED", "Audio comes over a WebSocket: connect with an Upgrade to websocket.");
}

/** Speaks Asterisk's chan_websocket, jambonz `listen`, FreeSWITCH's audio streams, and JSON streams of Twilio's kind. */
export function createMediaRoutes(options: MediaRoutesOptions): FastifyPluginAsync {
  const serve = (socket: WebSocket, callId: string, { channel, format, rate, channels }: z.infer<typeof querySchema>): void => {
    const declared = { encoding: format, sampleRateHz: rate, channelCount: channels };
    new MediaConnection(socket, { ...options, callId: callId.toLowerCase(), track: channel, format: declared });
  };
  return async (app) => {
    app.addHook("preValidation", async (request) => {
      const { callId = (request.query as { call_id?: string }).call_id } = request.params as { callId?: string };
      if (options.isAccepting() || options.liveCalls.runningCallIds().includes(callId?.toLowerCase() ?? "")) return;
      throw new AppError("TELEPHONY_STOPPING", "This process is stopping and takes no new calls; connect again, to another.", { retryable: true });
    });
    const routes = app.withTypeProvider<ZodTypeProvider>();
    routes.route({
      method: "GET",
      url: "/media/:callId",
      config,
      schema: {
        ...{ tags, summary: "Audio of a live call, over WebSocket", params: paramsSchema, querystring: querySchema },
        description:
          "Binary frames are samples; text frames are control. Basic credentials with an API key as password are taken too, for exchanges that know nothing else.",
        response,
      },
      handler: refusePlainRequest,
      wsHandler: (socket, request) => serve(socket, (request.params as z.infer<typeof paramsSchema>).callId, request.query as z.infer<typeof querySchema>),
    });
    routes.route({
      method: "GET",
      url: "/media",
      config,
      schema: { tags, summary: "The same with the call's id in the query, for exchanges whose path is fixed", querystring: namedQuerySchema, response },
      handler: refusePlainRequest,
      wsHandler: (socket, request) => {
        const { call_id, ...query } = request.query as z.infer<typeof namedQuerySchema>;
        serve(socket, call_id, query);
      },
    });
  };
}
