import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { linearModelSchema } from "../../../src/inference/backends/builtin/linear/linear-weights.js";
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
    expect([...(read?.runs ?? [])]).toEqual([2, 0, -12, 2, 1, 7]);
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
