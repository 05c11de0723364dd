/** The sound of a call, whole or in ranges, for playing and for taking away. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { CallAudio, CallAudioFile } from "../../../calls/call-audio.js";
import { AppError } from "../../../core/errors.js";
import { callParametersSchema } from "../../../protocol/http/call-schema.js";
import { PROBLEM_RESPONSES } from "../../../protocol/http/problem-schema.js";
import { parseByteRange } from "../../byte-range.js";
import { authorizedRequest } from "../../plugins/access.js";

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  wav: "audio/wav",
  flac: "audio/flac",
  mp3: "audio/mpeg",
  ogg: "audio/ogg",
  mp4: "audio/mp4",
  webm: "audio/webm",
  amr: "audio/amr",
  aac: "audio/aac",
};

export function audioRoute(app: FastifyInstance, callAudio: CallAudio): void {
  app.withTypeProvider<ZodTypeProvider>().get(
    "/api/v1/calls/:id/audio",
    {
      config: { permission: "transcript:read" },
      compress: false,
      schema: {
        tags: ["calls"],
        summary: "The recording, whole or a range of it",
        description: "format=opus: Ogg Opus for playing in a browser, made on first use. format=original: the bytes that came in. One range at a time.",
        params: callParametersSchema,
        querystring: z.object({ format: z.enum(["opus", "original"]).default("opus") }),
        response: {
          200: z.string().meta({ contentMediaType: "audio/*", format: "binary" }),
          206: z.string().meta({ contentMediaType: "audio/*", format: "binary" }),
          304: z.null(),
          ...PROBLEM_RESPONSES,
        },
      },
    },
    async (request, reply) => {
      const kind = request.query.format === "original" ? "original" : "playback";
      const file = await callAudio.open(authorizedRequest(request, "transcript:read"), request.params.id, kind);
      return sendAudio(request, reply, file, kind === "original");
    },
  );
}

/** @see RFC 9110 section 13.1.2: a list of tags, compared weakly, or any. */
function isMatched(ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = ifNoneMatch?.split(",").map((tag) => tag.trim().replace(/^W\//, "")) ?? [];
  return tags.includes(etag) || tags.includes("*");
}

async function sendAudio(request: FastifyRequest, reply: FastifyReply, file: CallAudioFile, isDownload: boolean): Promise<FastifyReply> {
  const etag = `"${file.recordingId}"`;
  reply.header("accept-ranges", "bytes").header("etag", etag).header("cache-control", "private, no-cache");
  if (isMatched(request.headers["if-none-match"], etag)) return reply.code(304).send();
  const ifRange = request.headers["if-range"];
  const range = ifRange === undefined || ifRange === etag ? parseByteRange(request.headers.range, file.byteCount) : undefined;
  if (range === "unsatisfiable") {
    reply.header("content-range", `bytes */${file.byteCount}`);
    throw new AppError("GATEWAY_RANGE_NOT_SATISFIABLE", "The recording has no bytes in this range.", { details: { byteCount: file.byteCount } });
  }
  reply.type(MEDIA_TYPES[file.container] ?? "application/octet-stream");
  if (isDownload) reply.header("content-disposition", `attachment; filename="recording.${file.container}"`);
  if (range === undefined) return reply.header("content-length", file.byteCount).send(await file.read());
  reply
    .code(206)
    .header("content-range", `bytes ${range.start}-${range.end - 1}/${file.byteCount}`)
    .header("content-length", range.end - range.start);
  return reply.send(await file.read(range));
}
