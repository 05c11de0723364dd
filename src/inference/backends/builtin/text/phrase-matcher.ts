/**
 * Finds every cue phrase in a run of tokens. Phrases share one trie over slots, so the cost grows with the length of the
 * text and hardly with the number of phrases. A match never crosses the end of a sentence.
 */
import { MAX_GAP_TOKENS, type PhraseSlot, parsePhrase } from "./phrase-pattern.js";
import type { TokenizedText } from "./tokenizer.js";

export interface PhraseEntry<Payload> {
  readonly phrase: string;
  readonly payload: Payload;
}

/** Tokens `[firstToken, endToken)` carry the phrase. */
export interface PhraseMatch<Payload> {
  readonly payload: Payload;
  readonly firstToken: number;
  readonly endToken: number;
  /** True when the phrase has a starred word, so an inflected verb may carry its own negation. */
  readonly inflected: boolean;
}

/** `numberEnds[i]` is the end of the number that begins at token `i`, or 0. */
export interface MatchableText extends TokenizedText {
  readonly numberEnds: Int32Array;
}

interface TrieNode<Payload> {
  readonly edges: Map<number, TrieNode<Payload>>;
  readonly ends: { readonly payload: Payload; readonly inflected: boolean }[];
  gap: TrieNode<Payload> | null;
  number: TrieNode<Payload> | null;
}

/** Slots met so far are remembered per word up to this many words, then forgotten, so memory stays bounded. */
const MAX_REMEMBERED_WORDS = 20_000;

export class PhraseMatcher<Payload> {
  readonly #root: TrieNode<Payload> = newNode();
  readonly #slotIds = new Map<string, number>();
  readonly #slotsByWord = new Map<string, number[]>();
  readonly #slotsBySuffix = new Map<string, number[]>();
  readonly #slotsByPrefix = new Map<string, number[]>();
  readonly #suffixLengths: readonly number[];
  readonly #prefixLengths: readonly number[];
  readonly #remembered = new Map<string, readonly number[]>();

  /** @param entries - well-formed phrases, see `phraseFault`. */
  constructor(entries: readonly PhraseEntry<Payload>[]) {
    for (const { phrase, payload } of entries) {
      for (const slots of parsePhrase(phrase)) this.#add(slots, payload);
    }
    this.#suffixLengths = [...new Set([...this.#slotsBySuffix.keys()].map((key) => key.length))];
    this.#prefixLengths = [...new Set([...this.#slotsByPrefix.keys()].map((key) => key.length))];
  }

  /** Every match, by first token and then by end; the same payload at the same place is given once. */
  findAll(text: MatchableText): readonly PhraseMatch<Payload>[] {
    const matches: PhraseMatch<Payload>[] = [];
    for (const sentence of text.sentences) {
      for (let start = sentence.firstToken; start < sentence.endToken; start += 1) {
        const found: PhraseMatch<Payload>[] = [];
        this.#walk({ text, start, limit: sentence.endToken, found }, this.#root, start);
        found.sort((left, right) => left.endToken - right.endToken);
        matches.push(...found);
      }
    }
    return matches;
  }

  #walk(search: Search<Payload>, node: TrieNode<Payload>, at: number): void {
    for (const { payload, inflected } of node.ends) {
      const known = search.found.some((match) => match.payload === payload && match.endToken === at);
      if (!known) search.found.push({ payload, firstToken: search.start, endToken: at, inflected });
    }
    if (at >= search.limit) return;
    const word = search.text.tokens[at]?.norm ?? "";
    if (node.edges.size > 0) {
      for (const slot of this.#slotsOf(word)) {
        const next = node.edges.get(slot);
        if (next !== undefined) this.#walk(search, next, at + 1);
      }
    }
    const numberEnd = search.text.numberEnds[at] ?? 0;
    if (node.number !== null && numberEnd > at && numberEnd <= search.limit) {
      this.#walk(search, node.number, numberEnd);
    }
    if (node.gap !== null) {
      for (let skipped = 0; skipped <= MAX_GAP_TOKENS && at + skipped < search.limit; skipped += 1) {
        this.#walk(search, node.gap, at + skipped);
      }
    }
  }

  #slotsOf(word: string): readonly number[] {
    const known = this.#remembered.get(word);
    if (known !== undefined) return known;
    const slots = new Set(this.#slotsByWord.get(word));
    for (const length of this.#suffixLengths) {
      if (length > word.length) continue;
      for (const slot of this.#slotsBySuffix.get(word.slice(-length)) ?? []) slots.add(slot);
    }
    for (const length of this.#prefixLengths) {
      if (length > word.length) continue;
      for (const slot of this.#slotsByPrefix.get(word.slice(0, length)) ?? []) slots.add(slot);
    }
    if (this.#remembered.size >= MAX_REMEMBERED_WORDS) this.#remembered.clear();
    const list = [...slots];
    this.#remembered.set(word, list);
    return list;
  }

  #add(slots: readonly PhraseSlot[], payload: Payload): void {
    let node = this.#root;
    let inflected = false;
    for (const slot of slots) {
      if (slot.kind === "gap") {
        node.gap ??= newNode();
        node = node.gap;
      } else if (slot.kind === "number") {
        node.number ??= newNode();
        node = node.number;
      } else {
        inflected ||= slot.alternatives.some((word) => word.startsWith("*"));
        node = childOf(node, this.#slotId(slot.alternatives));
      }
    }
    node.ends.push({ payload, inflected });
  }

  #slotId(alternatives: readonly string[]): number {
    const key = alternatives.join("|");
    const known = this.#slotIds.get(key);
    if (known !== undefined) return known;
    const id = this.#slotIds.size;
    this.#slotIds.set(key, id);
    for (const word of alternatives) {
      if (word.startsWith("*")) pushTo(this.#slotsBySuffix, word.slice(1), id);
      else if (word.endsWith("*")) pushTo(this.#slotsByPrefix, word.slice(0, -1), id);
      else pushTo(this.#slotsByWord, word, id);
    }
    return id;
  }
}

interface Search<Payload> {
  readonly text: MatchableText;
  readonly start: number;
  readonly limit: number;
  readonly found: PhraseMatch<Payload>[];
}

function newNode<Payload>(): TrieNode<Payload> {
  return { edges: new Map(), ends: [], gap: null, number: null };
}

function childOf<Payload>(node: TrieNode<Payload>, slot: number): TrieNode<Payload> {
  const known = node.edges.get(slot);
  if (known !== undefined) return known;
  const child = newNode<Payload>();
  node.edges.set(slot, child);
  return child;
}

function pushTo(index: Map<string, number[]>, key: string, value: number): void {
  const list = index.get(key);
  if (list === undefined) index.set(key, [value]);
  else list.push(value);
}

/** Over phrases that all mean the same: it is asked only where they stand. */
export function matcherOf(phrases: readonly string[]): PhraseMatcher<true> {
  return new PhraseMatcher(phrases.map((phrase) => ({ phrase, payload: true as const })));
}
