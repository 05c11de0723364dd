/** Puts live calls together: voice activity, recognition, journal, and the use cases around them. */
import { availableParallelism } from "node:os";
import { LiveChannel } from "../analysis/live/live-channel.js";
import { createLiveRecognition } from "../analysis/live/live-recognition.js";
import { suspectKind } from "../analysis/live/suspect-text.js";
import { createLiveFeed, type LiveFeed } from "../calls/following/live-feed.js";
import { createProgressiveHistory, type ProgressiveHistory } from "../calls/following/progressive-history.js";
import { createRiskAcknowledgement, type RiskAcknowledgement } from "../calls/following/risk-acknowledgement.js";
import { createLiveCalls, type LiveCalls } from "../calls/live/live-calls.js";
import { createLiveEventWriter } from "../calls/live/live-event-writer.js";
import { createReanalysis, type ReanalysisUseCase } from "../calls/reanalysis.js";
import { systemClock } from "../core/clock.js";
import type { Logger } from "../core/log.js";
import { createEnergyLiveVoiceActivity } from "../inference/backends/energy/energy-live-voice-activity.js";
import { createSileroLiveVoiceActivity } from "../inference/backends/silero/silero-live-voice-activity.js";
import type { LiveVoiceActivity } from "../inference/live-voice-activity.js";
import { authorize, EXCHANGE } from "../security/authorization.js";
import { packageAssets } from "./paths.js";
import { loadPhantomPhrases } from "./phantom-phrases.js";
import type { UseCaseParts } from "./use-case-parts.js";

export interface LiveUseCases {
  readonly liveCalls: LiveCalls;
  readonly feed: LiveFeed;
  readonly risks: RiskAcknowledgement;
  readonly progressive: ProgressiveHistory;
  readonly reanalysis: ReanalysisUseCase;
  readonly voiceActivity: LiveVoiceActivity;
}

/** Nothing is taken before calls that a crash cut off were recovered: see `LiveCalls.recover`. */
export async function buildLiveCalls(parts: UseCaseParts): Promise<LiveUseCases> {
  const { config, database, stores, queue, bus, eventLog, inference, metrics, logger } = parts;
  const { calls, liveCallRecords, analyses, sealers, audioStore, audit, journal, events } = stores;
  const clock = systemClock;
  const voiceActivity = await openVoiceActivity(logger);
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
  const liveCalls = createLiveCalls({
    ...{ database, calls, liveCallRecords, analyses, sealers, audioStore, journal, queue, eventLog, audit, clock, logger, inference, recognition },
    authorized: authorize(EXCHANGE, "recording:create"),
    writer: createLiveEventWriter({ database, eventLog, clock, logger }),
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
  });
  return {
    liveCalls,
    voiceActivity,
    feed: createLiveFeed({ calls, events, bus, audit, clock, runningCallIds: () => liveCalls.runningCallIds() }),
    risks: createRiskAcknowledgement({ database, calls, eventLog, audit, clock }),
    progressive: createProgressiveHistory({ calls, eventLog, audit, clock }),
    reanalysis: createReanalysis({
      ...{ database, calls, liveCallRecords, queue, audit, clock },
      ...{ speechEngine: config.inference.speechEngine, maxAttempts: config.queue.maxAttempts },
    }),
  };
}

/** Without onnxruntime, loudness stands in and says so. */
function openVoiceActivity(logger: Logger): Promise<LiveVoiceActivity> {
  return createSileroLiveVoiceActivity({ modelPath: packageAssets().voiceActivityModel }).catch(() => {
    logger.warn("The voice activity model can't be loaded: in live calls speech is found by loudness only. 'openchs-ai doctor' says what is missing.");
    return createEnergyLiveVoiceActivity();
  });
}
