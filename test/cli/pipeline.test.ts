/** Every command on a small project that has gone through all seven stages, with the built program and its real host. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { StoredInventoryRow } from "../../src/domain/inventory.ts";
import type { LineageGraph } from "../../src/domain/lineage.ts";
import type { RunRecord, RunSummary } from "../../src/domain/run.ts";
import { INVENTORIES, STAGES } from "../../src/domain/stage.ts";
import type { ObjectEntry, ProjectStatus, VerifyReport } from "../../src/protocol/messages.ts";
import { type CliResult, documentOf, eventsOf, summariesOf } from "../support/cli.ts";
import { type CliWorkspace, openCliWorkspace } from "../support/cli-workspace.ts";
import { describeWithPython } from "../support/python.ts";

interface Listing<T> {
  readonly items: readonly T[];
  readonly cursor: string | null;
}

describeWithPython("the command line on a small project", () => {
  let workspace: CliWorkspace;
  let first: CliResult;

  beforeAll(async () => {
    workspace = await openCliWorkspace({ project: true });
    first = await workspace.eda("run all --json");
  });
  afterAll(() => workspace?.close());

  const json = async <T>(line: string, code = 0): Promise<T> => {
    const result = await workspace.eda(`${line} --json`);
    expect(result.code, result.stderr).toBe(code);
    return documentOf<T>(result);
  };
  const text = async (line: string, code = 0): Promise<string> => {
    const result = await workspace.eda(line);
    expect(result.code, result.stderr).toBe(code);
    return result.stdout;
  };
  const commitOf = (subject: string) => workspace.git("log", "--format=%H", "--fixed-strings", `--grep=${subject}`).trim();

  it("run all --json prints one event a line, a summary a stage, with commits, and ends with 0", () => {
    expect(first.code, first.stderr).toBe(0);
    expect(eventsOf(first).at(-1)).toMatchObject({ type: "summary", stage: "deploy", state: "succeeded" });
    const summaries = summariesOf(first);
    expect(summaries.map(({ stage, state }) => `${stage} ${state}`)).toEqual(STAGES.map(({ id }) => `${id} succeeded`));
    for (const { stage, commitBefore, commitAfter, inputs, outputs } of summaries) {
      expect(commitBefore).toMatch(/^[0-9a-f]{40}$/u);
      expect(commitAfter).toBe(commitOf(STAGES.find(({ id }) => id === stage)?.subject as string));
      expect(inputs).toBeGreaterThan(0);
      expect(outputs).toBeGreaterThan(0);
    }
  });

  it("run says that there is nothing to do, makes no commit, and ends with 0", async () => {
    const head = workspace.git("rev-parse", "HEAD");
    const shown = await text("run all");
    expect(shown.match(/nothing to do/gu)).toHaveLength(7);
    expect(workspace.git("rev-parse", "HEAD")).toBe(head);
  });

  it("run --force runs a stage again although nothing changed", async () => {
    const [summary] = summariesOf(await workspace.eda("run staging --force --json")) as [RunSummary];
    expect(summary).toMatchObject({ state: "succeeded", stage: "staging" });
    expect(summary.commitAfter).not.toBe(summary.commitBefore);
    expect(await text("run curation")).toContain("nothing to do");
  });

  it("status shows each stage as fresh", async () => {
    const { projects } = await json<{ projects: ProjectStatus[] }>("status");
    expect(projects.map(({ project }) => project)).toEqual(["lojas"]);
    expect(projects[0]?.stages.map(({ freshness }) => freshness)).toEqual(STAGES.map(() => "fresh"));
    expect(await text("status")).toMatch(/^7\/7 deploy +unchanged .* fresh$/mu);
  });

  it("runs lists newest first, filters and pages", async () => {
    const all = await json<Listing<RunRecord>>("runs --all");
    expect(all.items.length).toBeGreaterThanOrEqual(15);
    expect(all.cursor).toBeNull();
    const page = await json<Listing<RunRecord>>("runs --limit 3");
    expect(page.items.map(({ run }) => run)).toEqual(all.items.slice(0, 3).map(({ run }) => run));
    const next = await workspace.eda("runs --limit 3 --json", "--cursor", page.cursor as string);
    expect(documentOf<Listing<RunRecord>>(next).items.map(({ run }) => run)).toEqual(all.items.slice(3, 6).map(({ run }) => run));
    const staged = await json<Listing<RunRecord>>("runs --stage staging --state succeeded");
    expect(staged.items.map(({ stage }) => stage)).toEqual(["staging", "staging"]);
  });

  it("runs shows state, stage, duration and commits in a table", async () => {
    const { stdout, stderr } = await workspace.eda("runs --limit 2 --stage ingest");
    const [header, row] = stdout.split("\n");
    expect(header).toMatch(/^RUN +PROJECT +STAGE +STATE +STARTED +DURATION +COMMITS$/u);
    expect(row).toMatch(/^\d{8}-\d{6}-\w{6} +lojas +ingest +unchanged +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +\S+ +–$/u);
    expect(stderr).toBe("");
  });

  it("runs show gives one run in full", async () => {
    const id = summariesOf(first)[2]?.runId as string;
    expect(await json<RunRecord>(`runs show ${id}`)).toMatchObject({ run: id, stage: "staging", state: "succeeded" });
    expect(await text(`runs show ${id}`)).toMatch(/stage +3\/7 staging\nstate +succeeded/u);
  });

  it("logs prints time, level and message; as JSON the last event is the summary", async () => {
    const id = summariesOf(first)[5]?.runId as string;
    expect(await text(`logs ${id}`)).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d info {2}\S/mu);
    const events = eventsOf(await workspace.eda(`logs ${id} --json`));
    expect(events.at(-1)).toMatchObject({ type: "summary", runId: id, state: "succeeded" });
    expect(events.slice(0, -1).every((event) => event.type === "log")).toBe(true);
    const followed = eventsOf(await workspace.eda(`logs ${id} --follow --json`));
    expect(followed).toEqual(events);
  });

  it.each(INVENTORIES)("inventory %s lists what is stored", async (inventory) => {
    const { items } = await json<Listing<StoredInventoryRow>>(`inventory ${inventory} --project lojas`);
    expect(items.length).toBeGreaterThan(0);
    for (const row of items)
      expect(row).toMatchObject({ inventory, project: "lojas", current: true, sha256: expect.stringMatching(/^[0-9a-f]{64}$/u) });
    expect((await text(`inventory ${inventory}`)).split("\n")[0]).toMatch(/^NAME +ROLE +SIZE +ROWS +SHA256/u);
  });

  it("inventory shows the same content under a second name as an alias", async () => {
    expect(await text("inventory raw --search lojas")).toMatch(/^cópia de lojas\.txt +(alias|data)/mu);
    const { items } = await json<Listing<StoredInventoryRow>>("inventory raw");
    expect(items.filter(({ aliasOf }) => aliasOf !== null)).toHaveLength(1);
    expect((await workspace.eda("inventory raw --search nowhere")).stderr).toContain("has no name with that text");
  });

  it("objects ls goes from buckets to objects", async () => {
    const { items: buckets } = await json<Listing<{ bucket: string }>>("objects ls");
    expect(buckets.map(({ bucket }) => bucket)).toContain("staging-data");
    const { items: prefixes } = await json<Listing<ObjectEntry>>("objects ls staging-data");
    expect(prefixes).toEqual([expect.objectContaining({ type: "prefix", key: "lojas/" })]);
    const { items: objects } = await json<Listing<ObjectEntry>>("objects ls staging-data/lojas");
    expect(objects.some(({ key }) => key.includes("pedidos"))).toBe(true);
    expect(await text("objects ls raw-data/lojas/ped")).toContain("lojas/pedidos.csv");
  });

  it("lineage reaches from the model to every Drive file, with the commits on the way", async () => {
    const tree = await text("lineage media/model.json");
    for (const file of ["lojas.csv", "pedidos.csv"]) expect(tree).toMatch(new RegExp(`drive .*${file}`, "u"));
    for (const { id } of STAGES) expect(tree).toMatch(new RegExp(`by ${id} run \\S+, commits [0-9a-f]{7} → [0-9a-f]{7}`, "u"));
    const graph = await json<LineageGraph>("lineage models/lojas/media/model.json");
    expect(new Set(graph.runs.map(({ stage }) => stage))).toEqual(new Set(STAGES.map(({ id }) => id)));
  });

  it("jobs lists and shows the training, and has nothing to cancel", async () => {
    const { items } = await json<Listing<{ readonly job: string }>>("jobs");
    const [job] = items as [{ readonly job: string }];
    expect(job).toMatchObject({ state: "succeeded", project: "lojas", metrics: expect.objectContaining({ mae: 0.5 }) });
    expect(await text(`jobs show ${job.job}`)).toMatch(/mae +0\.5/u);
    const cancelled = await workspace.eda(`jobs cancel ${job.job}`);
    expect(cancelled).toMatchObject({ code: 0, stderr: expect.stringContaining("has succeeded already") });
    const resumed = await workspace.eda(`jobs resume ${job.job}`);
    expect(resumed).toMatchObject({ code: 3, stderr: expect.stringContaining("is succeeded and cannot be resumed") });
    const followed = await workspace.eda(`jobs follow ${job.job} --json`);
    expect(followed.code).toBe(0);
    expect(documentOf(followed)).toMatchObject({ job: job.job, state: "succeeded", attempts: [{ finished: true }] });
  });

  it("doctor finds everything in order", async () => {
    const { ok, checks } = await json<{ ok: boolean; checks: { name: string; state: string }[] }>("doctor");
    expect(ok).toBe(true);
    expect(checks.map(({ name }) => name)).toEqual(expect.arrayContaining(["node", "installation"]));
    expect(await text("doctor")).toMatch(/^✔ node/mu);
  });

  it("recover has nothing to do", async () => {
    expect(await json("recover")).toEqual({ done: [] });
  });

  it.each([
    ["runs show 20200101-000000-abcdef", "unknown-run"],
    ["logs 20200101-000000-abcdef", "unknown-run"],
    ["logs 20200101-000000-abcdef --follow", "unknown-run"],
    ["jobs show nothing", "unknown-job"],
    ["jobs cancel nothing", "unknown-job"],
    ["lineage nothing/here", "unknown-asset"],
  ])("%s: exit 2, %s", async (line, code) => {
    const result = await workspace.eda(line);
    expect(result.code).toBe(2);
    expect(result.stdout).toBe("");
    expect(result.stderr).toContain(`[${code}]`);
  });

  it("a reader that has read enough ends a command silently", async () => {
    const result = workspace.start("runs --all --json");
    result.process.stdout?.destroy();
    expect(await result.result).toMatchObject({ code: 0, stderr: "" });
  });

  it("host stop, status and start do what they say", async () => {
    expect(await json("host status")).toMatchObject({ running: true, workspace: workspace.folder, activeRuns: [] });
    expect((await workspace.eda("host stop")).stderr).toContain("The host has stopped.");
    expect(existsSync(join(workspace.folder, ".eda", "postgres", "postmaster.pid"))).toBe(false);
    expect(await json("host status", 4)).toEqual({ running: false });
    expect(await text("host status", 4)).toBe("not running\n");
    expect((await workspace.eda("host stop")).stderr).toContain("Nothing to do");
    expect(await json("host start")).toMatchObject({ running: true, started: true });
    expect((await workspace.eda("host start")).stderr).toContain("was running already");
  });

  it("verify agrees with an untouched workspace, and names a changed byte with exit 1", async () => {
    expect(await json<VerifyReport>("verify --project lojas")).toMatchObject({ ok: true, problems: [] });
    expect(await text("verify")).toMatch(/^✔ all agree: \d+ objects/u);
    const object = findObject(join(workspace.folder, ".eda", "objects", "staging-data"));
    const bytes = readFileSync(object);
    const changed = Buffer.from(bytes);
    changed[10] = (changed[10] as number) ^ 1;
    writeFileSync(object, changed);
    const report = await json<VerifyReport>("verify", 1);
    expect(report.problems).toEqual([
      expect.objectContaining({ subject: "object", name: expect.stringMatching(/^staging-data\/lojas\//u) }),
    ]);
    expect(await text("verify", 1)).toMatch(/^object +staging-data\/lojas\//mu);
    writeFileSync(object, bytes);
    expect(await json<VerifyReport>("verify")).toMatchObject({ ok: true });
  });
});

/** The bytes of some stored object. */
function findObject(folder: string): string {
  const path = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .sort()
    .find((each) => each.endsWith("/data"));
  if (path === undefined) throw new Error(`no object in ${folder}`);
  return join(folder, path);
}
