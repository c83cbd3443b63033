import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { INFRA, stackText } from "../support/stack-file.ts";

const dockerfile = stackText("images/jupyter-cpu/Dockerfile");
/** Instructions, with continued lines joined. */
const instructions = dockerfile
  .replaceAll(/^\s*#.*\n/gmu, "")
  .replaceAll("\\\n", " ")
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => line.replaceAll(/\s+/gu, " "));
const last = instructions.slice(instructions.findLastIndex((line) => line.startsWith("FROM ")));
const argumentsOf = (name: string) => last.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));

it("the image is built on a base that a build argument names, in stages of which the last has no compiler", () => {
  expect(instructions[0]).toBe("ARG BASE_IMAGE=debian:bookworm-slim");
  const bases = instructions.filter((line) => line.startsWith("FROM ")).map((line) => line.split(" ")[1]);
  expect(new Set(bases)).toEqual(new Set([`$\{BASE_IMAGE}`, "tools"]));
  expect(argumentsOf("RUN").join("\n")).not.toMatch(/\b(g\+\+|make|python3-pip)\b/u);
});

it("the image runs as user 1000 under an init, tells its health and keeps its volumes", () => {
  expect(argumentsOf("USER")).toEqual(["1000:1000"]);
  expect(argumentsOf("ENTRYPOINT")).toEqual(['["/usr/bin/tini", "--", "eda-entrypoint"]']);
  expect(argumentsOf("HEALTHCHECK").join()).toMatch(/CMD \["eda-healthcheck"\]$/u);
  expect(argumentsOf("VOLUME")).toEqual(['["/workspace", "/home/eda"]']);
});

it("the image takes versions from the project's own lists", () => {
  for (const list of ["requirements-node.txt", "requirements-demo.txt"]) expect(dockerfile).toContain(`-r scripts/python/${list}`);
  expect(dockerfile).toContain("ensureCodeServer");
  expect(dockerfile).not.toMatch(/==|@\d|:latest/u);
});

it("the image that the stack runs has the project's version", () => {
  const { version } = JSON.parse(readFileSync(join(INFRA, "../package.json"), "utf8")) as { version: string };
  for (const file of ["stack.yml", "compose.yml"])
    expect(stackText(file)).toContain(`\${EDA_JUPYTER_CPU_IMAGE:-eda/jupyter-cpu:${version}}`);
});

it("VS Code in the image starts as it does for npm start", () => {
  const settings = JSON.parse(stackText("images/jupyter-cpu/rootfs/etc/eda/settings.json")) as Record<string, unknown>;
  const served = readFileSync(join(INFRA, "../scripts/lib/serve.mjs"), "utf8");
  for (const [name, value] of Object.entries(settings)) expect(served).toContain(`${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  const entrypoint = stackText("images/jupyter-cpu/rootfs/usr/local/bin/eda-entrypoint");
  for (const flag of ["--disable-telemetry", "--disable-update-check", "--disable-workspace-trust"]) {
    expect(served).toContain(flag);
    expect(entrypoint).toContain(flag);
  }
});
