/**
 * How a call's texts are shown to those who may not read them: masked, with pseudonyms that are the same in every answer,
 * event and delivery about the call. Fails closed: without a detector, or when it fails, texts are withheld.
 */

import { maskingCover, type TextCover, WITHHOLDING } from "../security/masking/cover-text.js";
import type { PiiDetector } from "../security/masking/pii-detector.js";
import { CallMasker } from "../security/masking/pii-masker.js";
import type { CallSealer } from "../security/sealing/sealed-text.js";
import type { CallEventRepository } from "../storage/repositories/call-event-repository.js";

export interface TextMasking {
  /** Never rejects. */
  coverOf(call: { readonly callId: string; readonly sealer: CallSealer }): Promise<TextCover>;
  /** The call was deleted: nothing of it stays here. */
  forget(callId: string): void;
}

export interface TextMaskingDependencies {
  /** Opened at the first need. @throws when its data can't be read */
  readonly openDetector: () => PiiDetector;
  readonly events: Pick<CallEventRepository, "listOfTypes">;
  /** Texts are withheld from now on; told once. */
  readonly onUnavailable: (error: unknown) => void;
}

/** Calls whose pseudonyms are kept at hand; those of others are found again from the stored events. */
const KEPT_CALLS = 50;

/** Opens the detector when a text is first masked. */
export function createTextMasking({ openDetector, events, onUnavailable }: TextMaskingDependencies): TextMasking {
  const covers = new Map<string, Promise<TextCover>>();
  let detector: PiiDetector | undefined;
  let isUnavailable = false;
  const open = async ({ callId, sealer }: { readonly callId: string; readonly sealer: CallSealer }): Promise<TextCover> => {
    detector ??= openDetector();
    const masker = new CallMasker(detector);
    const finals = await events.listOfTypes({ callId, sealer }, ["segment.final"]);
    masker.learn(finals.flatMap((event) => (event.type === "segment.final" ? [event.payload.segment] : [])));
    return maskingCover(masker);
  };
  return {
    async coverOf(call) {
      try {
        const known = covers.get(call.callId);
        const cover = known ?? open(call);
        // The newest is the last to go.
        covers.delete(call.callId);
        covers.set(call.callId, cover);
        for (const oldest of covers.keys()) {
          if (covers.size <= KEPT_CALLS) break;
          covers.delete(oldest);
        }
        return await cover;
      } catch (error) {
        covers.delete(call.callId);
        if (!isUnavailable) onUnavailable(error);
        isUnavailable = true;
        return WITHHOLDING;
      }
    },
    forget(callId) {
      covers.delete(callId);
    },
  };
}
