/** Watching, cancelling and losing a run at work: a training that takes a minute unless it is stopped. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RunRecord } from "../../src/domain/run.ts";
import { documentOf, eventsOf, type RunningEda, summariesOf } from "../support/cli.ts";
import { type CliWorkspace, openCliWorkspace } from "../support/cli-workspace.ts";
import { describeWithPython } from "../support/python.ts";

describeWithPython("a run at work", () => {
  let workspace: CliWorkspace;

  beforeAll(async () => {
    workspace = await openCliWorkspace({ project: true });
    for (const stage of ["capture", "ingest", "staging", "curation", "datasets"]) {
      const { code, stderr } = await workspace.eda(`run ${stage}`);
      expect(code, stderr).toBe(0);
    }
  });
  afterAll(() => workspace?.close());

  /** A training of so many seconds, started and seen waiting in its notebook. */
  async function startTraining(seconds: number, line = "run modeling"): Promise<{ running: RunningEda; run: string }> {
    const file = join(workspace.folder, "configs", "projects", "lojas.yaml");
    writeFileSync(file, readFileSync(file, "utf8").replace(/wait_seconds: \d+/u, `wait_seconds: ${seconds}`));
    const running = workspace.start(line);
    const run = await waitForNotebook();
    return { running, run };
  }

  async function waitForNotebook(): Promise<string> {
    for (;;) {
      const listing = await workspace.eda("runs --stage modeling --state executing --json");
      const [record] = documentOf<{ items: RunRecord[] }>(listing).items;
      if (record !== undefined && (await workspace.eda(`logs ${record.run}`)).stdout.includes("waiting 0")) return record.run;
      await delay(200);
    }
  }

  const stateOf = async (run: string) => documentOf<RunRecord>(await workspace.eda(`runs show ${run} --json`)).state;

  it("is cancelled by one Ctrl-C, exit 130, its kernel gone, the failure committed", async () => {
    const { running, run } = await startTraining(60);
    running.process.kill("SIGINT");
    const result = await running.result;
    expect(result.code).toBe(130);
    expect(result.stderr).toContain("Cancelling; Ctrl-C again leaves without waiting.");
    expect(result.stdout).toMatch(/6\/7 modeling +cancelled/u);
    expect(await stateOf(run)).toBe("cancelled");
    expect(workspace.git("log", "-1", "--format=%s")).toMatch(/^docs: /u);
    expect(workspace.git("status", "--porcelain")).toBe("");
  });

  it("is left at once by a second Ctrl-C, although the host does not answer, and cancelled all the same", async () => {
    const { running, run } = await startTraining(62);
    const { pid } = documentOf<{ pid: number }>(await workspace.eda("host status --json"));
    process.kill(pid, "SIGSTOP");
    running.process.kill("SIGINT");
    await running.until(/Ctrl-C again/u);
    await delay(400);
    running.process.kill("SIGINT");
    const result = await running.result;
    process.kill(pid, "SIGCONT");
    expect(result.code).toBe(130);
    expect(result.stderr).toContain(`follow it with: eda logs ${run} --follow`);
    expect((await workspace.eda(`logs ${run} --follow`)).stderr).toContain(`Run ${run} cancelled.`);
  });

  it("is listed as a running job, and cancelled by jobs cancel; who follows its log sees the end", async () => {
    const { running, run } = await startTraining(61, "run modeling --json");
    expect((await workspace.eda("jobs")).stdout).toMatch(new RegExp(`^${run} +lojas +running`, "mu"));
    const following = workspace.start(`logs ${run} --follow`);
    await following.until(/waiting 1/u);
    const cancelled = await workspace.eda(`jobs cancel ${run} --json`);
    expect(documentOf(cancelled)).toMatchObject({ job: run, run, accepted: true });
    expect(await running.result.then(summariesOf)).toEqual([expect.objectContaining({ runId: run, state: "cancelled" })]);
    const followed = await following.result;
    expect(followed.code).toBe(0);
    expect(followed.stderr).toContain(`Run ${run} cancelled.`);
  });

  it("outlives a follower that leaves and a host stop that is refused; its own command sees the success", async () => {
    const { running, run } = await startTraining(20, "run modeling --json");
    const following = workspace.start(`logs ${run} --follow`);
    await following.until(/waiting/u);
    following.process.kill("SIGINT");
    expect(await following.result).toMatchObject({ code: 130, stderr: expect.stringContaining("goes on") });
    expect(await workspace.eda("host stop")).toMatchObject({ code: 3, stderr: expect.stringContaining("[runs-active]") });
    const result = await running.result;
    expect(result.code, result.stdout + result.stderr).toBe(0);
    expect(summariesOf(result)).toEqual([expect.objectContaining({ runId: run, state: "succeeded" })]);
  });

  it("goes on after its host was killed, each log line printed once", async () => {
    const { running, run } = await startTraining(10, "run modeling --json");
    const { pid } = documentOf<{ pid: number }>(await workspace.eda("host status --json"));
    process.kill(pid, "SIGKILL");
    const result = await running.result;
    expect(result.code, result.stdout + result.stderr).toBe(0);
    expect(result.stderr).toContain("The eda host went away; runs are durable, looking for it again …");
    const events = eventsOf(result);
    expect(events.at(-1)).toMatchObject({ type: "summary", runId: run, state: "succeeded" });
    const sequences = events.flatMap((event) => (event.type === "log" ? [event.line.sequence] : []));
    expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => a - b));
  });

  it("waits behind a run of the same stage, and says for which", async () => {
    const { running, run } = await startTraining(15);
    const second = workspace.start("run modeling");
    await second.until(new RegExp(`waiting for run ${run}`, "u"));
    expect((await running.result).code).toBe(0);
    expect(await second.result).toMatchObject({ code: 0, stdout: expect.stringContaining("nothing to do") });
  });
});
