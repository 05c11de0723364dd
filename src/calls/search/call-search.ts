/** Calls found by the words said in them. What is searched and shown is masked, whoever asks. */
import type { CallRecord } from "../../core/call.js";
import type { CallFilter } from "../../core/call-filter.js";
import type { Clock } from "../../core/clock.js";
import { AppError } from "../../core/errors.js";
import { hasAnyTerm, parseSearchQuery } from "../../core/text/search-terms.js";
import { type AuditSink, recordAllowed } from "../../security/audit-record.js";
import type { Authorized } from "../../security/authorization.js";
import { cutPage } from "../../storage/keyset-page.js";
import type { CallRepository } from "../../storage/repositories/call-repository.js";
import type { CallTextRepository, TextPassage } from "../../storage/search/call-text-repository.js";

export interface FoundCall {
  readonly call: CallRecord;
  /** The first masked lines that hold one of the words, at most `PASSAGES_SHOWN`. */
  readonly passages: readonly TextPassage[];
}

export interface FoundPage {
  readonly found: readonly FoundCall[];
  /** Where the next page begins; absent on the last. */
  readonly nextPosition?: number;
}

export interface CallSearchRequest {
  /** Words that a call must all have; a `*` behind three to six letters takes what begins so. */
  readonly text: string;
  readonly filter: CallFilter;
  readonly beforePosition?: number;
  readonly limit: number;
}

export interface CallSearch {
  /** Newest call first. @throws AppError `CALL_SEARCH_OFF`, `CALL_SEARCH_UNCLEAR`, `AUDIT_SINK_UNAVAILABLE` */
  search(authorized: Authorized<"call:read">, request: CallSearchRequest): Promise<FoundPage>;
}

export interface CallSearchDependencies {
  readonly isOn: boolean;
  readonly calls: Pick<CallRepository, "findCalls">;
  readonly callTexts: Pick<CallTextRepository, "search">;
  readonly audit: AuditSink;
  readonly clock: Clock;
}

const PASSAGES_SHOWN = 3;

/** That somebody searched is audited; what for is kept nowhere. */
export function createCallSearch({ isOn, calls, callTexts, audit, clock }: CallSearchDependencies): CallSearch {
  return {
    async search({ actor }, { text, filter, beforePosition, limit }) {
      if (!isOn) throw new AppError("CALL_SEARCH_OFF", "Text search is turned off here.");
      const terms = parseSearchQuery(text);
      if (terms === undefined) {
        throw new AppError("CALL_SEARCH_UNCLEAR", "Search for whole words of 3 to 64 letters, or beginnings of 3 to 6 with a * behind them.");
      }
      await recordAllowed({ audit, clock }, actor, "calls.searched", "calls");
      const texts = await callTexts.search({ terms, filter, limit: limit + 1, ...(beforePosition === undefined ? {} : { beforePosition }) });
      const { rows, last } = cutPage(texts, limit);
      const records = new Map((await calls.findCalls(rows.map(({ callId }) => callId))).map((call) => [call.callId, call]));
      const found = rows.flatMap(({ callId, passages }): FoundCall[] => {
        const call = records.get(callId);
        // Deleted since it was found.
        if (call === undefined) return [];
        return [{ call, passages: passages.filter((passage) => hasAnyTerm(passage.text, terms)).slice(0, PASSAGES_SHOWN) }];
      });
      return { found, ...(last === undefined ? {} : { nextPosition: last.position }) };
    },
  };
}
