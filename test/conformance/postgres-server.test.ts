import { sql } from "kysely";
import { describe } from "vitest";
import { isMissing } from "../support/requirements.js";
import { askPostgres, startPostgres } from "../support/start-postgres.js";
import { describeDatabaseServer } from "./database-server-contract.js";

describe.skipIf(isMissing("postgres", "openssl"))("a server", () =>
  describeDatabaseServer({
    name: "PostgreSQL",
    start: (files) =>
      startPostgres({
        ...{ isDurable: true, files },
        settings: [
          ...["default_transaction_isolation=serializable", "timezone=Africa/Nairobi", "standard_conforming_strings=off", "datestyle=German"],
          ...["ssl=on", "ssl_cert_file=DIRECTORY/server.crt", "ssl_key_file=DIRECTORY/server.key"],
        ],
      }),
    async createDatabase(server, password) {
      await askPostgres(`${server.adminUrl}/postgres`, [`create role helpline login password '${password}'`, "create database openchs owner helpline"]);
      return `postgresql://helpline:${encodeURIComponent(password)}@127.0.0.1:${server.port}/openchs`;
    },
    ...({ certifiedFor: "IP:127.0.0.1", strangeHost: "localhost", strangeHostError: "STORAGE_UNAVAILABLE" } as const),
    countSessions: "select count(*) as count from pg_stat_activity where datname = 'openchs' and backend_type = 'client backend'",
    isEncrypted: "select ssl as encrypted from pg_stat_ssl where pid = pg_backend_pid()",
    async endSessions({ sql: db }) {
      await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = 'openchs' and pid <> pg_backend_pid()`.execute(db);
    },
  }),
);
