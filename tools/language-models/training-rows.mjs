/** What both ways of learning need of their rows: how often a feature is in them, and an order that is mixed alike each time. */

/** A row comes with its copy without capitals, so this is two of the data. */
const MIN_ROWS = 4;

/** In how many rows each feature is, of those that are in enough to learn from. @param rows - `{ features: string[] }` */
export function frequentFeatures(rows) {
  const seen = new Map();
  for (const { features } of rows) for (const feature of features) seen.set(feature, (seen.get(feature) ?? 0) + 1);
  return new Map([...seen].filter(([, times]) => times >= MIN_ROWS));
}

/** In place. @param random - a `SeededRandom` */
export function shuffle(items, random) {
  for (let at = items.length - 1; at > 0; at--) {
    const other = random.below(at + 1);
    [items[at], items[other]] = [items[other], items[at]];
  }
}
