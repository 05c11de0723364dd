/** The service under test of the live benchmark, in a process of its own. */
import { startService } from "../dist/app/lifecycle.js";
import { loadConfig } from "../dist/config/load-config.js";
import { silentLogger } from "../dist/core/log.js";

const settings = JSON.parse(process.argv[2]);
// With `BENCH_ENGINE=installed` the service's own model processes; otherwise a scripted recognizer.
const scripted = { inferenceEntry: { url: new URL("live-recognizer.mjs", import.meta.url), execArgv: [] } };
const parts = process.env.BENCH_ENGINE === "installed" ? {} : scripted;
const service = await startService(loadConfig({ argv: settings }), silentLogger, parts);
process.send({ url: service.url, streamPort: Number(service.streamAddress.split(":").at(-1)), adminKeyPath: service.adminKeyPath });
