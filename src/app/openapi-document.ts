/** The OpenAPI document without a running service: the gateway is built over use cases that are never called. */

import { silentLogger } from "../core/log.js";
import { createGateway, type GatewayOptions } from "../gateway/gateway.js";
import { createMetrics } from "../observability/metrics.js";
import { createMediaRoutes, type MediaRoutesOptions } from "../telephony/media/media-routes.js";
import { packageVersion } from "./lifecycle.js";

/** @returns the OpenAPI 3.1 document as JSON data. */
export async function openapiDocument(): Promise<object> {
  const metrics = createMetrics();
  const uncalled = new Proxy({}, { get: () => () => Promise.reject(new Error("not a running service")) });
  const status = { version: await packageVersion(), isAccepting: () => false } as unknown as GatewayOptions["operations"]["status"];
  const gateway = await createGateway({
    access: { authenticator: uncalled, audit: uncalled, metrics, limits: uncalled, tickets: uncalled } as GatewayOptions["access"],
    uploads: { uploadsAtOnce: 1, uploadIdleTimeoutMs: 1 },
    events: { heartbeatMs: 1, slowReaderMs: 1, streamsAtOnce: 1 },
    recordings: {
      ...{ intake: uncalled, batches: uncalled, tasks: uncalled, eventLog: uncalled },
      ...{ maxBytes: 1, maxBatchFiles: 1, speechEngine: "auto" },
    } as GatewayOptions["recordings"],
    live: { liveCalls: uncalled, feed: uncalled, risks: uncalled, progressive: uncalled, reanalysis: uncalled, defaultMode: "both" } as GatewayOptions["live"],
    webhooks: { webhooks: uncalled } as GatewayOptions["webhooks"],
    models: { modelTasks: uncalled, maxBytes: 1, speechEngine: "auto", translationTarget: "en" } as GatewayOptions["models"],
    calls: { history: uncalled, callAudio: uncalled, feedback: uncalled } as GatewayOptions["calls"],
    operations: { status, queue: uncalled, metrics } as GatewayOptions["operations"],
    media: createMediaRoutes({ liveCalls: uncalled, metrics, idleTimeoutMs: 1, maxPace: 1 } as MediaRoutesOptions),
    logger: silentLogger,
  });
  await gateway.ready();
  const document = gateway.swagger();
  await gateway.close();
  return document;
}
