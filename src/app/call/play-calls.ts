/** Plays calls of one or two legs, many at a time, and follows each on the service's event stream. */
import { randomUUID } from "node:crypto";
import { AppError } from "../../core/errors.js";
import { readExchangeAudio } from "./exchange-audio.js";
import { followCall } from "./follow-call.js";
import { type CallProtocol, legMessages } from "./leg-messages.js";
import { playLeg } from "./play-leg.js";

export interface PlayCallsOptions {
  readonly file: string;
  readonly agentFile: string | undefined;
  readonly protocol: CallProtocol;
  /** The telephony port. */
  readonly host: string;
  readonly port: number;
  readonly api: URL;
  /** Without one the calls are played and not followed. */
  readonly apiKey: string | undefined;
  readonly calls: number;
  readonly pace: number;
  readonly splitBytes: number;
  readonly skewMs: number;
  readonly dropAfterShare: number;
  readonly waitForAnalysis: boolean;
  readonly signal: AbortSignal;
  /** What happens, for people. */
  readonly onLine?: (line: string) => void;
}

export interface PlayedCall {
  readonly callId: string;
  readonly sentMs: number;
  readonly bytesBack: number;
  readonly isCutOff: boolean;
  /** As the service counted; undefined when the call was not followed. */
  readonly receivedMs?: number;
  readonly finals?: number;
}

/** @throws AppError `TELEPHONY_UNREACHABLE`, `AUDIO_*`, `CONFIG_INVALID` */
export async function playCalls(options: PlayCallsOptions): Promise<readonly PlayedCall[]> {
  const caller = await readExchangeAudio(options.file);
  const agent = options.agentFile === undefined ? undefined : await readExchangeAudio(options.agentFile);
  const legs = [
    ...caller.channels.slice(0, 2).map((samples) => ({ samples, sampleRateHz: caller.sampleRateHz })),
    ...(agent?.channels[0] === undefined ? [] : [{ samples: agent.channels[0], sampleRateHz: agent.sampleRateHz }]),
  ].slice(0, 2);
  if (legs.length === 0) throw new AppError("AUDIO_EMPTY", "The file holds no audio.");
  return Promise.all(Array.from({ length: options.calls }, () => playCall(options, legs)));
}

async function playCall(options: PlayCallsOptions, legs: readonly { readonly samples: Int16Array; readonly sampleRateHz: number }[]): Promise<PlayedCall> {
  const base = randomUUID().slice(0, -1);
  // A lone leg ends in a digit that pairs with nothing.
  const streamIds = legs.length === 1 ? [`${base}0`] : [`${base}1`, `${base}2`];
  const callId = streamIds[0] ?? base;
  const { api, apiKey, onLine, signal, waitForAnalysis } = options;
  const following =
    apiKey === undefined ? undefined : followCall({ api, apiKey, callId, signal, waitForAnalysis, ...(onLine === undefined ? {} : { onLine }) });
  const played = await Promise.all(
    legs.map((leg, index) => {
      const streamId = streamIds[index] ?? callId;
      const channel = index === 0 ? "caller" : "agent";
      const path = `/media/${callId}?channel=${channel}&format=slin&rate=${leg.sampleRateHz}`;
      const place = options.protocol === "websocket" ? { host: api.hostname, port: Number(api.port) } : { host: options.host, port: options.port };
      return playLeg(legMessages(options.protocol, streamId, leg), { ...options, ...place, path, delayMs: index * options.skewMs });
    }),
  );
  const followed = await following;
  return {
    callId,
    sentMs: played.reduce((sum, { sentMs }) => sum + sentMs, 0),
    bytesBack: played.reduce((sum, { bytesBack }) => sum + bytesBack, 0),
    isCutOff: played.some(({ isCutOff }) => isCutOff),
    ...(followed === undefined ? {} : followed),
  };
}
