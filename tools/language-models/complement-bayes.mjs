/** Complement naive Bayes (Rennie et al. 2003) over sets of features, weighted by how rare they are. */

const SMOOTHING = 0.3;
const MIN_ROWS = 2;
const SCALE = 100;
const MIN_WEIGHT = 4;

/** Columns of weights for labels. @param rows - `{ features, weight }`; `labelOf(row)` undefined leaves a row out */
function columnsOf(rows, rarity, labelOf) {
  const byLabel = new Map();
  const all = new Map();
  let allTotal = 0;
  for (const row of rows) {
    const label = labelOf(row);
    if (label === undefined) continue;
    const known = row.features.filter((feature) => rarity.has(feature));
    const norm = row.weight / Math.sqrt(known.reduce((sum, feature) => sum + rarity.get(feature) ** 2, 0) || 1);
    const own = byLabel.get(label) ?? { counts: new Map(), total: 0 };
    byLabel.set(label, own);
    for (const feature of known) {
      const value = rarity.get(feature) * norm;
      own.counts.set(feature, (own.counts.get(feature) ?? 0) + value);
      own.total += value;
      all.set(feature, (all.get(feature) ?? 0) + value);
      allTotal += value;
    }
  }
  return [...byLabel].map(([label, { counts, total }]) => {
    const column = new Map();
    let length = 0;
    for (const feature of rarity.keys()) {
      const outside = ((all.get(feature) ?? 0) - (counts.get(feature) ?? 0) + SMOOTHING) / (allTotal - total + SMOOTHING * rarity.size);
      column.set(feature, -Math.log(outside));
      length += Math.abs(Math.log(outside));
    }
    for (const [feature, value] of column) column.set(feature, (value * rarity.size * rarity.get(feature)) / length);
    return [label, column];
  });
}

/** @param groups - functions that give a row's label, each for its own set of labels */
export function trainComplementBayes({ id, rows, groups }) {
  const seen = new Map();
  for (const { features } of rows) for (const feature of features) seen.set(feature, (seen.get(feature) ?? 0) + 1);
  const rarity = new Map([...seen].filter(([, count]) => count >= MIN_ROWS).map(([feature, count]) => [feature, Math.log(1 + rows.length / count)]));
  const sets = groups.map((labelOf) => columnsOf(rows, rarity, labelOf));
  const labels = sets.flat().map(([label]) => label);
  const weights = {};
  for (const feature of [...rarity.keys()].sort()) {
    const pairs = sets.flatMap((columns) => {
      // What a feature says to all labels alike decides nothing.
      const mean = columns.reduce((sum, [, column]) => sum + column.get(feature), 0) / columns.length;
      return columns.flatMap(([label, column]) => {
        const whole = Math.round((column.get(feature) - mean) * SCALE);
        return Math.abs(whole) >= MIN_WEIGHT ? [labels.indexOf(label), whole] : [];
      });
    });
    if (pairs.length > 0) weights[feature] = pairs;
  }
  return { id, version: 1, labels, scale: SCALE, weights };
}
