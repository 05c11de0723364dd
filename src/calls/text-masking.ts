/**
 * How a call's texts are shown to those who may not read them: masked, with pseudonyms that are the same in every answer,
 * event and delivery about the call. Fails closed: without a detector, or when it fails, texts are withheld.
 */

import { LRUCache } from "lru-cache";
import type { ResultCache } from "../cache/result-cache.js";
import type { Clock } from "../core/clock.js";
import { maskingCover, type TextCover, WITHHOLDING } from "../security/masking/cover-text.js";
import type { PiiDetector } from "../security/masking/pii-detector.js";
import { CallMasker } from "../security/masking/pii-masker.js";
import { RememberingDetector } from "../security/masking/remembering-detector.js";
import type { CallSealer, SealedText } from "../security/sealing/sealed-text.js";
import type { CallEventRepository } from "../storage/repositories/call-event-repository.js";

export interface TextMasking {
  /** Never rejects. */
  coverOf(call: MaskedCall): Promise<TextCover>;
  /** The call was deleted: nothing of it stays here. */
  forget(callId: string): void;
}

interface MaskedCall {
  readonly callId: string;
  readonly sealer: CallSealer;
}

export interface TextMaskingDependencies {
  /** Opened at the first need. @throws when its data can't be read */
  readonly openDetector: () => PiiDetector;
  readonly events: Pick<CallEventRepository, "listOfTypes">;
  /** Where what was found in a call is kept for other processes, sealed under the call's key. */
  readonly cache: ResultCache;
  readonly clock: Pick<Clock, "schedule">;
  /** Texts are withheld from now on; told once. */
  readonly onUnavailable: (error: unknown) => void;
}

/** Calls whose pseudonyms are kept at hand, and for how long after they were last asked for; those of others are found again from the stored events. */
const KEPT_CALLS = 50;
const KEPT_IDLE_MS = 10 * 60_000;
/** After something new was found. */
const HAND_ON_AFTER_MS = 2_000;

/** Opens the detector when a text is first masked. */
export function createTextMasking({ openDetector, events, cache, clock, onUnavailable }: TextMaskingDependencies): TextMasking {
  const covers = new LRUCache<string, Promise<TextCover>>({ max: KEPT_CALLS, ttl: KEPT_IDLE_MS, ttlAutopurge: true });
  let detector: PiiDetector | undefined;
  let isUnavailable = false;
  const open = async (call: MaskedCall): Promise<TextCover> => {
    detector ??= openDetector();
    const masker = new CallMasker(await rememberCall(call, { detector, cache, clock, isKept: () => covers.has(call.callId) }));
    const finals = await events.listOfTypes(call, ["segment.final"]);
    masker.learn(finals.flatMap((event) => (event.type === "segment.final" ? [event.payload.segment] : [])));
    return maskingCover(masker);
  };
  return {
    async coverOf(call) {
      const { callId } = call;
      const cover = covers.get(callId) ?? open(call);
      // Counts its time anew.
      covers.set(callId, cover);
      try {
        return await cover;
      } catch (error) {
        covers.delete(callId);
        if (!isUnavailable) onUnavailable(error);
        isUnavailable = true;
        return WITHHOLDING;
      }
    },
    forget(callId) {
      covers.delete(callId);
      void cache.remove(nameOf(callId));
    },
  };
}

interface Remembering extends Pick<TextMaskingDependencies, "cache" | "clock"> {
  readonly detector: PiiDetector;
  /** False: the call was deleted, or is looked at no more. */
  readonly isKept: () => boolean;
}

async function rememberCall({ callId, sealer }: MaskedCall, { detector, cache, clock, isKept }: Remembering): Promise<PiiDetector> {
  const [name, context] = [nameOf(callId), "masking.found"];
  let isHandingOn = false;
  const remembering = new RememberingDetector(detector, () => {
    if (isHandingOn) return;
    isHandingOn = true;
    clock.schedule(HAND_ON_AFTER_MS, () => {
      isHandingOn = false;
      if (isKept()) void cache.set(name, sealer.seal(context, remembering.handOn()));
    });
  });
  const handedOn = await cache.get(name);
  try {
    if (handedOn !== undefined) remembering.recall(sealer.open(context, handedOn as SealedText));
  } catch {
    // Of another key, or spoiled: found again.
  }
  return remembering;
}

function nameOf(callId: string): string {
  return `masking/${callId}`;
}
