import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/domain/config-file.ts";
import { EdaError } from "../../../src/domain/errors.ts";
import { SETTINGS_FILE } from "../../../src/domain/governed.ts";
import { settingsSchema } from "../../../src/domain/settings.ts";
import { resolveStores } from "../../../src/host/stores/configuration.ts";
import { databaseUrl, googleOptions, s3Options } from "../../../src/host/stores/connections.ts";
import { describeStores } from "../../../src/host/stores/describe.ts";
import type { Environment } from "../../../src/host/stores/variables.ts";

const FILES: Readonly<Record<string, string>> = {
  "/run/secrets/s3": "s3cret\n",
  "/run/secrets/empty": "\n",
  "/run/secrets/two-lines": "a\r\nb\r\n",
  "/projeto/certs/ca.pem": "PEM of the workspace",
  "/etc/ca.pem": "PEM of the machine",
  "/projeto/keys/service.json": '{"type":"service_account","private_key":"s3cret"}',
  "/projeto/keys/client.json": '{"installed":{"client_id":"id.apps.example.com","client_secret":"s3cret"}}',
  "/projeto/keys/other.json": '{"secret":"s3cret"}',
};
const S3 = { EDA_S3_ENDPOINT: "https://minio.example:9000", EDA_S3_ACCESS_KEY: "eda", EDA_S3_SECRET_KEY: "s3cret" };

const resolve = (env: Environment, settings = "") =>
  resolveStores({
    workspace: "/projeto",
    settings: parseConfig(settingsSchema, SETTINGS_FILE, settings).stores,
    env,
    readFile(path) {
      const text = FILES[path];
      if (text === undefined) throw new Error(`no file ${path}`);
      return text;
    },
  });

function failureOf(work: () => unknown): EdaError {
  try {
    work();
  } catch (error) {
    if (error instanceof EdaError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

/** The whole of an error that a person, a log or a client could come to see. */
const shown = (error: EdaError) => JSON.stringify(error.toDocument()) + inspect(error, { depth: 9 });

describe("stores that nothing configures", () => {
  it("are the embedded ones", () => {
    expect(resolve({ PATH: "/bin", EDA_IDLE_MINUTES: "5" })).toEqual({
      objects: { kind: "folder" },
      database: { kind: "embedded" },
      runLog: { kind: "database" },
      drive: { kind: "folder" },
    });
  });

  it("stay so when variables are set to nothing, as compose files do", () => {
    expect(resolve({ EDA_S3_ENDPOINT: "", EDA_S3_SECRET_KEY: "", EDA_S3_SECRET_KEY_FILE: "", EDA_DRIVE: "" }).objects).toEqual({
      kind: "folder",
    });
  });
});

describe("the object store", () => {
  it("comes from the settings file, its secret from the environment", () => {
    const settings = `
stores:
  objects:
    endpoint: https://minio.example:9000
    accessKey: eda
    objectLock: true
    tls: { ca: certs/ca.pem }
`;
    const { objects } = resolve({ EDA_S3_SECRET_KEY: "s3cret" }, settings);
    expect(objects.kind === "s3" && s3Options(objects)).toEqual({
      endpoint: "https://minio.example:9000",
      region: "us-east-1",
      accessKey: "eda",
      secretKey: "s3cret",
      objectLock: true,
      ca: "PEM of the workspace",
    });
  });

  it("comes from the environment where that says something else", () => {
    const settings =
      "stores: { objects: { endpoint: 'http://elsewhere', accessKey: other, region: sa-east-1, tls: { ca: certs/ca.pem } } }";
    const { objects } = resolve({ ...S3, EDA_S3_CA: "/etc/ca.pem", EDA_S3_SESSION_TOKEN: "for an hour" }, settings);
    expect(objects.kind === "s3" && s3Options(objects)).toEqual({
      endpoint: "https://minio.example:9000",
      region: "sa-east-1",
      accessKey: "eda",
      secretKey: "s3cret",
      sessionToken: "for an hour",
      objectLock: false,
      ca: "PEM of the machine",
    });
  });

  it("takes its secret from a file, without the line break at its end", () => {
    const { EDA_S3_SECRET_KEY: _, ...rest } = S3;
    const { objects } = resolve({ ...rest, EDA_S3_SECRET_KEY_FILE: "/run/secrets/s3" });
    expect(objects.kind === "s3" && objects.secretKey.reveal()).toBe("s3cret");
    const lines = resolve({ ...rest, EDA_S3_SECRET_KEY_FILE: "/run/secrets/two-lines" }).objects;
    expect(lines.kind === "s3" && lines.secretKey.reveal()).toBe("a\r\nb");
  });

  it.each([
    { name: "no endpoint", without: "EDA_S3_ENDPOINT", says: "stores.objects.endpoint in configs/eda.yaml or EDA_S3_ENDPOINT is missing" },
    {
      name: "no access key",
      without: "EDA_S3_ACCESS_KEY",
      says: "stores.objects.accessKey in configs/eda.yaml or EDA_S3_ACCESS_KEY is missing",
    },
    { name: "no secret key", without: "EDA_S3_SECRET_KEY", says: "EDA_S3_SECRET_KEY or EDA_S3_SECRET_KEY_FILE is missing" },
  ])("with $name is refused, and not replaced by a folder", ({ without, says }) => {
    const failure = failureOf(() => resolve({ ...S3, [without]: undefined }));
    expect(failure).toMatchObject({ kind: "precondition", code: "stores-incomplete", message: expect.stringContaining(says) });
  });

  it("with an empty secret file is refused", () => {
    const env = { ...S3, EDA_S3_SECRET_KEY: undefined, EDA_S3_SECRET_KEY_FILE: "/run/secrets/empty" };
    expect(failureOf(() => resolve(env)).code).toBe("stores-incomplete");
  });

  it("with a secret given twice is refused", () => {
    const failure = failureOf(() => resolve({ ...S3, EDA_S3_SECRET_KEY_FILE: "/run/secrets/s3" }));
    expect(failure).toMatchObject({ kind: "precondition", code: "ambiguous-variable" });
    expect(failure.message).toBe("Both EDA_S3_SECRET_KEY and EDA_S3_SECRET_KEY_FILE are set.");
    expect(shown(failure)).not.toContain("s3cret");
  });

  it("with a secret file that cannot be read is refused with variable and file", () => {
    const failure = failureOf(() => resolve({ ...S3, EDA_S3_SECRET_KEY: undefined, EDA_S3_SECRET_KEY_FILE: "/nowhere" }));
    expect(failure).toMatchObject({ kind: "precondition", code: "secret-file-unreadable" });
    expect(failure.message).toBe("The file that EDA_S3_SECRET_KEY_FILE names cannot be read: /nowhere");
  });

  it("with a certificate that cannot be read is refused with the file", () => {
    expect(failureOf(() => resolve({ ...S3, EDA_S3_CA: "certs/none.pem" }))).toMatchObject({
      kind: "precondition",
      code: "certificate-unreadable",
      message: "The certificate /projeto/certs/none.pem cannot be read.",
    });
  });

  it.each([
    ["an address without scheme", "minio.example:9000"],
    ["another protocol", "ftp://minio.example"],
    ["a path", "https://minio.example/bucket"],
    ["credentials", "https://eda:s3cret@minio.example"],
  ])("with %s is refused, and the value is not shown", (_, endpoint) => {
    const failure = failureOf(() => resolve({ ...S3, EDA_S3_ENDPOINT: endpoint }));
    expect(failure).toMatchObject({ kind: "precondition", code: "invalid-variable", message: expect.stringMatching(/^EDA_S3_ENDPOINT /u) });
    expect(shown(failure)).not.toContain("s3cret");
  });
});

describe("the database", () => {
  const urlOf = (env: Environment, settings = "") => {
    const { database } = resolve(env, settings);
    return database.kind === "postgresql" ? databaseUrl(database) : database.kind;
  };

  it("comes from its parts, with what most people call it when they leave it out", () => {
    expect(urlOf({ EDA_DATABASE_HOST: "db.example" })).toBe("postgresql://eda@db.example:5432/eda");
    expect(
      urlOf(
        { EDA_DATABASE_PASSWORD: "p@ss/w%rd" },
        "stores: { database: { host: db.example, port: 6432, database: lago, user: 'ana b' } }",
      ),
    ).toBe("postgresql://ana%20b:p%40ss%2Fw%25rd@db.example:6432/lago");
  });

  it("comes from an address, before which its parts go", () => {
    const EDA_DATABASE_URL = "postgres://ana:p%40ss@db.example:6432/lago?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem";
    expect(urlOf({ EDA_DATABASE_URL })).toBe(
      "postgresql://ana:p%40ss@db.example:6432/lago?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem",
    );
    expect(urlOf({ EDA_DATABASE_URL, EDA_DATABASE_NAME: "outro", EDA_DATABASE_PASSWORD: "new" })).toContain(
      "postgresql://ana:new@db.example:6432/outro",
    );
  });

  it("is encrypted as asked for", () => {
    const settings = (tls: string) => `stores: { database: { host: db, tls: ${tls} } }`;
    expect(urlOf({}, settings("{}"))).toMatch(/\?sslmode=verify-full$/u);
    expect(urlOf({}, settings("{ mode: require }"))).toMatch(/\?sslmode=no-verify$/u);
    expect(urlOf({ EDA_DATABASE_CA: "/etc/ca.pem" }, settings("{ mode: verify-ca, ca: certs/ca.pem }"))).toMatch(
      /sslmode=verify-ca&sslrootcert=%2Fetc%2Fca.pem$/u,
    );
    expect(urlOf({ EDA_DATABASE_HOST: "db", EDA_DATABASE_CA: "/etc/ca.pem" })).toMatch(/\?sslmode=verify-full&sslrootcert=/u);
    expect(failureOf(() => urlOf({ EDA_DATABASE_URL: "postgresql://db/eda?sslmode=verify-ca" })).message).toContain(
      "is needed for mode verify-ca",
    );
  });

  it.each([
    ["no address", "db.example"],
    ["another scheme", "mysql://eda:geheim@db/eda"],
    ["a parameter that nobody reads", "postgresql://eda:geheim@db/eda?options=-c"],
    ["an encryption that is none", "postgresql://eda:geheim@db/eda?sslmode=prefer"],
    ["a broken percent sign", "postgresql://eda:geheim%@db/eda"],
  ])("with %s is refused, and the value is not shown", (_, EDA_DATABASE_URL) => {
    const failure = failureOf(() => resolve({ EDA_DATABASE_URL }));
    expect(failure).toMatchObject({ kind: "precondition", code: "invalid-variable" });
    expect(shown(failure)).not.toContain("geheim");
  });

  it("with a port that is no number is refused", () => {
    expect(failureOf(() => resolve({ EDA_DATABASE_HOST: "db", EDA_DATABASE_PORT: "http" })).message).toMatch(
      /^EDA_DATABASE_PORT is not valid/u,
    );
  });

  it("with a password and no host is refused, and not replaced by the embedded one", () => {
    expect(failureOf(() => resolve({ EDA_DATABASE_PASSWORD: "x" }))).toMatchObject({ code: "stores-incomplete" });
  });
});

describe("the run log", () => {
  it("takes user and password out of an address in the environment", () => {
    const { runLog } = resolve({ EDA_MONGODB_URI: "mongodb://ana:p%40ss@one:27017,two:27017/?replicaSet=rs0" });
    expect(runLog).toMatchObject({ kind: "mongodb", uri: "mongodb://one:27017,two:27017/?replicaSet=rs0", user: "ana", database: "eda" });
    expect(runLog.kind === "mongodb" && runLog.password?.reveal()).toBe("p@ss");
  });

  it("comes from the settings file", () => {
    const settings = "stores: { runLog: { uri: 'mongodb+srv://mongo.example', database: lago, user: ana, tls: { ca: certs/ca.pem } } }";
    expect(resolve({ EDA_MONGODB_PASSWORD: "x" }, settings).runLog).toMatchObject({
      uri: "mongodb+srv://mongo.example",
      database: "lago",
      user: "ana",
      ca: { file: "/projeto/certs/ca.pem", pem: "PEM of the workspace" },
    });
  });

  it.each([
    ["a user without password", { EDA_MONGODB_URI: "mongodb://m", EDA_MONGODB_USER: "ana" }, "stores-incomplete"],
    ["a password without user", { EDA_MONGODB_URI: "mongodb://m", EDA_MONGODB_PASSWORD: "geheim" }, "stores-incomplete"],
    ["a password alone", { EDA_MONGODB_PASSWORD: "geheim" }, "stores-incomplete"],
    ["no address", { EDA_MONGODB_URI: "mongo.example" }, "invalid-variable"],
    ["a secret in its parameters", { EDA_MONGODB_URI: "mongodb://m/?tlsCertificateKeyFilePassword=geheim" }, "invalid-variable"],
  ])("with %s is refused, and the value is not shown", (_, env, code) => {
    const failure = failureOf(() => resolve(env));
    expect(failure).toMatchObject({ kind: "precondition", code });
    expect(shown(failure)).not.toContain("geheim");
  });
});

describe("Drive", () => {
  const GOOGLE = { EDA_DRIVE: "google", EDA_GOOGLE_CREDENTIALS_FILE: "keys/service.json" };

  it("is Google's when file or environment say so", () => {
    const settings = "stores: { drive: { kind: google, account: ana@example.org, exports: { sheets: xlsx } } }";
    expect(resolve({ EDA_GOOGLE_CREDENTIALS_FILE: "/projeto/keys/service.json" }, settings).drive).toEqual({
      kind: "google",
      credentials: { kind: "service-account", keyFile: "/projeto/keys/service.json" },
      account: "ana@example.org",
      exports: { sheets: "xlsx" },
      apiRoot: undefined,
      oauthRoot: undefined,
      redirectUri: undefined,
    });
    expect(resolve(GOOGLE).drive).toMatchObject({ kind: "google", credentials: { kind: "service-account" } });
    expect(resolve({ EDA_DRIVE: "folder" }, settings).drive).toEqual({ kind: "folder" });
  });

  it("takes the client that people sign in with, and keeps the token with the user", () => {
    const { drive } = resolve({ ...GOOGLE, EDA_GOOGLE_CREDENTIALS_FILE: "keys/client.json" });
    expect(drive.kind === "google" && googleOptions(drive, "/projeto/.eda/google-drive", { XDG_CONFIG_HOME: "/home/ana/.config" })).toEqual(
      {
        auth: {
          kind: "user",
          clientId: "id.apps.example.com",
          clientSecret: "s3cret",
          tokenFile: "/home/ana/.config/eda/google-token.json",
        },
        stateFolder: "/projeto/.eda/google-drive",
        exports: {},
      },
    );
    expect(JSON.stringify(drive)).not.toContain("s3cret");
  });

  it("takes the client also from two variables, the secret from a file", () => {
    const client = { EDA_DRIVE: "google", EDA_GOOGLE_OAUTH_CLIENT_ID: "id.apps.example.com" };
    const { drive } = resolve({ ...client, EDA_GOOGLE_OAUTH_CLIENT_SECRET: "s3cret" });
    expect(drive).toMatchObject({ credentials: { kind: "client", clientId: "id.apps.example.com" } });
    expect(drive.kind === "google" && drive.credentials.kind === "client" && drive.credentials.clientSecret.reveal()).toBe("s3cret");
    expect(failureOf(() => resolve(client))).toMatchObject({
      code: "stores-incomplete",
      message: expect.stringContaining("EDA_GOOGLE_OAUTH_CLIENT_SECRET"),
    });
  });

  it.each([
    ["no file", undefined, "stores-incomplete"],
    ["a file that is not there", "keys/none.json", "secret-file-unreadable"],
    ["a file that is something else", "certs/ca.pem", "google-credentials-invalid"],
    ["a file of other JSON", "keys/other.json", "google-credentials-invalid"],
  ])("with %s is refused, and what is in it is not shown", (_, file, code) => {
    const failure = failureOf(() => resolve({ ...GOOGLE, EDA_GOOGLE_CREDENTIALS_FILE: file }));
    expect(failure).toMatchObject({ kind: "precondition", code, todo: expect.stringMatching(/./u) });
    expect(shown(failure)).not.toMatch(/PEM of|s3cret/u);
  });

  it("of another kind is refused", () => {
    expect(failureOf(() => resolve({ EDA_DRIVE: "dropbox" })).message).toMatch(/^EDA_DRIVE is not valid/u);
  });
});

describe("a configuration with secrets", () => {
  const configuration = resolve({
    ...S3,
    EDA_DATABASE_URL: "postgresql://ana:s3cret@db.example/lago",
    EDA_MONGODB_URI: "mongodb://ana:s3cret@mongo.example/?retryWrites=true",
  });

  it("prints, serialises and inspects without them", () => {
    for (const text of [
      JSON.stringify(configuration),
      inspect(configuration, { depth: 9, showHidden: true }),
      String(Object.values(configuration)),
    ]) {
      expect(text).not.toContain("s3cret");
    }
    expect(`${configuration.objects.kind === "s3" && configuration.objects.secretKey}`).toBe("[secret]");
  });

  it("is described by kinds and addresses", () => {
    expect(describeStores(configuration, "/projeto/.eda/objects")).toEqual({
      objects: "S3 https://minio.example:9000",
      inventory: "PostgreSQL db.example:5432/lago",
      runLog: "MongoDB mongo.example",
      drive: "local folder",
    });
  });
});
