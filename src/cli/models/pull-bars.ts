/** A bar for each file that comes, and one for all of them. */
import { MultiBar, Presets, type SingleBar } from "cli-progress";

export interface PullBars {
  readonly show: (path: string, doneBytes: number, sizeBytes: number) => void;
  readonly stop: () => void;
}

const MEGABYTE = 1e6;

export function createPullBars(): PullBars {
  const bars = new MultiBar(
    { format: "{bar} {percentage}%  {mb} of {ofMb} MB  {path}", hideCursor: true, stopOnComplete: false, stream: process.stderr },
    Presets.shades_grey,
  );
  const files = new Map<string, { readonly bar: SingleBar; doneBytes: number; readonly sizeBytes: number }>();
  const words = (path: string, doneBytes: number, sizeBytes: number) => ({
    path,
    mb: (doneBytes / MEGABYTE).toFixed(1),
    ofMb: (sizeBytes / MEGABYTE).toFixed(1),
  });
  const total = bars.create(1, 0, words("all", 0, 0));
  return {
    show(path, doneBytes, sizeBytes) {
      const known = files.get(path) ?? { bar: bars.create(Math.max(1, sizeBytes), 0, words(path, 0, sizeBytes)), doneBytes: 0, sizeBytes };
      files.set(path, known);
      known.doneBytes = doneBytes;
      known.bar.update(doneBytes, words(path, doneBytes, sizeBytes));
      const sum = (pick: (file: { readonly doneBytes: number; readonly sizeBytes: number }) => number): number =>
        [...files.values()].reduce((all, file) => all + pick(file), 0);
      const [done, size] = [sum((file) => file.doneBytes), sum((file) => file.sizeBytes)];
      total.setTotal(Math.max(1, size));
      total.update(done, words("all", done, size));
    },
    stop: () => bars.stop(),
  };
}
