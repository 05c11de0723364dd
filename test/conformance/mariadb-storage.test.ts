import { describe } from "vitest";
import { isMissing } from "../support/requirements.js";
import { startMariadbHarness } from "../support/storage-harness.js";
import { describeStorageContract } from "./storage-contract.js";

describe.skipIf(isMissing("mariadb"))("a server", () => describeStorageContract("MariaDB", startMariadbHarness));
