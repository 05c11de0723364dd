/**
 * Personal data in English, Swahili and their mixture: what is written or spelt as such, numbers that the words around
 * call so, names and the places of a call by gazetteer and introducing words. Finds rather too much than too little: what
 * it misses is shown.
 */
import type { TranscriptSegment } from "../../../../core/transcript.js";
import { PII_KINDS, type PiiDetector, type PiiKind, type PiiSpan } from "../../../../security/masking/pii-detector.js";
import { NameFinder } from "../entities/name-finder.js";
import { PlaceFinder } from "../entities/place-finder.js";
import { type BuiltinAssets, loadSomeAssets } from "../load-builtin-assets.js";
import { readCall, type SegmentReading } from "../text/call-reading.js";
import { allPhrases } from "../text/lexicon-phrases.js";
import { matcherOf } from "../text/phrase-matcher.js";
import { ScopeReader } from "../text/scope-reader.js";
import { normalizeWord, type TokenRange } from "../text/tokenizer.js";
import { AddressFinder } from "./address-finder.js";
import { findDictatedNumbers } from "./dictated-number-finder.js";
import { LocalPlaceFinder } from "./local-place-finder.js";
import { NameContextFinder } from "./name-context-finder.js";
import { type NumberRun, NumberRunFinder } from "./number-run-finder.js";
import { SchoolNameFinder } from "./school-name-finder.js";
import { SpokenEmailFinder } from "./spoken-email-finder.js";
import { StrayNameFinder } from "./stray-name-finder.js";
import { findWrittenPatterns } from "./written-patterns.js";

/** Pieces of one address with no more than this between them. */
const BETWEEN_PIECES = /^[\s,]*$/;
/** A number may be asked for so many turns before it is said. */
const TURNS_BEFORE = 3;
const NEVER = new AbortController().signal;

/** Reads its data files at once. @throws AppError `CONFIG_INVALID` when one is missing or breaks a rule */
export function createBuiltinPiiDetector(options: { readonly assetsDirectory: string }): PiiDetector {
  const { assets, revisionOf } = loadSomeAssets(options.assetsDirectory, ASSETS);
  return new BuiltinPiiDetector(assets, revisionOf(ASSETS));
}

const ASSETS = ["names", "people", "places", "landmarks", "districts", "numbers", "scopes", "personalData", "commonWords", "plainWords"] as const;
type PiiAssets = Pick<BuiltinAssets, (typeof ASSETS)[number]>;

class BuiltinPiiDetector implements PiiDetector {
  readonly revision: string;
  readonly #assets: PiiAssets;
  readonly #scopes: ScopeReader;
  readonly #names: NameFinder;
  readonly #places: PlaceFinder;
  readonly #strayNames: StrayNameFinder;
  readonly #nameContexts: NameContextFinder;
  readonly #numberRuns: NumberRunFinder;
  readonly #emails: SpokenEmailFinder;
  readonly #schools: SchoolNameFinder;
  readonly #addresses: AddressFinder;
  readonly #localPlaces: LocalPlaceFinder;
  readonly #listedNames: ReadonlySet<string>;
  /** What is a word, be it a name as well. */
  readonly #words: ReadonlySet<string>;
  readonly #neverNames: ReadonlySet<string>;
  readonly #neverPlaces: ReadonlySet<string>;
  readonly #broadPlaces: ReadonlySet<string>;

  constructor(assets: PiiAssets, revision: string) {
    this.revision = revision;
    const { districts, people, personalData } = assets;
    this.#assets = assets;
    this.#scopes = new ScopeReader(assets.scopes);
    this.#names = new NameFinder(assets);
    this.#places = new PlaceFinder(assets);
    this.#words = new Set([...assets.commonWords.words, ...assets.names.ambiguous.map(normalizeWord), ...assets.places.ambiguous.map(normalizeWord)]);
    const common = new Set([...assets.commonWords.words, ...personalData.never_names, ...people.capital_words, ...people.not_names]);
    this.#numberRuns = new NumberRunFinder(assets.numbers, personalData, common);
    this.#listedNames = new Set(assets.names.groups.flatMap((group) => group.names.map(normalizeWord)));
    this.#emails = new SpokenEmailFinder({
      lexicon: personalData.email,
      numbers: assets.numbers,
      isCommon: (word) => common.has(word) && !this.#listedNames.has(word),
    });
    this.#neverPlaces = new Set(personalData.never_names);
    this.#neverNames = new Set([...personalData.never_names, ...people.capital_words]);
    const broad = [districts.countries, districts.kenya, districts.tanzania, districts.uganda].flat().map((name) => name.split(/[\s-]+/).map(normalizeWord));
    this.#broadPlaces = new Set(broad.map((words) => words.join(" ")));
    const nobody = new Set([...common, ...broad.flat(), ...assets.plainWords.words]);
    this.#strayNames = new StrayNameFinder(personalData, {
      common: nobody,
      introducers: matcherOf([...people.names.titles, ...allPhrases(people.names.weak_introducers), ...allPhrases(personalData.name_introducers)]),
      afterNames: new Set(personalData.after_names),
      listed: this.#listedNames,
    });
    const isKnown = (word: string): boolean => nobody.has(word) || this.#listedNames.has(word);
    const { countries, kenya, tanzania, uganda } = assets.places;
    const placeWords = [...broad.flat(), ...[countries, kenya, tanzania, uganda].flat().flatMap((name) => name.split(/[\s-]+/).map(normalizeWord))];
    const names = new Set([...this.#listedNames, ...placeWords]);
    this.#schools = new SchoolNameFinder(assets, { common, names });
    this.#addresses = new AddressFinder(assets, { common, names });
    this.#localPlaces = new LocalPlaceFinder(assets, {
      common,
      broad: new Set(broad.flat()),
      listed: new Set([countries, kenya, tanzania, uganda].flat().map(normalizeWord)),
      plainNumberWords: new Set(allPhrases(personalData.plain_number_words)),
    });
    this.#nameContexts = new NameContextFinder(assets, {
      common: nobody,
      listed: this.#listedNames,
      places: new Set(placeWords.filter((word) => !this.#listedNames.has(word))),
      isKnown,
    });
  }

  detect(texts: readonly string[]): readonly (readonly PiiSpan[])[] {
    const call = readCall(texts.map(toSegment), { numbers: this.#assets.numbers, scopes: this.#scopes }, NEVER);
    const named = this.#names.find(call);
    const turns = call.map((reading) => this.#numberRuns.read(reading));
    const dictated = findDictatedNumbers(turns);
    const numbers = turns.map((turn, index) => [
      ...this.#numberRuns.find(turn, turns.slice(Math.max(0, index - TURNS_BEFORE), index)),
      ...(dictated[index] ?? []),
    ]);
    return call.map((reading, index) => this.#detectIn(reading, { index, asked: call[index - 1], named: named[index] ?? [], numbers: numbers[index] ?? [] }));
  }

  #detectIn(
    reading: SegmentReading,
    {
      index,
      asked,
      named,
      numbers,
    }: {
      readonly index: number;
      readonly asked: SegmentReading | undefined;
      readonly named: readonly TokenRange[];
      readonly numbers: readonly NumberRun[];
    },
  ): readonly PiiSpan[] {
    const spans: PiiSpan[] = [...findWrittenPatterns(reading.segment.text)];
    const add = (kind: PiiKind, ranges: readonly TokenRange[]): void => {
      for (const range of ranges)
        spans.push(...spanOf(reading, kind, range).map((span) => (this.#isWord(reading, range) ? { ...span, isWord: true as const } : span)));
    };
    add("EMAIL", this.#emails.find(reading));
    const addresses = this.#addresses.find(reading);
    add("ADDRESS", addresses);
    // The number of a post box is as long as a telephone's.
    const within = new Set(addresses.flatMap(({ firstToken, endToken }) => Array.from({ length: endToken - firstToken - 1 }, (_, at) => firstToken + 1 + at)));
    for (const run of numbers) if (!(within.has(run.firstToken) && within.has(run.endToken - 1))) add(run.kind, [run]);
    const places = this.#places.find(reading, index).filter(({ firstToken, endToken }) => {
      return endToken - firstToken > 1 || !this.#neverPlaces.has(reading.tokens[firstToken]?.norm ?? "");
    });
    for (const place of places) {
      const kind = place.label === "LANDMARK" ? this.#schools.kindOfLandmark(reading, place) : undefined;
      if (kind !== undefined) add(kind, [place]);
    }
    const local = places.filter((place) => place.label !== "LANDMARK" && !this.#isBroad(reading, place));
    add("PLACE", this.#localPlaces.find(reading, local, asked));
    add("SCHOOL", this.#schools.find(reading, asked));
    const names = [...named.filter((range) => !this.#isNoName(reading, range)), ...this.#strayNames.find(reading, asked)];
    add(
      "NAME",
      this.#nameContexts.find(reading, names).filter((range) => !this.#isNoName(reading, range)),
    );
    return united(spans, reading.segment.text);
  }

  /** "Leo" alone is a day more often than a man. */
  #isNoName({ tokens }: SegmentReading, { firstToken, endToken }: TokenRange): boolean {
    const words = tokens.slice(firstToken, endToken).map(({ norm }) => norm);
    return words.some((word) => this.#neverNames.has(word)) && !words.some((word) => this.#listedNames.has(word) && !this.#neverNames.has(word));
  }

  #isWord({ tokens }: SegmentReading, { firstToken, endToken }: TokenRange): boolean {
    const word = tokens[firstToken]?.norm ?? "";
    return endToken - firstToken === 1 && this.#words.has(word);
  }

  /** A district, or more. */
  #isBroad({ tokens }: SegmentReading, { firstToken, endToken }: TokenRange): boolean {
    const words = tokens.slice(firstToken, endToken).map(({ norm }) => norm);
    return this.#broadPlaces.has(words.join(" "));
  }
}

function toSegment(text: string, index: number): TranscriptSegment {
  return { id: `s${index}`, channel: "mixed", startMs: 0, endMs: 0, text, language: "und", score: null };
}

function spanOf({ tokens, segment }: SegmentReading, kind: PiiKind, { firstToken, endToken }: TokenRange): readonly PiiSpan[] {
  const [first, last] = [tokens[firstToken], tokens[endToken - 1]];
  if (first === undefined || last === undefined) return [];
  // A plus sign is no word, and belongs to a telephone number.
  const startOffset = segment.text.charAt(first.startOffset - 1) === "+" ? first.startOffset - 1 : first.startOffset;
  const isOwner = /['’]s$/i.test(segment.text.slice(last.startOffset, last.endOffset));
  return [{ kind, startOffset, endOffset: last.endOffset - (isOwner ? 2 : 0) }];
}

/** Spans that overlap become one, of the kind that comes first; so do the pieces of an address. */
function united(spans: readonly PiiSpan[], text: string): readonly PiiSpan[] {
  const sorted = [...spans].sort((one, other) => one.startOffset - other.startOffset || other.endOffset - one.endOffset);
  const joined: PiiSpan[] = [];
  for (const span of sorted) {
    const last = joined.at(-1);
    const isNextPiece = last?.kind === "ADDRESS" && span.kind === "ADDRESS" && BETWEEN_PIECES.test(text.slice(last.endOffset, span.startOffset));
    if (last === undefined || (span.startOffset >= last.endOffset && !isNextPiece)) {
      joined.push(span);
      continue;
    }
    const kind = PII_KINDS.indexOf(span.kind) < PII_KINDS.indexOf(last.kind) ? span.kind : last.kind;
    const isWord = last.isWord === true && span.endOffset <= last.endOffset && span.startOffset >= last.startOffset ? { isWord: true as const } : {};
    joined[joined.length - 1] = { kind, startOffset: last.startOffset, endOffset: Math.max(last.endOffset, span.endOffset), ...isWord };
  }
  return joined;
}
