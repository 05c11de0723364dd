/** Deleting calls, the receipts of it, and legal hold against it. */
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { CallHistory } from "../../../calls/call-history.js";
import { callParametersSchema, callSchema, toWireCall } from "../../../protocol/http/call-schema.js";
import {
  deletionReceiptSchema,
  legalHoldSchema,
  receiptListQuerySchema,
  receiptPageSchema,
  receiptParametersSchema,
  storedReceiptSchema,
  toWireReceipt,
  toWireStoredReceipt,
} from "../../../protocol/http/deletion-schema.js";
import { PROBLEM_RESPONSES } from "../../../protocol/http/problem-schema.js";
import { decodeCursor, encodeCursor } from "../../cursor.js";
import { authorizedRequest } from "../../plugins/access.js";

const tags = ["calls"];
const config = { permission: "call:delete" as const };
const params = callParametersSchema;

export function deletionRoutes(app: FastifyInstance, history: CallHistory): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  routes.delete(
    "/api/v1/calls/:id",
    {
      config,
      schema: { tags, summary: "Delete a call, its recordings, analyses and keys", params, response: { 200: deletionReceiptSchema, ...PROBLEM_RESPONSES } },
    },
    async (request) => toWireReceipt(await history.delete(authorizedRequest(request, "call:delete"), request.params.id)),
  );
  routes.put(
    "/api/v1/calls/:id/legal-hold",
    {
      config: { permission: "call:hold" },
      schema: {
        ...{ tags, params, summary: "Keep a call from deletion and retention, or release it" },
        ...{ body: legalHoldSchema, response: { 200: callSchema, ...PROBLEM_RESPONSES } },
      },
    },
    async (request) => toWireCall(await history.hold(authorizedRequest(request, "call:hold"), request.params.id, request.body.legal_hold)),
  );
  receiptRoutes(app, history);
}

function receiptRoutes(app: FastifyInstance, history: CallHistory): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  routes.get(
    "/api/v1/deletions",
    {
      config,
      schema: {
        ...{ tags, summary: "Receipts of what was deleted, newest first" },
        ...{ querystring: receiptListQuerySchema, response: { 200: receiptPageSchema, ...PROBLEM_RESPONSES } },
      },
    },
    async (request) => {
      const { call_id: callId, cursor, limit } = request.query;
      const { receipts, nextId } = await history.receipts(authorizedRequest(request, "call:delete"), {
        ...(callId === undefined ? {} : { callId }),
        ...(cursor === undefined ? {} : { afterId: decodeCursor(cursor, z.tuple([z.string()]))[0] }),
        limit,
      });
      return { items: receipts.map(toWireStoredReceipt), next_cursor: nextId === undefined ? null : encodeCursor([nextId]) };
    },
  );
  routes.get(
    "/api/v1/deletions/:receipt_id",
    {
      config,
      schema: {
        ...{ tags, summary: "One receipt of a deletion" },
        ...{ params: receiptParametersSchema, response: { 200: storedReceiptSchema, ...PROBLEM_RESPONSES } },
      },
    },
    async (request) => toWireStoredReceipt(await history.receipt(authorizedRequest(request, "call:delete"), request.params.receipt_id)),
  );
}
