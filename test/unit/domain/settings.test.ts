import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/domain/config-file.ts";
import type { EdaError } from "../../../src/domain/errors.ts";
import { settingsSchema } from "../../../src/domain/settings.ts";

const read = (text: string) => parseConfig(settingsSchema, "configs/eda.yaml", text);

function findingOf(text: string): { readonly message: string; readonly line: number | undefined } {
  try {
    read(text);
  } catch (error) {
    const [finding] = (error as EdaError).findings ?? [];
    return { message: finding?.message ?? "", line: finding?.at?.line };
  }
  throw new Error("it was accepted");
}

describe("stores in the settings file", () => {
  it("may be left out", () => {
    expect(read("").stores).toEqual({});
  });

  it("fill in what most people leave as it is", () => {
    expect(read("stores: { objects: { endpoint: 'http://minio:9000' }, database: { host: db }, drive: {} }").stores).toEqual({
      objects: { endpoint: "http://minio:9000", region: "us-east-1", objectLock: false },
      database: { host: "db", port: 5432, database: "eda", user: "eda" },
      drive: { kind: "folder" },
    });
  });

  it.each([
    ["objects", "secretKey", "EDA_S3_SECRET_KEY or EDA_S3_SECRET_KEY_FILE"],
    ["objects", "secret_access_key", "EDA_S3_SECRET_KEY or EDA_S3_SECRET_KEY_FILE"],
    ["database", "password", "EDA_DATABASE_PASSWORD or EDA_DATABASE_PASSWORD_FILE"],
    ["runLog", "senha", "EDA_MONGODB_PASSWORD or EDA_MONGODB_PASSWORD_FILE"],
    ["drive", "token", "EDA_GOOGLE_CREDENTIALS_FILE"],
  ])("refuse %s.%s with the variable that it belongs into, and do not repeat it", (section, key, variable) => {
    const { message, line } = findingOf(`stores:\n  ${section}:\n    ${key}: geheim\n`);
    expect(message).toBe(`stores.${section}: "${key}" looks like a secret, which never goes into a governed file: set ${variable}`);
    expect(line).toBe(3);
  });

  it("refuse a secret anywhere else with what to do, too", () => {
    expect(findingOf("jupyter: { token: geheim }\n").message).toContain("set EDA_JUPYTER_TOKEN or EDA_JUPYTER_TOKEN_FILE");
    expect(findingOf("git: { githubToken: geheim }\n").message).toContain("give it in the environment");
  });

  it.each([
    ["an object store", "objects: { endpoint: 'https://ana:geheim@minio:9000' }", "EDA_S3_SECRET_KEY"],
    ["a run log", "runLog: { uri: 'mongodb://ana:geheim@mongo:27017' }", "EDA_MONGODB_PASSWORD"],
    ["a run log's parameters", "runLog: { uri: 'mongodb://mongo/?tlsCertificateKeyFilePassword=geheim' }", "EDA_MONGODB_PASSWORD"],
  ])("refuse credentials in the address of %s, and do not repeat them", (_, section, variable) => {
    const { message } = findingOf(`stores: { ${section} }\n`);
    expect(message).toContain(variable);
    expect(message).not.toContain("geheim");
  });

  it.each([
    ["an endpoint with a path", "objects: { endpoint: 'https://minio/data' }"],
    ["an endpoint that is none", "objects: { endpoint: minio }"],
    ["a port that is none", "database: { host: db, port: 70000 }"],
    ["a certificate that mode verify-ca needs", "database: { host: db, tls: { mode: verify-ca } }"],
    ["a Drive of another kind", "drive: { kind: dropbox }"],
    ["a store that is none", "lake: {}"],
  ])("refuse %s", (_, section) => {
    expect(findingOf(`stores: { ${section} }\n`).message).toMatch(/^stores/u);
  });
});

describe("Colab Enterprise in the settings file", () => {
  const named = "project: meu-projeto, bucket: modelos, serviceAccount: treino@meu-projeto.iam.gserviceaccount.com";

  it("fills in a region with T4 GPUs and a machine that takes one", () => {
    expect(read(`colab: { enterprise: { ${named} } }`).colab.enterprise).toMatchObject({
      region: "us-central1",
      machineType: "n1-standard-4",
    });
  });

  it.each([
    ["a region that leads elsewhere", "region: 'example.com/x'", "is not a region"],
    ["a bucket with its scheme", "bucket: 'gs://modelos'", "without gs://"],
    ["a prefix that leads out", "prefix: '../x'", "is not a path"],
    ["a project that is none", "project: 'a/b'", "is not the id"],
  ])("refuses %s", (_, change, message) => {
    const others = named.split(", ").filter((each) => each.split(":")[0] !== change.split(":")[0]);
    const section = [...others, change].join(", ");
    expect(findingOf(`colab: { enterprise: { ${section} } }\n`).message).toContain(message);
  });
});
