import { afterAll, beforeAll, describe } from "vitest";
import type { TestServer } from "../support/database-program.js";
import { createEmbeddedHarness } from "../support/embedded-queue-harness.js";
import { isMissing } from "../support/requirements.js";
import { askPostgres, startPostgres } from "../support/start-postgres.js";
import { describeQueueContract } from "./queue-contract.js";

describe.skipIf(isMissing("postgres"))("a server", () => {
  let server: TestServer;
  let count = 0;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  describeQueueContract("embedded on PostgreSQL", async () => {
    count += 1;
    const name = `queue_${count}`;
    const ask = (statement: string) => askPostgres(`${server.adminUrl}/postgres`, [statement]);
    await ask(`create database ${name}`);
    return createEmbeddedHarness({ options: { url: `${server.adminUrl}/${name}` }, remove: () => ask(`drop database ${name} with (force)`) });
  });
});
