/** The rules of `deploy/nftables` in the real nft: between two networks of the test's own, with connections that come through or do not. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DEPLOY } from "../support/deployment-files.js";
import { inNamespace } from "../support/own-namespace.js";
import { isMissing } from "../support/requirements.js";

const RULES = join(DEPLOY, "nftables/openchs-ai.nft");
const PORTS = [8301, 8302, 8125, 5432, 6379, 443, 22];
const [SERVICE, VISITOR] = ["10.9.0.1", "10.9.0.2"];

/** Listens on every port, and says so. */
const LISTENER = `
  const { createServer } = require("node:net");
  let left = ${PORTS.length};
  for (const port of ${JSON.stringify(PORTS)}) createServer((socket) => socket.end()).listen(port, "0.0.0.0", () => --left === 0 && console.log("listening"));`;
/** Prints which ports it gets to. A packet that is dropped is never answered: half a second is long on a cable of no length. */
const CLIENT = `
  const { connect } = require("node:net");
  const reaches = (port) => new Promise((resolve) => {
    const socket = connect({ port, host: "${SERVICE}", timeout: 500 });
    const end = (isReached) => (socket.destroy(), resolve(isReached ? [port] : []));
    socket.on("connect", () => end(true)).on("timeout", () => end(false)).on("error", () => end(false));
  });
  Promise.all(${JSON.stringify(PORTS)}.map(reaches)).then((reached) => console.log(JSON.stringify(reached.flat())));`;

/** In a network of its own; a second one lies inside, at the other end of a cable. */
const SCRIPT = `
  set -e
  nft -f "$RULES"
  nft -f "$RULES"
  unshare -n sleep 30 &
  VISITOR_PID=$!
  trap 'kill $VISITOR_PID $LISTENER_PID 2>/dev/null' EXIT
  while [ "$(readlink /proc/$VISITOR_PID/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do :; done
  ip link add outer type veth peer name inner netns $VISITOR_PID
  ip addr add ${SERVICE}/24 dev outer
  ip link set outer up
  ip link set lo up
  nsenter -t $VISITOR_PID -n ip addr add ${VISITOR}/24 dev inner
  nsenter -t $VISITOR_PID -n ip link set inner up
  coproc LISTENER { exec "$NODE" -e "$LISTENER_CODE"; }
  read -r said <&"\${LISTENER[0]}"
  from_visitor() { nsenter -t $VISITOR_PID -n "$NODE" -e "$CLIENT_CODE"; }
  from_visitor
  nft add element inet openchs_ai exchanges "{ ${VISITOR} }"
  from_visitor
  nft add element inet openchs_ai processes "{ ${VISITOR} }"
  from_visitor
`;

function inNetworkOfItsOwn(script: string): string {
  const env = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin`, RULES, NODE: process.execPath, LISTENER_CODE: LISTENER, CLIENT_CODE: CLIENT };
  const [program, ...words] = inNamespace("net");
  return execFileSync(program, [...words, "bash", "-c", script], { encoding: "utf8", env, stdio: "pipe" });
}

describe.skipIf(isMissing("nft", "iproute2", "unshare"))("the firewall", () => {
  it("is rules that nft takes, more than once, and checks without changing anything", () => {
    expect(inNetworkOfItsOwn('nft -c -f "$RULES"; nft list ruleset')).toBe("");
    expect(inNetworkOfItsOwn('nft -f "$RULES"; nft -f "$RULES"; nft list ruleset').match(/table inet openchs_ai/g)).toHaveLength(1);
  });

  it("lets strangers reach NGINX alone, an exchange the live ports, a process of the helpline the rest, and SSH whoever may", () => {
    const [stranger, exchange, both] = inNetworkOfItsOwn(SCRIPT)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as number[]);
    expect(stranger).toEqual([443, 22]);
    expect(exchange).toEqual([8301, 8302, 443, 22]);
    expect(both).toEqual(PORTS);
  });
});
