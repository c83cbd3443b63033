import { describe, expect, it } from "vitest";
import { eventsOf, runInProcess } from "../../support/cli.ts";

describe("a mistake on the command line", () => {
  it.each<[string, string, string]>([
    ["rnu", "unknown-command", "Did you mean run?"],
    ["runs foo", "unknown-command", "Known: show."],
    ["runs shwo 1", "unknown-command", "Known: show."],
    ["jobs kancel 1", "unknown-command", "Did you mean cancel?"],
    ["host strt", "unknown-command", "Did you mean start?"],
    ["objects", "missing-command", "eda objects --help"],
    ["host", "missing-command", "eda host --help"],
    ["", "missing-command", "eda --help"],
    ["run", "missing-argument", "eda run --help"],
    ["run stagin", "unknown-stage", "Did you mean staging?"],
    ["run all extra", "excess-arguments", "eda run --help"],
    ["run all --proyect p", "unknown-option", "Did you mean --project?"],
    ["run all --project", "option-missing-argument", "eda run --help"],
    ["run all --force=maybe", "unknown-option", "eda run --help"],
    ["runs --limit 0", "invalid-argument", "eda runs --help"],
    ["runs --limit many", "invalid-argument", "eda runs --help"],
    ["runs --stage curated", "unknown-stage", "Known: capture"],
    ["runs --state done", "unknown-state", "Known: waiting"],
    ["runs show", "missing-argument", "eda runs show --help"],
    ["logs", "missing-argument", "eda logs --help"],
    ["inventory", "missing-argument", "eda inventory --help"],
    ["inventory curate", "unknown-inventory", "Did you mean curated?"],
    ["objects ls rawdata/p", "unknown-bucket", "Did you mean raw-data?"],
    ["lineage", "missing-argument", "eda lineage --help"],
    ["jobs cancel", "missing-argument", "eda jobs cancel --help"],
    ["init --project Vendas", "invalid-project-name", "lower-case letters"],
    ["verify now", "excess-arguments", "eda verify --help"],
    ["doctor --workspace", "option-missing-argument", "eda --help"],
  ])("eda %s: exit 2, %s", async (line, code, advice) => {
    const result = await runInProcess(line.split(" ").filter((word) => word !== ""));
    expect(result.code).toBe(2);
    expect(result.stdout).toBe("");
    expect(result.stderr).toContain(`[${code}]`);
    expect(result.stderr).toContain(advice);
  });

  it("is told as one JSON event as well when JSON was asked for", async () => {
    const result = await runInProcess(["run", "stagin", "--json"]);
    expect(result.code).toBe(2);
    expect(eventsOf(result)).toEqual([{ type: "error", error: expect.objectContaining({ kind: "usage", code: "unknown-stage" }) }]);
    expect(result.stderr).toContain("Did you mean staging?");
  });
});

describe("outside a workspace", () => {
  it.each([
    "run all",
    "status",
    "runs",
    "runs show 1",
    "logs 1",
    "inventory raw",
    "objects ls",
    "lineage x",
    "verify",
    "jobs",
    "jobs show 1",
    "jobs cancel 1",
    "host start",
    "host status",
    "host stop",
    "recover",
  ])("eda %s: exit 3", async (line) => {
    const result = await runInProcess(line.split(" "));
    expect(result.code).toBe(3);
    expect(result.stderr).toContain("[not-a-workspace]");
    expect(result.stderr).toContain("eda init");
  });

  it("eda doctor still checks what it can, and fails", async () => {
    const result = await runInProcess(["doctor", "--json"]);
    const { ok, checks } = JSON.parse(result.stdout) as { ok: boolean; checks: { name: string; state: string }[] };
    expect(result.code).toBe(1);
    expect(ok).toBe(false);
    expect(checks.map(({ name, state }) => `${name} ${state}`)).toEqual(["node ok", "installation failed", "workspace failed"]);
  });
});

describe("asking for help", () => {
  it("prints the version", async () => {
    expect(await runInProcess(["--version"])).toEqual({ code: 0, stdout: "1.2.3\n", stderr: "" });
  });

  it.each(["--help", "help run", "run --help", "runs show --help", "host --help", "-h"])("eda %s: exit 0, on stdout", async (line) => {
    const result = await runInProcess(line.split(" "));
    expect(result.code).toBe(0);
    expect(result.stdout).toMatch(/^Usage: eda/u);
    expect(result.stdout).toContain("--workspace <dir>");
    expect(result.stderr).toBe("");
  });

  it("names every command of the contract, with the exit codes", async () => {
    const { stdout } = await runInProcess(["--help"]);
    for (const name of [
      "init",
      "demo",
      "run",
      "runs",
      "logs",
      "inventory",
      "objects",
      "lineage",
      "verify",
      "jobs",
      "doctor",
      "host",
      "recover",
    ]) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name}\\b`, "mu"));
    }
    expect(stdout).toContain("130 cancelled");
  });

  it("names the seven stages with their commit subjects", async () => {
    const { stdout } = await runInProcess(["run", "--help"]);
    expect(stdout).toContain("2  ingest     feat: ingestão raw com controle de unicidade");
  });
});
