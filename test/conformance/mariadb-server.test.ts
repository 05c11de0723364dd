import { sql } from "kysely";
import { describe } from "vitest";
import { isMissing } from "../support/requirements.js";
import { askMariadb, startMariadb } from "../support/start-mariadb.js";
import { describeDatabaseServer } from "./database-server-contract.js";

describe.skipIf(isMissing("mariadb", "openssl"))("a server", () =>
  describeDatabaseServer({
    name: "MariaDB",
    start: (files) =>
      startMariadb({
        ...{ isDurable: true, files },
        settings: [
          ...["--transaction-isolation=SERIALIZABLE", "--sql-mode=ANSI,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH", "--default-time-zone=+03:00"],
          ...["--collation-server=latin1_swedish_ci", "--ssl-cert=DIRECTORY/server.crt", "--ssl-key=DIRECTORY/server.key"],
        ],
      }),
    async createDatabase(server, password) {
      await askMariadb(server.adminUrl, [
        "create database openchs",
        `create user helpline@'127.0.0.1' identified by '${password}'`,
        "grant all privileges on openchs.* to helpline@'127.0.0.1'",
      ]);
      return `mariadb://helpline:${encodeURIComponent(password)}@localhost:${server.port}/openchs`;
    },
    // Its driver compares names only, so an address can not be verified and is refused.
    ...({ certifiedFor: "DNS:localhost", strangeHost: "127.0.0.1", strangeHostError: "CONFIG_INVALID" } as const),
    countSessions: "select count(*) as count from information_schema.processlist where db = 'openchs'",
    isEncrypted: "select variable_value <> '' as encrypted from information_schema.session_status where variable_name = 'ssl_cipher'",
    async endSessions({ sql: db }) {
      const query = sql<{ id: number }>`select id from information_schema.processlist where db = 'openchs' and id <> connection_id()`;
      for (const { id } of (await query.execute(db)).rows) await sql`kill ${sql.lit(id)}`.execute(db);
    },
  }),
);
