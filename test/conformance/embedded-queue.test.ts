import { join } from "node:path";
import { createEmbeddedHarness } from "../support/embedded-queue-harness.js";
import { makeTemporaryDirectory } from "../support/temporary-directory.js";
import { describeQueueContract } from "./queue-contract.js";

describeQueueContract("embedded", async () => {
  const directory = await makeTemporaryDirectory();
  return createEmbeddedHarness({ options: { path: join(directory.path, "queue.db") }, remove: directory.remove });
});
