import { startSqliteHarness } from "../support/storage-harness.js";
import { describeStorageContract } from "./storage-contract.js";

describeStorageContract("SQLite", startSqliteHarness);
