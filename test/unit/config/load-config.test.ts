import { describe, expect, it } from "vitest";
import { type ConfigSources, loadConfig } from "../../../src/config/load-config.js";
import { SETTINGS } from "../../../src/config/settings.js";
import { AppError } from "../../../src/core/errors.js";

/** The error of settings that must not load. */
function faultOf(sources: ConfigSources): AppError {
  try {
    loadConfig(sources);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("these settings were expected to be refused");
}

/** All that is told of an error. */
const toldBy = (error: AppError): string => `${error.message} ${error.safeMessage} ${JSON.stringify(error.details)} ${error.stack}`;

describe("loadConfig", () => {
  it("has a default for everything", () => {
    const config = loadConfig({});
    expect(config).toMatchObject({
      logLevel: "info",
      gateway: { host: "127.0.0.1", port: 8_125, requestsPerSecond: 100, requestBurst: 500, uploadsAtOnce: 64 },
      audio: { maxBytes: 536_870_912, maxDurationMs: 14_400_000, decodeTimeoutMs: 300_000, decoder: "auto" },
      language: { defaults: ["sw", "en"], translationTarget: "en" },
      queue: { concurrency: 0, leaseMs: 30_000, pollIntervalMs: 1_000, maxAttempts: 3, firstRetryDelayMs: 1_000 },
      inference: { processes: 0, speechEngine: "auto", maxWaiting: 1_000 },
      shutdownDeadlineMs: 30_000,
    });
    expect(config.dataDirectory).toMatch(/\.local\/share\/openchs-ai$/);
    expect(config.tls).toEqual({});
    expect(config.security).toEqual({});
  });

  it("lets the command line win over the environment, and that over the file", () => {
    const file = { PORT: 1, HOST: "file", LOG_LEVEL: "warn" };
    const env = { PORT: "2", HOST: "env" };
    const argv = { PORT: "3" };
    expect(loadConfig({ argv, env, file })).toMatchObject({ gateway: { port: 3, host: "env" }, logLevel: "warn" });
    expect(loadConfig({ env, file }).gateway.port).toBe(2);
    expect(loadConfig({ file }).gateway.port).toBe(1);
  });

  it("takes an empty variable of the environment for one that is not set", () => {
    expect(loadConfig({ env: { PORT: "", HOST: "" }, file: { PORT: 9 } }).gateway).toMatchObject({ port: 9, host: "127.0.0.1" });
  });

  it("ignores variables of the environment that are not settings", () => {
    expect(loadConfig({ env: { PATH: "/bin", SECRET_OF_OTHERS: "x" } }).gateway.port).toBe(8_125);
  });

  it("reads lists with blanks around their commas", () => {
    expect(loadConfig({ env: { DEFAULT_LANGUAGES: " sw , en,lg ," } }).language.defaults).toEqual(["sw", "en", "lg"]);
    expect(loadConfig({ file: { DEFAULT_LANGUAGES: ["am", "fr"] } }).language.defaults).toEqual(["am", "fr"]);
  });

  it("reports all faults together, each by variable and rule", () => {
    const error = faultOf({
      env: { PORT: "70000", LOG_LEVEL: "loud", DEFAULT_LANGUAGES: "sw,Klingon", JOB_LEASE_MS: "1.5", AUDIO_DECODER: "x" },
      file: { NO_SUCH: 1 },
    });
    expect(error.code).toBe("CONFIG_INVALID");
    for (const variable of ["PORT", "LOG_LEVEL", "DEFAULT_LANGUAGES", "JOB_LEASE_MS", "AUDIO_DECODER"]) {
      expect(error.safeMessage).toContain(`${variable} must be ${SETTINGS[variable]?.rule}`);
    }
    expect(error.safeMessage).toContain("NO_SUCH");
    expect(error.details["faults"]).toHaveLength(6);
  });

  describe("of an object store", () => {
    const whole = { AUDIO_STORE_URL: "s3://recordings/helpline", S3_ACCESS_KEY_ID: "id", S3_SECRET_ACCESS_KEY: "secret" };

    it.each(["s3://recordings", "s3://recordings/", "s3://my.bucket-1/a/b_c.d/"])("take %s", (url) => {
      expect(loadConfig({ env: { ...whole, AUDIO_STORE_URL: url } }).audioStore.url).toBe(url);
    });

    it.each([
      "s3:",
      "s3://",
      "s3://UPPER/x",
      "s3://id:secret@recordings",
      "s3://recordings/../x",
      "s3://recordings//x",
      "s3://recordings/a b",
      "s3://r?x=1",
      "https://x/y",
      "recordings",
      "file:",
    ])("refuse %s", (url) => {
      expect(faultOf({ env: { ...whole, AUDIO_STORE_URL: url } }).safeMessage).toContain("AUDIO_STORE_URL must be");
    });

    it.each(["minio:9000", "ftp://minio", "https://id:secret@minio", "https://minio/bucket", "https://minio/?x=1"])("refuse the endpoint %s", (endpoint) => {
      expect(faultOf({ env: { ...whole, S3_ENDPOINT: endpoint } }).safeMessage).toContain("S3_ENDPOINT must be");
    });

    it("ask for what is missing, and for one secret only", () => {
      const { AUDIO_STORE_URL } = whole;
      const fault = faultOf({ env: { AUDIO_STORE_URL } });
      expect(fault.code).toBe("CONFIG_INVALID");
      for (const variable of ["S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY_FILE"]) expect(fault.safeMessage).toContain(variable);
      expect(faultOf({ env: { ...whole, S3_SECRET_ACCESS_KEY_FILE: "/run/secret" } }).safeMessage).toContain("one of S3_SECRET_ACCESS_KEY");
      const { S3_SECRET_ACCESS_KEY: _, ...byFile } = { ...whole, S3_SECRET_ACCESS_KEY_FILE: "/run/secret" };
      expect(loadConfig({ env: byFile }).s3).toEqual({ region: "us-east-1", accessKeyId: "id", secretAccessKeyFile: "/run/secret" });
    });

    it("mean nothing where recordings lie in a directory", () => {
      expect(loadConfig({ env: { AUDIO_STORE_URL: "file:///srv/recordings", S3_REGION: "eu-west-1" } }).s3).toEqual({ region: "eu-west-1" });
    });
  });

  it("never tells a value, which may be a secret", () => {
    const secret = "hunter2-Zanzibar";
    const anyText = [
      "DATA_DIR",
      "MODELS_DIR",
      "HF_TOKEN",
      ...["S3_REGION", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY", "S3_SECRET_ACCESS_KEY_FILE", "LIVE_JOURNAL_DIR"],
      "REMOTE_SPEECH_MODEL",
      "REMOTE_CHAT_MODEL",
      "HOST",
      "STREAM_HOST",
      "STREAM_PEER_HOST",
      "SPEECH_ENGINE",
      "JWT_ISSUER",
      "JWT_AUDIENCE",
      "JWT_ROLE_CLAIM",
    ];
    const checked = Object.keys(SETTINGS).filter((variable) => !anyText.includes(variable) && !variable.endsWith("_FILE"));
    for (const variable of checked) {
      for (const sources of [{ argv: { [variable]: secret } }, { env: { [variable]: secret } }, { file: { [variable]: secret } }]) {
        expect(toldBy(faultOf(sources)), variable).not.toContain("hunter2");
      }
    }
    expect(toldBy(faultOf({ env: { TLS_KEY_FILE: secret } }))).not.toContain("hunter2");
    expect(toldBy(faultOf({ file: { UNKNOWN: secret } }))).not.toContain("hunter2");
  });

  it.each([
    ["PORT", "0", "65535", "-1", "65536"],
    ["JOB_LEASE_MS", "500", "600000", "499", "600001"],
    ["JOB_MAX_ATTEMPTS", "1", "20", "0", "21"],
    ["MODEL_PROCESSES", "0", "64", "-1", "65"],
    ["AUDIO_MAX_BYTES", "1", "17179869184", "0", "17179869185"],
    ["SHUTDOWN_DEADLINE_MS", "0", "600000", "-1", "600001"],
  ])("keeps %s within its rule", (variable, least, most, tooLittle, tooMuch) => {
    expect(() => loadConfig({ env: { [variable]: least } })).not.toThrow();
    expect(() => loadConfig({ env: { [variable]: most } })).not.toThrow();
    for (const wrong of [tooLittle, tooMuch, "1.5", "many", "NaN", "Infinity"]) {
      expect(faultOf({ env: { [variable]: wrong } }).safeMessage, `${variable}=${wrong}`).toContain(variable);
    }
  });

  it("never reads a blank as the number zero", () => {
    for (const sources of [{ argv: { PORT: "" } }, { argv: { PORT: "  " } }, { env: { PORT: " " } }, { file: { PORT: "" } }, { file: { PORT: [] } }]) {
      let port: number | undefined;
      try {
        ({ port } = loadConfig(sources).gateway);
      } catch (error) {
        expect(error).toMatchObject({ code: "CONFIG_INVALID" });
      }
      expect(port, JSON.stringify(sources)).not.toBe(0);
    }
  });

  it("refuses a key in the file that is not a setting", () => {
    expect(faultOf({ file: { PROT: 8_125 } }).safeMessage).toContain("PROT in the configuration file is not a setting");
  });

  it.each(["constructor", "toString", "__proto__"])("refuses %s in the file, which every object has and no setting is", (key) => {
    expect(faultOf({ file: JSON.parse(`{"${key}": "x"}`) as Record<string, unknown> }).code).toBe("CONFIG_INVALID");
  });

  it("wants a certificate and its key together", () => {
    expect(faultOf({ env: { TLS_CERT_FILE: "/cert.pem" } }).safeMessage).toMatch(/TLS_CERT_FILE.*TLS_KEY_FILE/);
    expect(faultOf({ env: { TLS_KEY_FILE: "/key.pem" } }).safeMessage).toMatch(/TLS_CERT_FILE.*TLS_KEY_FILE/);
    expect(loadConfig({ env: { TLS_CERT_FILE: "/cert.pem", TLS_KEY_FILE: "/key.pem" } }).tls).toEqual({ certificateFile: "/cert.pem", keyFile: "/key.pem" });
  });

  it("gives settings that nothing can change, however deep", () => {
    const config = loadConfig({});
    const isFrozen = (value: unknown): boolean =>
      typeof value !== "object" || value === null || (Object.isFrozen(value) && Object.values(value).every(isFrozen));
    expect(isFrozen(config)).toBe(true);
    expect(() => {
      (config.gateway as { port: number }).port = 1;
    }).toThrow(TypeError);
    expect(() => (config.language.defaults as string[]).push("fr")).toThrow(TypeError);
  });

  it("has a place in the settings for every variable, each its own", () => {
    const paths = Object.values(SETTINGS).map(({ path }) => path);
    expect(new Set(paths).size).toBe(paths.length);
  });
});
