/** One of the two servers of the gateway benchmark. */
import Fastify from "fastify";
import { startService } from "../dist/app/lifecycle.js";
import { loadConfig } from "../dist/config/load-config.js";
import { silentLogger } from "../dist/core/log.js";

const [kind, directory] = process.argv.slice(2);
let stop;
if (kind === "bare") {
  const app = Fastify();
  app.get("/health/live", () => ({ status: "ok" }));
  process.send(await app.listen({ host: "127.0.0.1", port: 0 }));
  stop = () => app.close();
} else {
  const service = await startService(loadConfig({ argv: { DATA_DIR: directory, PORT: "0", STREAM_PORT: "0" } }), silentLogger);
  process.send(service.url);
  stop = () => service.stop();
}
process.once("SIGTERM", () => stop().then(() => process.exit(0)));
