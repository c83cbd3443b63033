import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BUCKETS } from "../../src/domain/stage.ts";
import { INFRA, parseStack, stackText } from "../support/stack-file.ts";

const STACKS = ["stack.yml", "stack.google.yml", "compose.yml", "compose.google.yml"];
const SETTING = /\$\{(EDA_[A-Z0-9_]+)(?::-([^}]*)|:\?[^}]*)\}/gu;

it("the example of the settings names each of them with its default, and no other", () => {
  const used = new Map<string, string | undefined>();
  for (const [, name = "", fallback] of STACKS.flatMap((file) => [...stackText(file).matchAll(SETTING)])) {
    expect(used.get(name) ?? fallback, name).toBe(fallback);
    used.set(name, fallback);
  }
  const shown = [...stackText(".env.example").matchAll(/^# (EDA_[A-Z0-9_]+)=(.*)$/gmu)].map(([, name, value]) => [name, value]);
  expect(Object.fromEntries(shown)).toEqual({ ...Object.fromEntries(used), EDA_NODE_NAME: "node-1" });
});

it("create-secrets.sh makes what the stack declares", () => {
  const [, list = ""] = /RANDOM_SECRETS=\(\n([^)]*)\)/u.exec(stackText("create-secrets.sh")) ?? [];
  const random = list.trim().split(/\s+/u);
  const made = [...random, "eda_code_server_hashed_password"];
  expect(Object.keys(parseStack(stackText("compose.yml")).secrets).sort()).toEqual(made.sort());
  expect(Object.keys(parseStack(stackText("stack.yml")).secrets).sort()).toEqual(
    [...made, "eda_code_server_certificate", "eda_code_server_certificate_key"].sort(),
  );
});

it("the policy of the object store's user is about the buckets of eda and no other", () => {
  const { Statement } = JSON.parse(stackText("config/object-store-policy.json")) as {
    Statement: { Action: string[]; Resource: string[] }[];
  };
  const [listing, buckets, objects] = Statement;
  expect(listing?.Action).toEqual(["s3:ListAllMyBuckets"]);
  expect(buckets?.Resource).toEqual(BUCKETS.map((bucket) => `arn:aws:s3:::${bucket}`));
  expect(objects?.Resource).toEqual(BUCKETS.map((bucket) => `arn:aws:s3:::${bucket}/*`));
  expect(Statement).toHaveLength(3);
  expect(Statement.flatMap(({ Action }) => Action).filter((action) => /\*|Policy|DeleteBucket|Bypass/u.test(action))).toEqual([]);
});

it.each(["infra/.env", "infra/secrets/eda_s3_secret_key"])("Git ignores %s, and the image's build does not see it", (path) => {
  const ignored = execFileSync("git", ["check-ignore", "--no-index", path], { cwd: join(INFRA, ".."), encoding: "utf8" });
  expect(ignored.trim()).toBe(path);
  const lines = stackText("../.dockerignore").split("\n");
  expect(lines).toContain("**");
  const seen = lines.filter((line) => line.startsWith("!infra"));
  expect(seen).toEqual(["!infra/images/*/"]);
});

describe("shell scripts", () => {
  const scripts = [
    ...readdirSync(INFRA)
      .filter((name) => name.endsWith(".sh"))
      .map((name) => join(INFRA, name)),
    ...["eda-entrypoint", "eda-healthcheck"].map((name) => join(INFRA, "images/jupyter-cpu/rootfs/usr/local/bin", name)),
  ];
  const shellcheck = process.env["EDA_SHELLCHECK"];
  if (shellcheck === undefined && process.env["EDA_TEST_REQUIRE_TOOLS"] === "1") throw new Error("ShellCheck is missing: EDA_SHELLCHECK");
  if (shellcheck === undefined) console.warn("skipped: ShellCheck is missing (EDA_SHELLCHECK)");

  it("are there", () => {
    expect(scripts.length).toBeGreaterThanOrEqual(6);
  });

  it.each(scripts)("%s parses", (script) => {
    expect(execFileSync("bash", ["-n", script], { encoding: "utf8" })).toBe("");
  });

  it.skipIf(shellcheck === undefined)("have no finding of ShellCheck", () => {
    const report = execFileSync(shellcheck as string, ["--external-sources", "--severity=style", "--format=json", ...scripts], {
      encoding: "utf8",
      cwd: join(INFRA, ".."),
    });
    expect(JSON.parse(report)).toEqual([]);
  });

  it("never hand a secret to a program as an argument", () => {
    for (const script of scripts) {
      const text = stackText(script.slice(INFRA.length + 1));
      // What is substituted from a secret's file goes into a variable, an assignment or printf, which are the shell's own.
      for (const line of text.split("\n").filter((line) => /\$\(cat "\$[A-Z_]*_FILE"\)/u.test(line)))
        expect(line, script).toMatch(/^printf /u);
    }
  });
});
