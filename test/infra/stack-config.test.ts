import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { docker, hasCompose, hasDocker } from "../support/docker.ts";
import { temporaryFolder } from "../support/folders.ts";
import { INFRA, parseStack, stackText } from "../support/stack-file.ts";
import { SERVICES } from "../support/stack-rules.ts";

const NODE = { EDA_NODE_NAME: "node-1" };
const inInfra = (...files: string[]) => files.map((file) => join(INFRA, file));

describe.skipIf(!hasDocker)("docker stack config", () => {
  const config = (files: readonly string[], settings: NodeJS.ProcessEnv = NODE) =>
    docker(["stack", "config", ...files.flatMap((file) => ["--compose-file", file])], settings);

  it("accepts the stack, with the services and the object store of the design", () => {
    const { status, stdout, stderr } = config(inInfra("stack.yml"));
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const stack = parse(stdout);
    expect(Object.keys(stack.services).sort()).toEqual(SERVICES);
    expect(stack.services["eda_minio"].image).toBe("quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z");
    expect(stack.services["eda_jupyter-cpu"].deploy.placement.constraints).toEqual(["node.hostname == node-1"]);
  });

  it("mounts secrets for the service's user alone", () => {
    const { services } = parse(config(inInfra("stack.yml")).stdout);
    for (const { user, secrets } of Object.values<{ user: string; secrets: { uid: string; gid: string; mode: number }[] }>(services))
      for (const { uid, gid, mode } of secrets) expect({ owner: `${uid}:${gid}`, mode }).toEqual({ owner: user, mode: 0o400 });
  });

  it("takes another object store and another version of a secret by a setting", () => {
    const settings = { ...NODE, EDA_MINIO_IMAGE: "registry.example/store:2", EDA_DATABASE_PASSWORD_VERSION: "7" };
    const stack = parse(config(inInfra("stack.yml"), settings).stdout);
    expect(stack.services["eda_minio"].image).toBe("registry.example/store:2");
    expect(stack.secrets["eda_database_password"].name).toBe("eda_database_password_v7");
    expect(stack.secrets["eda_s3_secret_key"].name).toBe("eda_s3_secret_key_v1");
  });

  it("adds Google's credentials with the second file, and asks for the node", () => {
    const { status, stdout } = config(inInfra("stack.yml", "stack.google.yml"));
    expect(status).toBe(0);
    const { environment, secrets } = parse(stdout).services["eda_jupyter-cpu"];
    expect(environment).toMatchObject({ EDA_GOOGLE_CREDENTIALS_FILE: "/run/secrets/eda_google_credentials", EDA_S3_ACCESS_KEY: "eda" });
    expect(secrets).toContainEqual({ source: "eda_google_credentials", uid: "1000", gid: "1000", mode: 0o400 });
    expect(config(inInfra("stack.yml"), {})).toMatchObject({ status: 1, stderr: expect.stringContaining("EDA_NODE_NAME is missing") });
  });

  it("refuses a stack that is broken", async () => {
    const folder = await temporaryFolder();
    cpSync(INFRA, folder, { recursive: true, filter: (path) => !path.endsWith("secrets") });
    const file = join(folder, "stack.yml");
    writeFileSync(file, readFileSync(file, "utf8").replace("    read_only: true\n", "    read_only: true\n    nonsense: true\n"));
    expect(config([file])).toMatchObject({ status: 1, stderr: expect.stringContaining("nonsense") });
  });
});

describe.skipIf(!hasCompose)("docker compose config", () => {
  it.each([[["compose.yml"]], [["compose.yml", "compose.google.yml"]]])("accepts %j", (files) => {
    const names = inInfra(...files);
    const { status, stdout, stderr } = docker(["compose", ...names.flatMap((name) => ["--file", name]), "config"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const { services } = parse(stdout);
    expect(Object.keys(services).sort()).toEqual(SERVICES);
    expect(services["eda_jupyter-cpu"].ports).toMatchObject([{ host_ip: "127.0.0.1", published: "8080" }]);
    expect("EDA_GOOGLE_CREDENTIALS_FILE" in services["eda_jupyter-cpu"].environment).toBe(files.length === 2);
  });
});

it("the fragments for Google only add what they are for", () => {
  const [stack, compose] = ["stack.google.yml", "compose.google.yml"].map((file) => parse(stackText(file)));
  for (const { services, secrets } of [stack, compose]) {
    expect(Object.keys(services)).toEqual(["eda_jupyter-cpu"]);
    expect(Object.keys(secrets)).toEqual(["eda_google_credentials"]);
  }
  expect(parseStack(stackText("stack.yml")).secrets).not.toHaveProperty("eda_google_credentials");
});
