import { describe } from "vitest";
import { isMissing } from "../support/requirements.js";
import { startPostgresHarness } from "../support/storage-harness.js";
import { describeStorageContract } from "./storage-contract.js";

describe.skipIf(isMissing("postgres"))("a server", () => describeStorageContract("PostgreSQL", startPostgresHarness));
