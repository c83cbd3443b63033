/** Runs as clients live through them: side by side, left alone, cancelled, and completed later. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RunEvent } from "../../src/domain/run.ts";
import { Recover } from "../../src/protocol/messages.ts";
import { openTestHost, type TestHost } from "../support/host.ts";
import { SMALL_PROJECT } from "../support/small-project.ts";
import { createWorkspace, type TestWorkspace } from "../support/workspace.ts";

const INGESTED = "feat: ingestão raw com controle de unicidade";

describe("runs on a host", () => {
  let workspace: TestWorkspace;
  let host: TestHost;

  beforeEach(async () => {
    workspace = createWorkspace("runs");
    host = await openTestHost(workspace.folder);
    expect(await host.run("capture")).toMatchObject({ state: "succeeded" });
  });

  afterEach(async () => {
    await host.stop();
    workspace.remove();
  });

  /** A commit that waits for a file to appear holds a run where a test wants it. */
  function holdCommits(): () => void {
    const gate = join(workspace.folder, ".eda", "gate");
    hook(`[ -e '${gate}' ] || echo waiting; while [ ! -e '${gate}' ]; do sleep 0.1; done`);
    return () => writeFileSync(gate, "");
  }

  function hook(script: string): void {
    writeFileSync(join(workspace.folder, ".git", "hooks", "pre-commit"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }

  const subjects = () => workspace.commits().map((commit) => commit.subject);

  it("takes one run of a stage at a time, and tells the other who holds it", async () => {
    const release = holdCommits();
    const [first] = (await host.startRun("ingest", { force: true })) as [string];
    await expect.poll(async () => (await host.record(first)).state, { timeout: 20_000 }).toBe("committing-before");
    const [second] = (await host.startRun("ingest", { force: true })) as [string];
    const events: RunEvent[] = [];
    const end = host.endOf(second, (event) => void events.push(event));
    await expect.poll(() => events.length).toBeGreaterThan(0);
    expect(events[0]).toMatchObject({
      type: "state",
      state: "waiting",
      message: expect.stringContaining(`waiting for run ${first}, started by ana`),
    });
    release();
    expect(await end).toMatchObject({ state: "succeeded" });
    const [one, two] = [await host.record(first), await host.record(second)];
    expect(one.state).toBe("succeeded");
    expect((two.startedAt as string) >= (one.finishedAt as string)).toBe(true);
  });

  it("goes on when the client that started it goes away, and another sees its end", async () => {
    const release = holdCommits();
    const [run] = (await host.startRun("ingest")) as [string];
    host.dispose();
    host = await openTestHost(workspace.folder);
    const events: RunEvent[] = [];
    const end = host.endOf(run, (event) => void events.push(event));
    release();
    expect(await end).toMatchObject({ state: "succeeded", runId: run });
    expect(events.some((event) => event.type === "state" && event.state === "publishing")).toBe(true);
  });

  it("cancels a run that waits, without a trace in Git", async () => {
    const release = holdCommits();
    const [first] = (await host.startRun("ingest")) as [string];
    await expect.poll(async () => (await host.record(first)).state, { timeout: 20_000 }).toBe("committing-before");
    const [second] = (await host.startRun("ingest")) as [string];
    expect(await host.cancel(second)).toBe(true);
    expect(await host.endOf(second)).toMatchObject({ state: "cancelled", commitBefore: null });
    release();
    expect(await host.endOf(first)).toMatchObject({ state: "succeeded" });
    expect(workspace.commits().some((commit) => commit.trailers.Execucao === second)).toBe(false);
  });

  it("cancels a run at work: it is rolled back and recorded", async () => {
    const release = holdCommits();
    const [run] = (await host.startRun("ingest")) as [string];
    await expect.poll(async () => (await host.record(run)).state, { timeout: 20_000 }).toBe("committing-before");
    expect(await host.cancel(run)).toBe(true);
    release();
    expect(await host.endOf(run)).toMatchObject({ state: "cancelled", error: { kind: "cancelled" } });
    expect(subjects().at(-1)).toBe(`docs: cancelamento registrado na etapa ingest do projeto ${SMALL_PROJECT}`);
    expect(workspace.status()).toEqual([]);
    expect((await host.verify()).problems).toEqual([]);
    expect(await host.cancel(run)).toBe(false);
  });

  it("stays cancelled when the host is killed before it could stop", async () => {
    const release = holdCommits();
    const [run] = (await host.startRun("ingest")) as [string];
    await expect.poll(async () => (await host.record(run)).state, { timeout: 20_000 }).toBe("committing-before");
    await host.cancel(run);
    await host.kill();
    release();
    host = await openTestHost(workspace.folder);
    expect(await host.endOf(run)).toMatchObject({ state: "cancelled" });
    expect(workspace.status()).toEqual([]);
    expect((await host.verify()).problems).toEqual([]);
  });

  it("stops a pipeline after the stage that failed, and says why the others did not start", async () => {
    rmSync(join(workspace.folder, "sql", SMALL_PROJECT, "curated", "vendas.sql"));
    const runs = await host.startRun("all");
    expect(runs).toHaveLength(7);
    const ends = await Promise.all(runs.map((run) => host.endOf(run)));
    expect(ends.map((end) => end.state)).toEqual(["unchanged", "succeeded", "succeeded", "failed", "cancelled", "cancelled", "cancelled"]);
    expect(ends[4]?.error).toMatchObject({ code: "not-started", message: expect.stringContaining("stage curation ended as failed") });
  });

  it("makes the commit after a run later, when a hook refused it", async () => {
    hook(`grep -q '"state": "succeeded"' $(git diff --cached --name-only) && exit 1; exit 0`);
    const refused = await host.run("ingest");
    expect(refused).toMatchObject({ state: "failed", error: { code: "after-commit-pending" } });
    expect(workspace.status()).toEqual([]);
    expect((await host.verify()).problems).toEqual([
      { subject: "commit", name: refused.runId, message: expect.stringContaining("eda recover") },
    ]);
    expect(await host.rpc.sendRequest(Recover)).toEqual([expect.stringContaining("still not complete")]);

    rmSync(join(workspace.folder, ".git", "hooks", "pre-commit"));
    expect(await host.rpc.sendRequest(Recover)).toEqual([
      expect.stringContaining(`run ${refused.runId} (ingest of ${SMALL_PROJECT}): completed as succeeded`),
    ]);
    expect(subjects().at(-1)).toBe(INGESTED);
    expect(await host.record(refused.runId)).toMatchObject({ state: "succeeded", error: null, commitAfter: expect.any(String) });
    expect(workspace.status()).toEqual([]);
    expect((await host.verify()).problems).toEqual([]);
    expect(await host.rpc.sendRequest(Recover)).toEqual([]);
  });

  it("puts captured files in place later, when the commit after the capture was refused", async () => {
    writeFileSync(join(workspace.folder, ".eda", "drive", SMALL_PROJECT, "novo.txt"), "novo\n");
    hook(`grep -q '"state": "succeeded"' $(git diff --cached --name-only) && exit 1; exit 0`);
    expect(await host.run("capture")).toMatchObject({ state: "failed", error: { code: "after-commit-pending" } });
    await host.stop();
    host = await openTestHost(workspace.folder);
    rmSync(join(workspace.folder, ".git", "hooks", "pre-commit"));
    expect(await host.rpc.sendRequest(Recover)).toEqual([expect.stringContaining("completed as succeeded")]);
    expect((await host.verify()).problems).toEqual([]);
    expect(await host.run("capture")).toMatchObject({ state: "unchanged" });
  });
});
