/** Puts live calls together: voice activity, recognition, journal, and the use cases around them. */
import { availableParallelism } from "node:os";
import { LiveChannel } from "../analysis/live/live-channel.js";
import { createLiveRecognition } from "../analysis/live/live-recognition.js";
import { suspectKind } from "../analysis/live/suspect-text.js";
import { createLiveFeed, type LiveFeed } from "../calls/following/live-feed.js";
import { createProgressiveHistory, type ProgressiveHistory } from "../calls/following/progressive-history.js";
import {
  answerLiveCallRequest,
  createRemoteLiveCalls,
  type LiveCallAnswer,
  type LiveCallRequest,
  type StreamProcesses,
  type StreamState,
} from "../calls/following/remote-live-calls.js";
import { createRiskAcknowledgement, type RiskAcknowledgement } from "../calls/following/risk-acknowledgement.js";
import { createLiveCalls, type LiveCalls, type LiveCallsParts } from "../calls/live/live-calls.js";
import { createLiveEventWriter } from "../calls/live/live-event-writer.js";
import { createReanalysis, type ReanalysisUseCase } from "../calls/reanalysis.js";
import { systemClock } from "../core/clock.js";
import type { Logger } from "../core/log.js";
import { createEnergyLiveVoiceActivity } from "../inference/backends/energy/energy-live-voice-activity.js";
import { createSileroLiveVoiceActivity } from "../inference/backends/silero/silero-live-voice-activity.js";
import type { LiveVoiceActivity } from "../inference/live-voice-activity.js";
import { authorize, EXCHANGE, OPERATOR } from "../security/authorization.js";
import type { StreamPeer } from "../telephony/leg-routing.js";
import { packageAssets } from "./paths.js";
import { loadPhantomPhrases } from "./phantom-phrases.js";
import { createSharedLegRouting, type SharedLegRouting } from "./roles/shared-leg-routing.js";
import { startStreamTakeover } from "./roles/stream-takeover.js";
import type { UseCaseParts } from "./use-case-parts.js";

export interface LiveUseCases {
  readonly liveCalls: LiveCalls;
  readonly feed: LiveFeed;
  readonly risks: RiskAcknowledgement;
  readonly progressive: ProgressiveHistory;
  readonly reanalysis: ReanalysisUseCase;
  /** Undefined where one process takes all calls. */
  readonly legRouting: SharedLegRouting | undefined;
  /** Tells the other processes where this one takes connections of the exchange. */
  tellStreamAddress(address: StreamPeer): void;
  /** After the calls were closed. Lets what is being finished of other processes' calls be finished. */
  closeLive(): Promise<void>;
}

/** Nothing is taken before calls that a crash cut off were recovered: see `LiveCalls.recover`. */
export async function buildLiveCalls(parts: UseCaseParts): Promise<LiveUseCases> {
  const { config, database, stores, queue, bus, eventLog, masking } = parts;
  const { calls, liveCallRecords, audit, events } = stores;
  const clock = systemClock;
  const { liveCalls, ...taking } = parts.duties.takesCalls ? await takeCalls(parts) : { liveCalls: lookAtCalls(parts), ...ALONE, closeLive: async () => {} };
  return {
    ...{ liveCalls, ...taking },
    feed: createLiveFeed({ calls, events, bus, masking, audit, clock, runningCallIds: () => liveCalls.runningCallIds() }),
    risks: createRiskAcknowledgement({ database, calls, eventLog, audit, clock }),
    progressive: createProgressiveHistory({ calls, eventLog, masking, audit, clock }),
    reanalysis: createReanalysis({
      ...{ database, calls, liveCallRecords, queue, audit, clock },
      ...{ speechEngine: config.inference.speechEngine, maxAttempts: config.queue.maxAttempts },
    }),
  };
}

/** Nobody has legs of our calls, and nobody asks where we are. */
const ALONE = { legRouting: undefined, tellStreamAddress: () => {} };

/** Where several processes take calls, the others are told of ours, and the calls of those that died are finished. */
async function takeCalls(parts: UseCaseParts): Promise<Pick<LiveUseCases, "liveCalls" | "legRouting" | "tellStreamAddress" | "closeLive">> {
  const { registry, requests, streamId, layout, config } = parts;
  const voiceActivity = await openVoiceActivity(parts.logger);
  const liveParts = await livePartsOf(parts, voiceActivity);
  const liveCalls = createLiveCalls(liveParts);
  if (registry === undefined || requests === undefined || streamId === undefined) return { liveCalls, ...ALONE, closeLive: () => voiceActivity.close() };
  const reader = authorize(OPERATOR, "call:read");
  let address: StreamPeer | undefined;
  registry.join("stream", streamId, (): StreamState => {
    const state = { calls: liveCalls.list(reader), statistics: liveCalls.statistics(reader) };
    return address === undefined ? state : { ...state, address };
  });
  const legRouting = createSharedLegRouting({ registry, streamId, pairingKeyOf: (legId) => liveCalls.pairingKeyOf(legId) });
  requests.answerWith((request) => answerLiveCallRequest(liveCalls, request as LiveCallRequest, (actor) => authorize(actor, "call:control")));
  const { journalWriteMs: writeIntervalMs, journalSyncMs: syncIntervalMs } = config.live;
  const stopTakeover = startStreamTakeover({ parts: liveParts, registry, liveDirectory: layout.live, streamId, journal: { writeIntervalMs, syncIntervalMs } });
  return {
    ...{ liveCalls, legRouting },
    tellStreamAddress(told) {
      address = told;
    },
    async closeLive() {
      legRouting.close();
      await stopTakeover();
      await voiceActivity.close();
    },
  };
}

async function livePartsOf(parts: UseCaseParts, voiceActivity: LiveVoiceActivity): Promise<LiveCallsParts> {
  const { config, database, stores, queue, eventLog, inference, metrics, logger } = parts;
  const { calls, liveCallRecords, analyses, sealers, audioStore, audit, journal } = stores;
  const clock = systemClock;
  const phantomPhrases = await loadPhantomPhrases();
  const processes = config.inference.processes || availableParallelism();
  const recognition = createLiveRecognition({
    ...{ inference, clock, slots: config.live.recognizers || processes },
    ...{ speechEngine: config.inference.speechEngine, defaultLanguages: config.language.defaults },
    onRecognized: (kind, waitedMs, tookMs) => {
      metrics.recognitionSeconds.observe({ kind, part: "waiting" }, waitedMs / 1000);
      metrics.recognitionSeconds.observe({ kind, part: "working" }, tookMs / 1000);
    },
  });
  return {
    ...{ database, calls, liveCallRecords, analyses, sealers, audioStore, journal, queue, eventLog, audit, clock, logger, inference, recognition },
    authorized: authorize(EXCHANGE, "recording:create"),
    writer: createLiveEventWriter({ eventLog, clock, logger }),
    isSpeechByLoudness: voiceActivity.isDegraded,
    createChannel: (options) => new LiveChannel({ ...options, voiceActivity, suspectKind: (text) => suspectKind(text, phantomPhrases) }),
    ...{ mode: config.live.mode, language: "auto", speechEngine: config.inference.speechEngine, maxAttempts: config.queue.maxAttempts },
    ...{ lingerMs: config.telephony.lingerMs, continueWithinMs: config.live.continueWithinMs },
    ...{ pauseDigit: config.live.pauseDigit, resumeDigit: config.live.resumeDigit },
    onReceived: (milliseconds) => metrics.telephonyAudioSeconds.inc(milliseconds / 1000),
    onLag: (milliseconds) => metrics.liveLagSeconds.observe(milliseconds / 1000),
    onCount: (count) => {
      metrics.liveCalls.set(count);
      inference.reserveForLive(count > 0 ? 1 : 0);
    },
  };
}

function lookAtCalls({ registry, requests, stores }: UseCaseParts): LiveCalls {
  const streams: StreamProcesses = {
    list: async () => ((await registry?.list("stream")) ?? []) as Awaited<ReturnType<StreamProcesses["list"]>>,
    ask: async (id, request) => (await requests?.ask(id, request)) as LiveCallAnswer | undefined,
  };
  return createRemoteLiveCalls({ streams, calls: stores.calls });
}

/** Without onnxruntime, loudness stands in and says so. */
function openVoiceActivity(logger: Logger): Promise<LiveVoiceActivity> {
  return createSileroLiveVoiceActivity({ modelPath: packageAssets().voiceActivityModel }).catch(() => {
    logger.warn("The voice activity model can't be loaded: in live calls speech is found by loudness only. 'openchs-ai doctor' says what is missing.");
    return createEnergyLiveVoiceActivity();
  });
}
