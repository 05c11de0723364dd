import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type LinearModel, LinearScorer, linearModelSchema } from "../../../src/inference/backends/builtin/linear/linear-weights.js";
import { readModelLines } from "../../../src/inference/backends/builtin/linear/model-lines.js";
import { ROOT } from "../../support/source-tree.js";

const HEAD = '{"id":"m","version":1,"labels":["a","b"],"scale":100,"weights":{\n';

describe("a model file with a feature a line", () => {
  it.each(["case", "entity-tagger", "risk", "topics"])("is the same model as the JSON it is: %s", (name) => {
    const content = readFileSync(join(ROOT, "data", "models", `${name}.json`), "utf8");
    const read = readModelLines(content);
    const { labels, scale, starts, runs } = linearModelSchema.parse(JSON.parse(content));
    expect([read?.labels, read?.scale, read?.starts.size]).toEqual([labels, scale, starts.size]);
    expect(read?.runs.length).toBe(runs.length);
    for (const [feature, start] of starts) {
      const from = read?.starts.get(feature) ?? -1;
      const pairs = runs.subarray(start, start + 1 + (runs[start] ?? 0));
      expect(read?.runs.subarray(from, from + pairs.length).toString()).toBe(pairs.toString());
    }
  });

  it("may have any characters in its features", () => {
    const read = readModelLines(`${HEAD}"a \\"b\\" \\\\ é":[0,-12],\n"x:[1]":[1,7]\n}}\n`);
    expect([...(read?.starts.keys() ?? [])]).toEqual(['a "b" \\ é', "x:[1]"]);
    expect([...(read?.runs ?? [])]).toEqual([1, -12 * 256, 1, 7 * 256 + 1]);
  });

  it("gives back the weights it holds, of any sign and size", () => {
    const weights = { x: [0, -8_388_607, 255, 8_388_607], y: [3, -1, 7, 0] };
    const labels = Array.from({ length: 256 }, (_, index) => `l${index}`);
    const lines = Object.entries(weights).map(([feature, pairs]) => `${JSON.stringify(feature)}:${JSON.stringify(pairs)}`);
    const content = `{"id":"m","version":1,"labels":${JSON.stringify(labels)},"scale":1,"weights":{\n${lines.join(",\n")}\n}}\n`;
    for (const model of [readModelLines(content), linearModelSchema.parse(JSON.parse(content))]) {
      const scorer = new LinearScorer(model as LinearModel);
      expect(["x", "y", "z"].map((feature) => [0, 3, 7, 255].map((label) => scorer.weight(feature, label)))).toEqual([
        [-8_388_607, 0, 0, 8_388_607],
        [0, -1, 0, 0],
        [0, 0, 0, 0],
      ]);
      expect([...scorer.scores(["x", "y"])].filter((score) => score !== 0)).toEqual([-8_388_607, -1, 8_388_607]);
    }
  });

  it.each([
    ["of a weight too great", `${HEAD}"x":[0,8388608]\n}}\n`],
    ["of a label that there is no room for", `${HEAD}"x":[256,1]\n}}\n`],
    ["of a label below none", `${HEAD}"x":[-1,1]\n}}\n`],
    ["of half a pair", `${HEAD}"x":[0,1,1]\n}}\n`],
  ])("is refused both ways %s", (_case, content) => {
    expect(readModelLines(content)).toBeUndefined();
    expect(linearModelSchema.safeParse(JSON.parse(content)).success).toBe(false);
  });

  it.each([
    ["laid out otherwise", '{"id":"m","version":1,"labels":["a"],"scale":1,"weights":{"x":[0,1]}}\n'],
    ["of a wrong head", `${HEAD.replace('"scale":100', '"scale":0')}"x":[0,1]\n}}\n`],
    ["with half a pair", `${HEAD}"x":[0,1,1]\n}}\n`],
    ["with a number that is not whole", `${HEAD}"x":[0,1.5]\n}}\n`],
    ["cut off", `${HEAD}"x":[0,1],\n"y":[0`],
  ])("is left to JSON when it is one %s", (_case, content) => {
    expect(readModelLines(content)).toBeUndefined();
  });
});
