/** Every command line in the image, the Compose file and the Kubernetes files is one that the program understands. */
import { describe, expect, it } from "vitest";
import { faultsOfCommandLine } from "../support/command-lines.js";
import { podsOf, readCluster } from "../support/deployed-cluster.js";
import { readDockerfile, readYaml } from "../support/deployment-files.js";

interface Service {
  readonly image: string;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
}

const ofImage = readDockerfile("image/Dockerfile")
  .filter(({ name }) => name === "CMD")
  .map(({ text }) => JSON.parse(text) as string[]);
const ofCompose = Object.values(readYaml<{ services: Record<string, Service> }>("compose/compose.yaml").services)
  .filter(({ image, entrypoint }) => image.startsWith("openchs-ai") && entrypoint === undefined)
  .map(({ command = [] }) => command);
const ofCluster = podsOf(readCluster("kubernetes/overlays/example").resources).flatMap(({ pod }) => pod.containers.map(({ args = [] }) => args));

describe("the command lines of the deployment files", () => {
  it("are understood", () => {
    expect([ofImage.length, ofCompose.length, ofCluster.length]).toEqual([2, 4, 4]);
    expect([...ofImage, ...ofCompose, ...ofCluster].flatMap(faultsOfCommandLine)).toEqual([]);
  });

  it("would be found wrong if they were", () => {
    expect(faultsOfCommandLine(["worker", "--gpu"])).toEqual(["worker knows no --gpu"]);
    expect(faultsOfCommandLine(["wroker"])).toEqual(["wroker is no command"]);
  });
});
