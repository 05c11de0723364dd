/**
 * The files that make a process a service of systemd: the unit, shut in as far as Node allows, and the settings beside it.
 * Text only; `install-service.ts` puts them in place.
 *
 * @see systemd.exec(5), systemd.service(5)
 */
import { dirname, join } from "node:path";
import type { ComputeDevice } from "../../inference/backends/onnx/onnx-runtime.js";
import type { ProcessRole } from "../roles/process-role.js";

export interface ServiceUnitOptions {
  readonly role: ProcessRole;
  /** Absolute, of Node. */
  readonly node: string;
  /** Absolute, of our command line's entry. */
  readonly program: string;
  readonly device: ComputeDevice;
}

export interface ServiceFiles {
  /** `openchs-ai`, or `openchs-ai-worker` and its like. */
  readonly name: string;
  readonly unitPath: string;
  readonly unit: string;
  readonly environmentPath: string;
  /** Never written over: it is the operator's from then on. */
  readonly environment: string;
  /** Directories beside the state directory that the service writes to. */
  readonly writable: readonly string[];
}

export const SERVICE_USER = "openchs";
/** First line of our units: one that somebody else wrote is left alone. */
export const UNIT_MARK = "# Written by openchs-ai install-service";
const SETTINGS_DIRECTORY = "/etc/openchs-ai";
const STATE_NAME = "openchs-ai";
const RECORDINGS = "/srv/openchs/recordings";
/** So that all roles fit on one machine. */
const PORTS: Readonly<Record<ProcessRole, number>> = { serve: 8125, api: 8125, worker: 8126, stream: 8127 };
const DESCRIPTIONS: Readonly<Record<ProcessRole, string>> = {
  serve: "openchs-ai: analysis of helpline calls",
  api: "openchs-ai: uploads, history and the dashboard",
  worker: "openchs-ai: models and recordings",
  stream: "openchs-ai: live calls",
};

/** Everything that a role needs on a machine with systemd. */
export function renderServiceFiles(options: ServiceUnitOptions): ServiceFiles {
  const { role } = options;
  const name = role === "serve" ? "openchs-ai" : `openchs-ai-${role}`;
  const writable = role === "serve" ? [] : [RECORDINGS];
  const environmentPath = join(SETTINGS_DIRECTORY, `${name}.env`);
  return {
    ...{ name, writable, environmentPath },
    unitPath: join("/etc/systemd/system", `${name}.service`),
    unit: renderUnit(options, { environmentPath, writable }),
    environment: renderEnvironment(role),
  };
}

/** Ten minutes for the calls that run, as the settings file says, and a minute to store what is left. */
const DRAINED_WITHIN_S = 660;

/** Below the state directory of all roles; a process has it to itself. */
const stateOf = (role: ProcessRole): string => (role === "serve" ? STATE_NAME : `${STATE_NAME}/${role}`);

function renderUnit(
  { role, node, program, device }: ServiceUnitOptions,
  { environmentPath, writable }: Pick<ServiceFiles, "environmentPath" | "writable">,
): string {
  const command = [node, program, role, ...(role === "worker" && device === "cuda" ? ["--device", "cuda"] : [])].map(quoteWord).join(" ");
  return `${UNIT_MARK}: changes belong into a drop-in (systemctl edit).
[Unit]
Description=${DESCRIPTIONS[role]}
Wants=network-online.target
After=network-online.target postgresql.service mariadb.service redis-server.service

[Service]
Type=exec
User=${SERVICE_USER}
Group=${SERVICE_USER}
EnvironmentFile=${environmentPath}
ExecStart=${command}
WorkingDirectory=${escapePercent(dirname(dirname(dirname(program))))}
StateDirectory=${stateOf(role)}
StateDirectoryMode=0700
Restart=on-failure
RestartSec=5
# 2: a setting, a key or a port is wrong; trying again does not mend it.
RestartPreventExitStatus=2
# Its model processes are told by itself; what is left after the deadline is killed. SHUTDOWN_DEADLINE_MS is 30 s, and calls may
# go on for STREAM_DRAIN_MS before that.
KillMode=mixed
TimeoutStopSec=${role === "stream" ? DRAINED_WITHIN_S : 45}
LimitNOFILE=65536
# A core would hold what was said.
LimitCORE=0
UMask=0077
${renderHardening(device)}${writable.length === 0 ? "" : `ReadWritePaths=${writable.join(" ")}\n`}
[Install]
WantedBy=multi-user.target
`;
}

/** Node writes machine code at run time (and guards it with @pkey), so MemoryDenyWriteExecute can't be had; ffmpeg is limited by ulimit, so @resources is needed. */
function renderHardening(device: ComputeDevice): string {
  const lines = [
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "AmbientCapabilities=",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    ...(device === "cuda" ? [] : ["PrivateDevices=yes", "PrivateUsers=yes"]),
    "ProtectProc=invisible",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "ProtectControlGroups=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "LockPersonality=yes",
    "RemoveIPC=yes",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service @pkey",
    "SystemCallFilter=~@privileged",
    "SystemCallErrorNumber=EPERM",
  ];
  return `${lines.join("\n")}\n`;
}

function renderEnvironment(role: ProcessRole): string {
  const shared = `# The same in every process of this helpline; characters like @ / : in a password are written %40 %2F %3A.
DATABASE_URL=
REDIS_URL=
AUDIO_STORE_URL=file:${RECORDINGS}
# Made once, copied to every machine, and to a safe place: owner ${SERVICE_USER}, mode 0400.
MASTER_KEY_FILE=${SETTINGS_DIRECTORY}/master.key
`;
  return `# Settings of openchs-ai ${role}; docs/config.md has them all. After a change: systemctl restart.
DATA_DIR=/var/lib/${stateOf(role)}
PORT=${PORTS[role]}
${role === "serve" || role === "stream" ? "STREAM_PORT=8301\n" : ""}${role === "stream" ? "# Calls that run may come to their end when it is stopped.\nSTREAM_DRAIN_MS=600000\n" : ""}# 127.0.0.1 is for NGINX on this machine; on any other address set TLS_CERT_FILE and TLS_KEY_FILE as well.
HOST=127.0.0.1
DEFAULT_LANGUAGES=sw,en
${role === "serve" ? "" : shared}`;
}

/** @see systemd.service(5), "COMMAND LINES" */
function quoteWord(word: string): string {
  const escaped = escapePercent(word).replaceAll("$", "$$$$");
  return /^[\w@%+=:,./$-]+$/.test(escaped) ? escaped : `"${escaped.replaceAll(/["\\]/g, "\\$&")}"`;
}

const escapePercent = (text: string): string => text.replaceAll("%", "%%");
