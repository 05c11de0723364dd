/** Reads subtitles as a player does: SubRip (`.srt`) and WebVTT (`.vtt`). Anything not well formed throws. */

export interface Cue {
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
}

const SRT_TIME = /^(\d{2,}):([0-5]\d):([0-5]\d),(\d{3}) --> (\d{2,}):([0-5]\d):([0-5]\d),(\d{3})$/;
const VTT_TIME = /^(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3}) --> (?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})$/;

function cueOf(timeLine: string, pattern: RegExp, lines: readonly string[]): Cue {
  const found = pattern.exec(timeLine);
  if (found === null) throw new Error(`not a line of times: ${timeLine}`);
  const numbers = found.slice(1).map((digits) => Number(digits ?? 0));
  const at = (from: number): number =>
    ((numbers[from] ?? 0) * 3_600 + (numbers[from + 1] ?? 0) * 60 + (numbers[from + 2] ?? 0)) * 1_000 + (numbers[from + 3] ?? 0);
  return { startMs: at(0), endMs: at(4), text: lines.join("\n") };
}

/** Blocks between empty lines; line ends of either kind. */
function blocksOf(text: string): readonly (readonly string[])[] {
  const blocks = text
    .replaceAll("\r\n", "\n")
    .split(/\n{2,}/)
    .map((block) => block.split("\n").filter((line) => line !== ""));
  return blocks.filter((block) => block.length > 0);
}

export function readSrt(text: string): readonly Cue[] {
  return blocksOf(text).map(([number = "", times = "", ...lines], index) => {
    if (number !== String(index + 1)) throw new Error(`cue ${index + 1} has the number ${number}`);
    return cueOf(times, SRT_TIME, lines);
  });
}

export function readVtt(text: string): readonly Cue[] {
  const [head, ...blocks] = blocksOf(text);
  if (head?.length !== 1 || head[0] !== "WEBVTT") throw new Error("a WebVTT file begins with WEBVTT and an empty line");
  return blocks.map((block) => {
    const lines = block[0]?.includes("-->") === true ? block : block.slice(1);
    const [times = "", ...words] = lines;
    return cueOf(times, VTT_TIME, words);
  });
}
