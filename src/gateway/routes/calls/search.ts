/** Calls found by what was said in them. */
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { CallSearch } from "../../../calls/search/call-search.js";
import { callSearchSchema, foundCallsSchema, toCallFilter, toWireCall } from "../../../protocol/http/call-schema.js";
import { PROBLEM_RESPONSES } from "../../../protocol/http/problem-schema.js";
import { decodeCursor, encodeCursor } from "../../cursor.js";
import { authorizedRequest } from "../../plugins/access.js";

/** A POST: what is searched for may be a name, and addresses are kept by proxies and browsers. */
export function searchRoute(app: FastifyInstance, search: CallSearch): void {
  app.withTypeProvider<ZodTypeProvider>().post(
    "/api/v1/calls/search",
    {
      config: { permission: "call:read" as const },
      schema: {
        ...{ tags: ["calls"], summary: "Calls in which words were said, newest first" },
        description:
          "Searches and shows masked texts only, whoever asks: names and numbers are not found. Case, accents and apostrophes make no difference. " +
          "A call is found a moment after it was analysed.",
        body: callSearchSchema,
        response: { 200: foundCallsSchema, ...PROBLEM_RESPONSES },
      },
    },
    async (request) => {
      const { text, cursor, limit, ...filter } = request.body;
      const before = cursor === undefined ? {} : { beforePosition: decodeCursor(cursor, z.tuple([z.int()]))[0] };
      const page = await search.search(authorizedRequest(request, "call:read"), { text, filter: toCallFilter(filter), limit, ...before });
      return {
        items: page.found.map(({ call, passages }) => ({
          call: toWireCall(call),
          passages: passages.map((passage) => ({ start_ms: passage.startMs, text: passage.text })),
        })),
        next_cursor: page.nextPosition === undefined ? null : encodeCursor([page.nextPosition]),
      };
    },
  );
}
