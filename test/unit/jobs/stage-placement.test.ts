import { describe, expect, it } from "vitest";
import { ANALYSIS_STAGES } from "../../../src/core/analysis-result.js";
import { defaultQueues, placeStages } from "../../../src/jobs/stage-placement.js";

describe("the stages of a recording", () => {
  it("all run on any worker when none is for a GPU", () => {
    const { runsHere, queueOf } = placeStages({ cudaStages: [], queues: ["recordings-cuda"] });
    expect(ANALYSIS_STAGES.filter(runsHere)).toEqual(ANALYSIS_STAGES);
    expect(queueOf("transcript")).toBe("recordings");
  });

  it("are decoded where they are transcribed", () => {
    const gpu = placeStages({ cudaStages: ["transcript", "translation"], queues: ["recordings-cuda", "models"] });
    expect(ANALYSIS_STAGES.filter(gpu.runsHere)).toEqual(["decode", "voice_activity", "transcript", "translation"]);
    const rest = placeStages({ cudaStages: ["transcript", "translation"], queues: ["recordings"] });
    expect(ANALYSIS_STAGES.filter(rest.runsHere)).toEqual(["entities", "classification", "risk", "summary", "answers", "quality"]);
    expect(placeStages({ cudaStages: ["translation"], queues: ["recordings"] }).runsHere("decode")).toBe(true);
  });

  it("all run where both queues are served", () => {
    const { runsHere } = placeStages({ cudaStages: ["transcript"], queues: ["recordings", "recordings-cuda"] });
    expect(ANALYSIS_STAGES.filter(runsHere)).toEqual(ANALYSIS_STAGES);
  });
});

describe("the queues of a worker that was told none", () => {
  const ALL = ["recordings", "recordings-cuda", "models"];
  it.each([
    { cudaStages: [], setting: "cpu", found: "cpu", queues: ALL },
    { cudaStages: [], setting: "cuda", found: "cuda", queues: ALL },
    { cudaStages: ["transcript"], setting: "auto", found: "cpu", queues: ["recordings", "models"] },
    { cudaStages: ["transcript"], setting: "cpu", found: "cpu", queues: ["recordings", "models"] },
    { cudaStages: ["transcript"], setting: "auto", found: "cuda", queues: ALL },
    { cudaStages: ["transcript"], setting: "cuda", found: "cuda", queues: ["recordings-cuda", "models"] },
    { cudaStages: ["transcript"], setting: "cuda", found: "cpu", queues: ["recordings-cuda", "models"] },
  ] as const)("are $queues with --device $setting, $found there and stages $cudaStages for a GPU", ({ cudaStages, setting, found, queues }) => {
    expect(defaultQueues(cudaStages, { setting, found })).toEqual(queues);
  });
});
