/**
 * The container's health check: exit 0 when the process in this container is ready, 1 when it is not. The image has no
 * curl. It asks over loopback, so whose name a certificate bears does not matter.
 *
 * Use: node health-check.mjs [/health/live]
 */
import { get as getPlain } from "node:http";
import { get as getTls } from "node:https";

const TIMEOUT_MS = 4_000;
const isTls = (process.env.TLS_CERT_FILE ?? "") !== "";
const path = process.argv[2] ?? "/health/ready";
const get = isTls ? getTls : getPlain;

const request = get({ host: "127.0.0.1", port: Number(process.env.PORT || 8125), path, timeout: TIMEOUT_MS, rejectUnauthorized: false }, (response) => {
  response.resume();
  process.exit(response.statusCode === 200 ? 0 : 1);
});
request.on("timeout", () => request.destroy(new Error("timeout")));
request.on("error", () => process.exit(1));
