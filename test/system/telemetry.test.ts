/** No library under us reports to its maker: ONNX Runtime, left alone, keeps a device id and a queue of reports for Microsoft. */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { newStreamId } from "../support/live-gateway.js";
import { openLeg } from "../support/live-legs.js";
import { isMissing } from "../support/requirements.js";
import { runCli, serve } from "../support/run-cli.js";
import { shortClip } from "../support/sample-audio.js";
import { legOf } from "../support/telephone-leg.js";
import { makeTemporaryDirectory } from "../support/temporary-directory.js";
import { until } from "../support/until.js";

/** With any of these it would be silent by itself, and a test would show nothing. */
const SILENCING = ["CI", "TF_BUILD", "GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL", "BUILDKITE", "ORT_RUNNING_UNIT_TESTS", "ORT_DISABLE_TELEMETRY"];

/** A user's folders, empty, where ONNX Runtime would keep its reports and their log. */
function emptyFolders(parent: string): { readonly env: Record<string, string | undefined>; left(): readonly string[] } {
  const [home, temporary] = [join(parent, "home"), join(parent, "temporary")] as const;
  for (const folder of [home, temporary]) mkdirSync(folder);
  const silencing = Object.fromEntries(SILENCING.map((name) => [name, undefined]));
  return {
    env: { ...silencing, HOME: home, TMPDIR: temporary, XDG_CACHE_HOME: undefined, DEFAULT_LANGUAGES: "en" },
    left: () => [home, temporary].flatMap((folder) => readdirSync(folder, { recursive: true }).map(String)),
  };
}

describe.skipIf(isMissing("pocketsphinx"))("what libraries report", () => {
  it("is nothing, of a recording on the command line", async () => {
    const directory = await makeTemporaryDirectory();
    const { env, left } = emptyFolders(directory.path);
    writeFileSync(join(directory.path, "clip.wav"), shortClip("child-violence-home", 6));
    const { exitCode, stdout } = await runCli(["process", join(directory.path, "clip.wav"), "--json", "--language", "en"], { env });
    expect(exitCode).toBe(0);
    expect(stdout).toContain("silero");
    expect(left()).toEqual([]);
    await directory.remove();
  });

  it("is nothing, of a live call", async () => {
    const directory = await makeTemporaryDirectory();
    const { env, left } = emptyFolders(directory.path);
    await using service = await serve(join(directory.path, "data"), { env });
    using leg = await openLeg(service.streamPort, newStreamId());
    await leg.speak(legOf("child-violence-home", 0, 3_000, 6_000), 4);
    await leg.hangUp();
    const calls = async () => (await service.json<{ items: readonly { status: string }[] }>("/api/v1/calls")).items;
    await until("the call is analysed", async () => (await calls())[0]?.status === "completed", 60_000, 50);
    expect(left()).toEqual([]);
    expect(await service.end("SIGTERM")).toBe(0);
    await directory.remove();
  });
});
