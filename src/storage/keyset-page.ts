/** Pages of a list that is read one row further than it is shown, to learn whether there is more. */

export interface KeysetPage<Row> {
  readonly rows: readonly Row[];
  /** The last of them, after which the next page begins; absent on the last page. */
  readonly last?: Row;
}

/** @param found - up to one more than `limit` */
export function cutPage<Row>(found: readonly Row[], limit: number): KeysetPage<Row> {
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return found.length <= limit || last === undefined ? { rows } : { rows, last };
}
