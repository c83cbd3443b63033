/**
 * The stack itself, deployed: opt-in, because it needs an engine that may be filled and emptied. `EDA_TEST_DOCKER=1`, and `DOCKER_HOST` of a Swarm
 * manager that runs nothing of eda. It takes the images that the stack's settings name, and builds those they do not.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { docker } from "../support/docker.ts";
import { INFRA, parseStack, stackText } from "../support/stack-file.ts";

const MINUTE_MS = 60_000;
const WANTED = process.env["EDA_TEST_DOCKER"] === "1";
const JUPYTER = "eda_eda_jupyter-cpu";

describe.skipIf(!WANTED)("the stack on a Swarm", () => {
  let settings: NodeJS.ProcessEnv = {};
  let password = "";

  const script = (name: string, ...args: string[]) =>
    spawnSync(join(INFRA, name), args, { encoding: "utf8", env: { ...process.env, ...settings }, timeout: 12 * MINUTE_MS });
  const containerOf = (service: string) =>
    docker(["ps", "--quiet", "--filter", `label=com.docker.swarm.service.name=${service}`]).stdout.trim();
  const inside = (service: string, ...command: string[]) => docker(["exec", containerOf(service), ...command]);

  beforeAll(async () => {
    const there = docker(["secret", "ls", "--quiet", "--filter", "name=eda_"]);
    if (there.status !== 0) throw new Error(`No Swarm manager answers: ${there.stderr}`);
    const stacks = docker(["stack", "ls", "--format", "{{.Name}}"]).stdout.split("\n");
    if (there.stdout !== "" || stacks.includes("eda")) throw new Error("This Swarm has an eda already; the test would remove it.");
    // It wants tools that only this test needs.
    const { stackImages } = await import("../support/stack-images.ts");
    settings = stackImages();
  }, 60 * MINUTE_MS);

  afterAll(async () => {
    docker(["stack", "rm", "eda"]);
    for (
      let tries = 0;
      tries < 60 && docker(["ps", "--all", "--quiet", "--filter", "label=com.docker.stack.namespace=eda"]).stdout !== "";
      tries += 1
    )
      await sleep(2_000);
    for (const [kind, label] of [
      ["secret", "name=eda_"],
      ["config", "name=eda_"],
      ["volume", "name=^eda_"],
    ] as const) {
      const found = docker([kind, "ls", "--quiet", "--filter", label]).stdout.split("\n").filter(Boolean);
      if (found.length > 0) docker([kind, "rm", ...found]);
    }
  }, 5 * MINUTE_MS);

  it(
    "has its secrets made once, and the password told once",
    () => {
      const first = script("create-secrets.sh", "swarm");
      expect(first.status, first.stderr).toBe(0);
      password = first.stdout.trim();
      expect(password).toMatch(/^[\w-]{44}$/u);
      expect(first.stderr).not.toContain(password);
      const made = docker(["secret", "ls", "--format", "{{.Name}}"]).stdout.trim().split("\n").sort();
      expect(made).toEqual(
        Object.keys(parseStack(stackText("stack.yml")).secrets)
          .map((name) => `${name}_v1`)
          .sort(),
      );
      expect(script("create-secrets.sh", "swarm")).toMatchObject({ status: 0, stdout: "", stderr: "" });
    },
    5 * MINUTE_MS,
  );

  it(
    "is deployed, healthy, with the stores' users made",
    () => {
      const { status, stderr } = script("deploy.sh");
      expect(status, stderr).toBe(0);
      expect(stderr).toContain("eda_minio: user eda has its password and its policy");
    },
    15 * MINUTE_MS,
  );

  it("lets in who knows the password, by TLS", async () => {
    const signIn = (value: string) =>
      spawnSync(
        "curl",
        ["-sk", "-o", "/dev/null", "-w", "%{http_code}", "--data-urlencode", "password@-", "https://127.0.0.1:8443/login"],
        {
          encoding: "utf8",
          input: value,
        },
      ).stdout;
    expect(signIn("not the password")).toBe("200");
    expect(signIn(password)).toBe("302");
  });

  it("runs without root, capabilities or a writable image, and the stores without a way out", () => {
    expect(inside(JUPYTER, "id", "-u").stdout.trim()).toBe("1000");
    expect(inside(JUPYTER, "grep", "CapEff", "/proc/self/status").stdout).toMatch(/\t0+\n$/u);
    expect(inside(JUPYTER, "touch", "/x").stderr).toContain("Read-only file system");
    expect(inside("eda_eda_minio", "ls", "/run/secrets").stdout.trim().split("\n")).toEqual([
      "eda_minio_root_password",
      "eda_s3_secret_key",
    ]);
    const routes = (service: string) =>
      inside(service, "cat", "/proc/net/route")
        .stdout.split("\n")
        .filter((line) => line.split("\t")[1] === "00000000");
    expect(routes("eda_eda_minio")).toEqual([]);
    expect(routes(JUPYTER)).not.toEqual([]);
  });

  it(
    "runs the seven stages on its stores, which then agree",
    () => {
      const identity = "git config --global user.name T && git config --global user.email t@example.com";
      const demo = inside(JUPYTER, "bash", "-c", `${identity} && eda demo --workspace /workspace`);
      expect(demo.status, demo.stderr).toBe(0);
      expect(inside(JUPYTER, "eda", "verify")).toMatchObject({ status: 0 });
      const doctor = inside(JUPYTER, "eda", "doctor", "--json");
      expect(doctor.status, doctor.stdout).toBe(0);
      for (const store of ["eda-minio", "eda_database-services", "mongo_mongodb"]) expect(doctor.stdout).toContain(store);
    },
    15 * MINUTE_MS,
  );

  it(
    "takes another password of the database",
    () => {
      settings = { ...settings, EDA_DATABASE_PASSWORD_VERSION: "2" };
      expect(script("create-secrets.sh", "swarm")).toMatchObject({ status: 0, stderr: "made secret eda_database_password_v2\n" });
      const { status, stderr } = script("deploy.sh");
      expect(status, stderr).toBe(0);
      const doctor = inside(JUPYTER, "eda", "doctor", "--json");
      expect(doctor.status, doctor.stdout).toBe(0);
    },
    15 * MINUTE_MS,
  );

  it("shows no secret in a service, a log or an environment", () => {
    const values = [JUPYTER, "eda_eda_minio", "eda_eda_database-services", "eda_mongo_mongodb"].flatMap((service) =>
      inside(service, "sh", "-c", "for f in /run/secrets/*; do cat $f; echo; done")
        .stdout.split("\n")
        .filter((line) => line.length > 40),
    );
    expect(values.length).toBeGreaterThan(8);
    const services = docker(["service", "ls", "--quiet"]).stdout.trim().split("\n");
    const said = services.map((id) => {
      const log = docker(["service", "logs", id]);
      return docker(["service", "inspect", id]).stdout + log.stdout + log.stderr;
    });
    const environments = inside(JUPYTER, "sh", "-c", "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline").stdout;
    for (const value of [...values, password]) expect(`${said.join("")}${environments}`.includes(value)).toBe(false);
  });
});
