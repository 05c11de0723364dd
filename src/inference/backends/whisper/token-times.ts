/**
 * When each token was said, from what the decoder listened to: attention heads that follow the sound, smoothed, and the best
 * path through them (dynamic time warping). The same steps as Hugging Face's and OpenAI's. Pure.
 */

/** Attention of one head: how much each row (a token that was read) listened to each column (20 ms of sound). */
export interface HeadAttention {
  /** `Float32Array[rows * stride]`; columns beyond `columns` are not looked at. */
  readonly weights: Float32Array;
  readonly stride: number;
}

const MEDIAN_WIDTH = 7;

/** @param columns - as many as there is sound. @returns per row the column at which its next token begins */
export function tokenColumns(heads: readonly HeadAttention[], rows: number, columns: number): readonly number[] {
  const mean = new Float64Array(rows * columns);
  for (const head of heads) {
    const smoothed = smooth(standardize(head, rows, columns), rows, columns);
    for (let index = 0; index < mean.length; index++) mean[index] = (mean[index] ?? 0) + (smoothed[index] ?? 0) / heads.length;
  }
  return firstColumns(mean, rows, columns);
}

/** @param columns - as many as there is sound. @returns per row the column that the heads together listened to most */
export function attendedColumns(heads: readonly HeadAttention[], rows: number, columns: number): readonly number[] {
  return Array.from({ length: rows }, (_, row) => {
    let best = 0;
    let most = Number.NEGATIVE_INFINITY;
    for (let column = 0; column < columns; column++) {
      const attention = heads.reduce((sum, { weights, stride }) => sum + (weights[row * stride + column] ?? 0), 0);
      if (attention > most) [best, most] = [column, attention];
    }
    return best;
  });
}

/** Over the rows of each column: mean 0, deviation 1. */
function standardize({ weights, stride }: HeadAttention, rows: number, columns: number): Float64Array {
  const result = new Float64Array(rows * columns);
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    let squares = 0;
    for (let row = 0; row < rows; row++) sum += weights[row * stride + column] ?? 0;
    const mean = sum / rows;
    for (let row = 0; row < rows; row++) squares += ((weights[row * stride + column] ?? 0) - mean) ** 2;
    const deviation = Math.sqrt(squares / rows);
    for (let row = 0; row < rows; row++) result[row * columns + column] = deviation === 0 ? 0 : ((weights[row * stride + column] ?? 0) - mean) / deviation;
  }
  return result;
}

/** Median of seven neighbours in time, mirrored at the ends; a row shorter than that stays. */
function smooth(values: Float64Array, rows: number, columns: number): Float64Array {
  const reach = (MEDIAN_WIDTH - 1) / 2;
  if (columns <= reach) return values;
  const result = new Float64Array(values.length);
  const around = new Float64Array(MEDIAN_WIDTH);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (let offset = -reach; offset <= reach; offset++) {
        const at = Math.abs(column + offset);
        insertSorted(around, offset + reach, values[row * columns + (at < columns ? at : 2 * (columns - 1) - at)] ?? 0);
      }
      result[row * columns + column] = around[reach] ?? 0;
    }
  }
  return result;
}

/** The first `count` values are sorted, and one more is put among them: a million of these are made for half a minute. */
function insertSorted(values: Float64Array, count: number, added: number): void {
  let place = count;
  for (; place > 0 && (values[place - 1] ?? 0) > added; place--) values[place] = values[place - 1] ?? 0;
  values[place] = added;
}

const DIAGONAL = 0;
const DOWN = 1;
const RIGHT = 2;

/** The path of most attention from the first row and column to the last; where it enters each row. */
function firstColumns(gain: Float64Array, rows: number, columns: number): readonly number[] {
  const width = columns + 1;
  const cost = new Float64Array((rows + 1) * width).fill(Number.POSITIVE_INFINITY);
  const trace = new Uint8Array((rows + 1) * width);
  cost[0] = 0;
  for (let column = 1; column <= columns; column++) {
    for (let row = 1; row <= rows; row++) {
      const diagonal = cost[(row - 1) * width + column - 1] ?? 0;
      const down = cost[(row - 1) * width + column] ?? 0;
      const right = cost[row * width + column - 1] ?? 0;
      const step = diagonal < down && diagonal < right ? DIAGONAL : down < diagonal && down < right ? DOWN : RIGHT;
      trace[row * width + column] = step;
      cost[row * width + column] = (step === DIAGONAL ? diagonal : step === DOWN ? down : right) - (gain[(row - 1) * columns + column - 1] ?? 0);
    }
  }
  const first = new Array<number>(rows).fill(0);
  let row = rows;
  let column = columns;
  while (row > 0) {
    first[row - 1] = Math.max(0, column - 1);
    const step = column === 0 ? DOWN : trace[row * width + column];
    if (step !== DOWN) column--;
    if (step !== RIGHT) row--;
  }
  return first;
}
