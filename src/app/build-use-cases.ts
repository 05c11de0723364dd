/** Puts the use cases together over stores, queue, bus and models. */
import { createReadStream } from "node:fs";
import { createAgentFeedback } from "../calls/agent-feedback.js";
import { createCallAudio } from "../calls/call-audio.js";
import { createCallHistory } from "../calls/call-history.js";
import { createCallDeletion } from "../calls/deletion/call-deletion.js";
import { createRetention } from "../calls/deletion/retention.js";
import { WebhookDelivery } from "../calls/delivery/webhook-delivery.js";
import { createWebhookSender } from "../calls/delivery/webhook-sender.js";
import { createWebhooks } from "../calls/delivery/webhooks.js";
import { createRecordingBatches } from "../calls/recording-batches.js";
import { createRecordingIntake } from "../calls/recording-intake.js";
import { createRecordingProcessing } from "../calls/recording-processing.js";
import { createRecordingTasks } from "../calls/recording-tasks.js";
import { createCallSearch } from "../calls/search/call-search.js";
import { TextIndexing } from "../calls/search/text-indexing.js";
import { createSyntheticCalls } from "../calls/synthetic/synthetic-calls.js";
import type { StandingQuestion } from "../core/case/case-answer.js";
import { systemClock } from "../core/clock.js";
import { createModelTaskProcessing } from "../model-tasks/model-task-processing.js";
import { createModelTasks } from "../model-tasks/model-tasks.js";
import { buildLiveCalls } from "./build-live-calls.js";
import { loadCaseForm } from "./casework/case-form.js";
import { loadTaxonomy, taxonomyLabels } from "./casework/taxonomy.js";
import { packageAssets } from "./paths.js";
import type { UseCaseParts } from "./use-case-parts.js";

export type UseCases = Awaited<ReturnType<typeof buildUseCases>>;

/** Builds, and starts nothing. `isOurTurn`: whether this is the one of several processes that keeps house now; undefined where it is alone. */
export async function buildUseCases(parts: UseCaseParts) {
  const { config, masterKey, database, stores, queue, bus, eventLog, masking, decoder, workDirectory } = parts;
  const { calls, expiry, receipts, sealers, analyses, callTexts, batches, modelTaskRecords, feedbackRecords, audit, audioStore } = stores;
  const clock = systemClock;
  const { maxBytes } = config.audio;
  const { maxAttempts } = config.queue;
  // Of those that keep house only: another that led would deliver and delete nothing.
  const house = parts.duties.keepsHouse ? parts.registry?.lead("house") : undefined;
  const isOurTurn = parts.duties.isShared ? () => house?.isOurs === true : undefined;
  const { callDays, textDays, audioDays } = config.retention;
  const deletion = createCallDeletion({ database, calls, expiry, receipts, sealers, audioStore, queue, masking, audit, clock });
  const taxonomy = await loadTaxonomy(config.cases);
  const fingerprintKey = masterKey.derive("recording-fingerprint");
  const intake = createRecordingIntake({ database, calls, sealers, audioStore, queue, eventLog, audit, clock, maxBytes, maxAttempts, fingerprintKey });
  return {
    intake,
    eventLog,
    batches: createRecordingBatches({ intake, batches, queue, clock }),
    tasks: createRecordingTasks({ database, queue, calls, analyses, eventLog, masking, audit, clock }),
    history: createCallHistory({ calls, expiry, receipts, deletion, analyses, queue, eventLog, masking, audit, clock, mappings: taxonomy.mappings }),
    retention: createRetention({ policy: { call: callDays, texts: textDays, audio: audioDays }, expiry, deletion, clock }),
    callAudio: createCallAudio({ calls, audioStore, decoder, audit, clock, workDirectory }),
    feedback: createAgentFeedback({ calls, analyses, feedbackRecords, masking, audit, clock, taxonomyLabels: taxonomyLabels(taxonomy) }),
    modelTasks: createModelTasks({ database, modelTasks: modelTaskRecords, sealers, audioStore, queue, bus, clock, maxBytes, maxAttempts }),
    syntheticCalls: createSyntheticCalls({
      ...{ database, calls, analyses, intake, audioStore, queue, bus, masking, clock, speechEngine: config.inference.speechEngine },
      openRecording: () => createReadStream(packageAssets().syntheticCall),
    }),
    ...(await buildLiveCalls(parts)),
    ...buildDelivery(parts, isOurTurn),
    search: createCallSearch({ isOn: config.search.isOn, calls, callTexts, audit, clock }),
    textIndexing: new TextIndexing({
      ...{ database, calls, analyses, callTexts, masking, bus, clock, logger: parts.logger },
      ...(isOurTurn === undefined ? {} : { isOurTurn }),
    }),
    isOurTurn,
    ...buildProcessing(parts, await loadCaseForm(config.cases.formFile)),
  };
}

/** Not started: see `WebhookDelivery.start`. */
function buildDelivery({ stores, bus, masking, logger, metrics }: UseCaseParts, isOurTurn: (() => boolean) | undefined) {
  const { webhookRecords: webhooks, calls, events, audit } = stores;
  const clock = systemClock;
  const sender = createWebhookSender(clock);
  const delivery = new WebhookDelivery({
    ...(isOurTurn === undefined ? {} : { isOurTurn }),
    webhooks,
    calls,
    events,
    bus,
    sender,
    masking,
    clock,
    logger,
    onDelivered: (outcome) => metrics.deliveries.inc({ outcome }),
  });
  return { delivery, webhooks: createWebhooks({ webhooks, delivery, sender, audit, clock }) };
}

/** What the worker's handlers call. */
function buildProcessing(parts: UseCaseParts, caseForm: readonly StandingQuestion[]) {
  const { config, metrics, database, stores, eventLog, inference, decoder, workDirectory } = parts;
  const { calls, liveCallRecords, analyses, modelTaskRecords, audioStore } = stores;
  const defaultLanguages = config.language.defaults;
  return {
    processing: createRecordingProcessing({
      ...{ database, calls, liveCallRecords, analyses, eventLog, audioStore, decoder, inference, workDirectory, clock: systemClock },
      ...{ caseForm, defaultLanguages, translationTarget: config.language.translationTarget },
      onStage: ({ report }) => metrics.stageSeconds.observe({ stage: report.stage, status: report.status }, report.durationMs / 1000),
      onAnalysed: ({ audio }) => {
        for (const fate of ["speech", "silence", "paused", "failed"] as const) metrics.audioSeconds.inc({ fate }, (audio?.ledger[`${fate}Ms`] ?? 0) / 1000);
      },
    }),
    answering: createModelTaskProcessing({ modelTasks: modelTaskRecords, audioStore, decoder, inference, workDirectory, defaultLanguages }),
  };
}
