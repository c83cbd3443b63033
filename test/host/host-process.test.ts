import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMessageConnection, SocketMessageReader, SocketMessageWriter } from "vscode-jsonrpc/node";
import type { RunSummary } from "../../src/domain/run.ts";
import { endpointOf } from "../../src/protocol/endpoint.ts";
import {
  Doctor,
  Hello,
  ListBuckets,
  PipelineStatus,
  PROTOCOL_VERSION,
  Recover,
  RunChanged,
  StartRun,
  Status,
  Stop,
} from "../../src/protocol/messages.ts";
import { INSTALLATION, openTestHost, processGone, type TestHost } from "../support/host.ts";
import { SMALL_PROJECT } from "../support/small-project.ts";
import { createWorkspace, type TestWorkspace } from "../support/workspace.ts";

describe("the host process", () => {
  let workspace: TestWorkspace;
  const hosts: TestHost[] = [];

  const open = async (env: NodeJS.ProcessEnv = {}) => {
    const host = await openTestHost(workspace.folder, { env });
    hosts.push(host);
    return host;
  };

  beforeEach(() => {
    workspace = createWorkspace("host");
  });

  afterEach(async () => {
    const last = await open();
    await last.stop();
    for (const host of hosts.splice(0)) host.dispose();
    workspace.remove();
  });

  /** A connection that has not introduced itself. */
  async function stranger() {
    const socket = createConnection(endpointOf(workspace.folder).socket);
    await new Promise((resolve) => socket.once("connect", resolve));
    const rpc = createMessageConnection(new SocketMessageReader(socket), new SocketMessageWriter(socket));
    rpc.listen();
    return { rpc, close: () => socket.destroy() };
  }

  it("is shared by all clients of a workspace", async () => {
    const [one, two] = [await open(), await open()];
    expect(two.status.pid).toBe(one.status.pid);
    expect(await two.rpc.sendRequest(Status)).toMatchObject({ clients: 2, workspace: workspace.folder, activeRuns: [] });
  });

  it("is one process, however many clients start it at once", async () => {
    const started = await Promise.all([open(), open(), open()]);
    expect(new Set(started.map((host) => host.status.pid)).size).toBe(1);
  });

  it("lets a second process leave with 0", async () => {
    await open();
    const second = spawn(process.execPath, [join(INSTALLATION, "dist/host/main.js"), "--workspace", workspace.folder], { stdio: "ignore" });
    expect(await new Promise((resolve) => second.once("exit", resolve))).toBe(0);
  });

  it("answers nothing before the handshake", async () => {
    await open();
    const { rpc, close } = await stranger();
    await expect(rpc.sendRequest(Status)).rejects.toThrow(/unhandled method|not found/iu);
    await rpc.sendRequest(Hello, { protocol: PROTOCOL_VERSION, build: "x", client: "test" });
    expect(await rpc.sendRequest(ListBuckets)).toContain("raw-data");
    close();
  });

  it("lets a client of another protocol ask for its status and stop it, and nothing else", async () => {
    const host = await open();
    const { rpc, close } = await stranger();
    expect(await rpc.sendRequest(Hello, { protocol: PROTOCOL_VERSION + 1, build: "x", client: "test" })).toMatchObject({
      protocol: PROTOCOL_VERSION,
    });
    await expect(rpc.sendRequest(ListBuckets)).rejects.toThrow(/unhandled method|not found/iu);
    await rpc.sendRequest(Stop, { force: false });
    await processGone(host.status.pid);
    close();
  });

  it("stops within seconds on SIGTERM, with its database, and leaves no socket that answers", async () => {
    const host = await open();
    const start = performance.now();
    process.kill(host.status.pid, "SIGTERM");
    await processGone(host.status.pid);
    expect(performance.now() - start).toBeLessThan(8_000);
    expect(existsSync(join(workspace.folder, ".eda/postgres/data/postmaster.pid"))).toBe(false);
  });

  it("starts again after a hard kill, over the stale socket and the database that lived on", async () => {
    const host = await open();
    expect(await host.run("capture")).toMatchObject({ state: "succeeded" });
    await host.kill();
    const again = await open();
    expect(again.status.pid).not.toBe(host.status.pid);
    expect(await again.records()).toHaveLength(1);
  });

  it("refuses to stop while runs are active, unless forced, and they go on at the next start", async () => {
    const host = await open();
    const [capture, ingest] = (await host.startRun("all")) as [string, string];
    const refused = await host.rpc.sendRequest(Stop, { force: false }).then(
      () => "stopped",
      (error: { data?: { code?: string } }) => error.data?.code,
    );
    expect(refused).toBe("runs-active");
    await host.stop();
    const again = await open();
    expect(again.status.activeRuns).toContain(ingest);
    expect(await again.endOf(capture)).toMatchObject({ state: "succeeded" });
    expect(await again.endOf(ingest)).toMatchObject({ state: "succeeded" });
    expect(
      workspace
        .commits()
        .slice(1, 5)
        .map((commit) => commit.trailers.Execucao),
    ).toEqual([capture, capture, ingest, ingest]);
  });

  it("tells every client of every run's changes, in order", async () => {
    const [one, two] = [await open(), await open()];
    const seen: RunSummary[] = [];
    two.rpc.onNotification(RunChanged, (summary) => void seen.push(summary));
    await one.run("capture");
    await expect.poll(() => seen.at(-1)?.state).toBe("succeeded");
    expect(seen.map((summary) => summary.state)).toEqual([
      "waiting",
      "planning",
      "committing-before",
      "executing",
      "publishing",
      "committing-after",
      "succeeded",
    ]);
  });

  it("works in a folder that is not a repository yet, and says what is missing", async () => {
    workspace.git("config", "--local", "core.bare", "false");
    execFileSync("rm", ["-rf", join(workspace.folder, ".git"), join(workspace.folder, "configs")]);
    const host = await open();
    expect(await host.rpc.sendRequest(PipelineStatus, {})).toEqual([]);
    const checks = await host.rpc.sendRequest(Doctor);
    expect(checks.find((check) => check.name === "repository")).toMatchObject({ state: "failed", todo: expect.any(String) });
    workspace.git("init", "--quiet");
  });

  it("finds nothing wrong with a good workspace, and nothing to recover", async () => {
    const host = await open();
    const checks = await host.rpc.sendRequest(Doctor);
    const bad = checks.filter((check) => check.state === "failed" && check.name !== "jupyter");
    expect(bad).toEqual([]);
    expect(checks.map((check) => check.name)).toEqual(
      expect.arrayContaining(["node", "git", "postgresql", "migrations", "object store", "duckdb", "jupyter"]),
    );
    expect(await host.rpc.sendRequest(Recover)).toEqual([]);
  });

  it("runs with the defaults under an invalid settings file, and refuses runs naming the line", async () => {
    writeFileSync(join(workspace.folder, "configs/eda.yaml"), "engine:\n  threads: many\n");
    const host = await open();
    await expect(host.startRun("capture")).rejects.toMatchObject({
      kind: "precondition",
      code: "invalid-config",
      at: { file: "configs/eda.yaml", line: 2 },
    });
    writeFileSync(join(workspace.folder, "configs/eda.yaml"), "engine:\n  threads: 1\n");
    expect(await host.run("capture")).toMatchObject({ state: "succeeded" });
  });

  it("refuses what cannot be run, before anything is recorded", async () => {
    const host = await open();
    const start = (params: { project: string; stage: string }) =>
      host.rpc.sendRequest(StartRun, { force: false, actor: "ana", ...params } as never).then(
        () => "started",
        (error: { data?: { code?: string } }) => error.data?.code,
      );
    expect(await start({ project: "nada", stage: "capture" })).toBe("unknown-project");
    expect(await start({ project: "../x", stage: "capture" })).toBe("invalid-project-name");
    expect(await start({ project: SMALL_PROJECT, stage: "dream" })).toBe("unknown-stage");
    expect(await host.records()).toEqual([]);
  });

  it("leaves when nobody has needed it for long", async () => {
    const host = await open({ EDA_IDLE_MINUTES: "0.001" });
    host.dispose();
    await processGone(host.status.pid);
    expect(readFileSync(join(workspace.folder, ".eda/logs/host.log"), "utf8")).toContain("nobody needed it");
  });

  it("ends when its database is gone, and the next start goes on with both", async () => {
    const host = await open();
    expect(await host.run("capture")).toMatchObject({ state: "succeeded" });
    const [ingest] = (await host.startRun("ingest")) as [string];
    const postmaster = readFileSync(join(workspace.folder, ".eda/postgres/data/postmaster.pid"), "utf8").split("\n", 1)[0];
    process.kill(Number(postmaster), "SIGQUIT");
    await processGone(host.status.pid, 60_000);
    const again = await open();
    expect(await again.endOf(ingest)).toMatchObject({ state: "succeeded" });
    expect((await again.verify()).problems).toEqual([]);
    expect(workspace.status()).toEqual([]);
  });

  it("hides its folder from Git, in any repository", async () => {
    writeFileSync(join(workspace.folder, ".gitignore"), "");
    workspace.git("commit", "--quiet", "--all", "--message", "docs: sem exceções");
    mkdirSync(join(workspace.folder, ".eda"), { recursive: true });
    await open();
    expect(workspace.status().filter((line) => line.includes(".eda"))).toEqual([]);
  });
});
