import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { openDatabase } from "../../../src/storage/database.js";
import { parseServerAddress, tlsOptions } from "../../../src/storage/dialects/server/server-address.js";

describe("the address of a database server", () => {
  it("is read from a URL, with what its password may hold", () => {
    expect(parseServerAddress("postgres://help%40line:p%40ss%3Aw%2Frd%25@db.example:6543/open%20chs", 5432)).toEqual({
      ...{ host: "db.example", port: 6543, user: "help@line", password: "p@ss:w/rd%", database: "open chs" },
      ...{ socket: undefined, tlsMode: "disable", caFile: undefined },
    });
    expect(parseServerAddress("mysql://u:p@[::1]/d", 3306)).toMatchObject({ host: "::1", port: 3306 });
    expect(parseServerAddress("postgresql://u:p@localhost/d?host=/run/postgresql", 5432)).toMatchObject({ host: "localhost", socket: "/run/postgresql" });
  });

  it("says how it is encrypted, in either server's words", () => {
    const modeOf = (query: string) => parseServerAddress(`postgres://u:p@h/d${query}`, 1).tlsMode;
    expect(["", "?sslmode=disable", "?sslmode=require", "?ssl-mode=VERIFY_CA", "?ssl-mode=VERIFY_IDENTITY", "?ssl-ca=/ca.pem"].map(modeOf)).toEqual([
      ...["disable", "disable", "require", "verify-ca", "verify-full", "verify-full"],
    ]);
  });

  it("trusts any certificate only when that is what the URL asks for", async () => {
    const optionsOf = (query: string) => tlsOptions(parseServerAddress(`postgres://u:p@h/d${query}`, 1));
    expect(await optionsOf("")).toBeUndefined();
    expect(await optionsOf("?sslmode=require")).toMatchObject({ rejectUnauthorized: false });
    expect(await optionsOf("?sslmode=verify-ca")).toMatchObject({ rejectUnauthorized: true });
    expect(await optionsOf("?sslmode=verify-full")).toEqual({ servername: "h", rejectUnauthorized: true });
  });

  it.each([
    ["no URL", "postgres://user:s3cret@host:port/d"],
    ["a bare percent sign", "postgres://user:s3cret%@host/d"],
    ["no database", "postgres://user:s3cret@host"],
    ["a misspelt parameter", "mysql://user:s3cret@host/d?sslmod=require"],
    ["an unknown mode of TLS", "mysql://user:s3cret@host/d?sslmode=prefer"],
  ])("is refused with %s, and its password is not told", (_, url) => {
    let error: unknown;
    try {
      openDatabase({ url });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: "CONFIG_INVALID", retryable: false });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain("s3cret");
  });
});
