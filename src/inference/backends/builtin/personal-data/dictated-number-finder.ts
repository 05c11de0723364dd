/**
 * Numbers that are dictated over several turns, or that a recognizer cut at the pauses: "zero seven two two", "yes", "three
 * four five". A piece alone is too short to be personal; what they are together tells.
 */
import type { PiiKind } from "../../../../security/masking/pii-detector.js";
import type { TokenRange } from "../text/tokenizer.js";
import { lastCue, type NumberRun, type NumberTurn } from "./number-run-finder.js";

/** In all pieces, the listener's repetitions among them: where nothing says that a number comes, and where something does. */
const LEAST_DIGITS = 7;
const LEAST_DIGITS_WITH_CUE = 5;
const PHONE_DIGITS = 9;
/** Turns without a digit between two pieces ("yes", "I am writing"), and words in one of them. */
const GAP = { turns: 2, words: 6 };
/** Words beside the digits of a piece; more where its digits are at least three and end the turn. */
const WORDS_BESIDE = 4;
const DIGITS_OF_END = 3;
/** A shorter piece counts right after a longer one. */
const LEAST_DIGITS_OF_PIECE = 2;

interface Piece {
  readonly index: number;
  readonly run: TokenRange & { readonly digits: number };
}

interface Chain {
  readonly pieces: Piece[];
  cue: PiiKind | undefined;
  gap: number;
}

/** @returns for each turn what of it is of such a number */
export function findDictatedNumbers(call: readonly NumberTurn[]): readonly (readonly NumberRun[])[] {
  const found: NumberRun[][] = call.map(() => []);
  const settle = ({ pieces, cue }: Chain): void => {
    const digits = pieces.reduce((sum, { run }) => sum + run.digits, 0);
    if (pieces.length < 2 || digits < (cue === undefined ? LEAST_DIGITS : LEAST_DIGITS_WITH_CUE)) return;
    const kind = cue ?? (digits >= PHONE_DIGITS ? "PHONE_NUMBER" : "NATIONAL_ID");
    for (const { index, run } of pieces) found[index]?.push({ kind, firstToken: run.firstToken, endToken: run.endToken });
  };
  let chain: Chain = { pieces: [], cue: undefined, gap: 0 };
  const begin = (cue: PiiKind | undefined): void => {
    settle(chain);
    chain = { pieces: [], cue, gap: 0 };
  };
  for (const [index, turn] of call.entries()) {
    const cue = lastCue(turn);
    const piece = pieceOf(turn, { index, isAfterPiece: chain.pieces.length > 0 });
    if (piece !== undefined) {
      chain.pieces.push(piece);
      chain.cue ??= cue;
      chain.gap = 0;
      continue;
    }
    chain.gap += 1;
    const isOpen = chain.pieces.length > 0 || chain.cue !== undefined;
    const isBetween = isOpen && chain.gap <= GAP.turns && turn.reading.tokens.length <= GAP.words && turn.uncountedRuns.length === 0;
    if (!isBetween || (cue !== undefined && cue !== chain.cue)) begin(cue);
  }
  settle(chain);
  return found;
}

function pieceOf(
  { reading, uncountedRuns: runs }: NumberTurn,
  { index, isAfterPiece }: { readonly index: number; readonly isAfterPiece: boolean },
): Piece | undefined {
  const last = runs.at(-1);
  if (last === undefined) return undefined;
  const { firstToken, endToken, digits } = last;
  // "Khadija eleven, Bakari nine": one after the other they are told, and not dictated.
  const isAlone = runs.length === 1 && reading.tokens.length - (endToken - firstToken) <= WORDS_BESIDE;
  if (isAlone) return digits >= LEAST_DIGITS_OF_PIECE || isAfterPiece ? { index, run: last } : undefined;
  return endToken === reading.tokens.length && digits >= DIGITS_OF_END ? { index, run: last } : undefined;
}
