/** `GET /health/live` of the whole service beside a bare Fastify that answers the same, each in a process of its own. */
import { fork } from "node:child_process";
import { join } from "node:path";
import autocannon from "autocannon";
import { inDirectory, median, round } from "./measure.mjs";

const CONNECTIONS = 20;
const SECONDS = 3;
const ROUNDS = 5;

export const bench = () =>
  inDirectory(async (directory) => {
    const bare = await start("bare", directory);
    const ours = await start("ours", join(directory, "data"));
    const bareRates = [];
    const ourRates = [];
    for (let index = 0; index <= ROUNDS; index++) {
      const [bareRate, ourRate] = [await load(bare.url), await load(ours.url)];
      // The first round warms both up.
      if (index > 0) {
        bareRates.push(bareRate);
        ourRates.push(ourRate);
      }
    }
    for (const { child } of [bare, ours]) child.kill("SIGTERM");
    await Promise.all([bare.ended, ours.ended]);
    const ratio = median(ourRates.map((rate, index) => rate / bareRates[index]));
    return [
      { measure: "bare Fastify, median", value: Math.round(median(bareRates)), unit: "req/s" },
      { measure: "GET /health/live, median", value: Math.round(median(ourRates)), unit: "req/s" },
      { measure: `ratio, median of ${ROUNDS} pairs`, value: round(ratio), unit: "x", bar: ">= 0.7", isMet: ratio >= 0.7 },
    ];
  });

async function start(kind, directory) {
  const child = fork(new URL("gateway-server.mjs", import.meta.url), [kind, directory], { stdio: ["ignore", "ignore", "ignore", "ipc"] });
  const url = await new Promise((resolve, reject) => {
    child.once("message", resolve);
    child.once("exit", (code) => reject(new Error(`the ${kind} server ended with ${code}`)));
  });
  return { child, url, ended: new Promise((resolve) => child.once("exit", resolve)) };
}

async function load(url) {
  const result = await autocannon({ url: `${url}/health/live`, connections: CONNECTIONS, duration: SECONDS });
  if (result.non2xx > 0 || result.errors > 0) throw new Error("the server refused requests");
  return result.requests.average;
}
