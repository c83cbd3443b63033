/** The built host, as any client reaches it: started on demand, asked over the socket, killed when a test wants it. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { RunEvent, RunRecord, RunSummary } from "../../src/domain/run.ts";
import type { StageId } from "../../src/domain/stage.ts";
import type { VerifyReport } from "../../src/domain/verification.ts";
import { call, connectHost, type HostConnection } from "../../src/protocol/client.ts";
import { installationAt } from "../../src/protocol/installation.ts";
import { CancelRun, ListRuns, RunEvents, ShowRun, StartRun, Stop, Verify, WatchRun } from "../../src/protocol/messages.ts";
import { testPython } from "./python.ts";
import { SMALL_PROJECT } from "./small-project.ts";

export const ROOT = join(import.meta.dirname, "..", "..");
/** Folder of the installation under test. */
export const INSTALLATION = process.env.EDA_HOME ?? ROOT;

export interface TestHost extends HostConnection {
  readonly workspace: string;
  /** Resolves when the connection ends. */
  readonly gone: Promise<void>;
  startRun(stage: StageId | "all", options?: { readonly force?: boolean; readonly project?: string }): Promise<readonly string[]>;
  /** Waits for the end. @param onEvent events on the way */
  endOf(run: string, onEvent?: (event: RunEvent) => void): Promise<RunSummary>;
  /** Starts one stage and waits for its end. */
  run(stage: StageId, options?: { readonly force?: boolean }): Promise<RunSummary>;
  record(run: string): Promise<RunRecord>;
  /** Newest first. */
  records(): Promise<readonly RunRecord[]>;
  cancel(run: string): Promise<boolean>;
  verify(project?: string): Promise<VerifyReport>;
  /** Stops it for good; returns when the process is gone. */
  stop(force?: boolean): Promise<void>;
  /** SIGKILL, unless it is dead already; returns when the process is gone. */
  kill(): Promise<void>;
}

export interface TestHostOptions {
  readonly env?: NodeJS.ProcessEnv;
}

/** Connects to the workspace's host, starting the built one when there is none. */
export async function openTestHost(workspace: string, { env = {} }: TestHostOptions = {}): Promise<TestHost> {
  const installation = installationAt(INSTALLATION, {
    ...process.env,
    ...(testPython === undefined ? {} : { EDA_PYTHON: testPython }),
    ...env,
  });
  if (installation === undefined) throw new Error("the host is not built: npm run build");
  const connection = await connectHost({ workspace, client: "test", build: installation.build, program: installation.program });
  const { rpc, status } = connection;
  const gone = new Promise<void>((resolve) => rpc.onClose(() => resolve()));
  const watchers = new Map<string, (event: RunEvent) => void>();
  rpc.onNotification(RunEvents, (event) => {
    if (event.type !== "summary") watchers.get(event.runId)?.(event);
  });
  const lost = gone.then((): never => {
    throw new Error("the host went away");
  });
  lost.catch(() => undefined);
  const ask = <T>(request: Promise<T>) => call(Promise.race([request, lost]));
  const host: TestHost = {
    ...connection,
    workspace,
    gone,
    startRun: async (stage, { force = false, project = SMALL_PROJECT } = {}) =>
      (await ask(rpc.sendRequest(StartRun, { project, stage, force, actor: "ana" }))).runs,
    endOf: async (run, onEvent) => {
      if (onEvent !== undefined) watchers.set(run, onEvent);
      return ask(rpc.sendRequest(WatchRun, { run, withLog: true })).finally(() => watchers.delete(run));
    },
    run: async (stage, options) => host.endOf((await host.startRun(stage, options))[0] as string),
    record: (run) => ask(rpc.sendRequest(ShowRun, { run })),
    records: async () => (await ask(rpc.sendRequest(ListRuns, { limit: 1000 }))).items,
    cancel: async (run) => (await ask(rpc.sendRequest(CancelRun, { run }))).accepted,
    verify: (project) => ask(rpc.sendRequest(Verify, { token: "verify", ...(project === undefined ? {} : { project }) })),
    stop: async (force = true) => {
      await call(rpc.sendRequest(Stop, { force })).catch(() => undefined);
      await processGone(status.pid);
      connection.dispose();
    },
    kill: async () => {
      if (existsSync(`/proc/${status.pid}`)) process.kill(status.pid, "SIGKILL");
      await processGone(status.pid);
      connection.dispose();
    },
  };
  return host;
}

export async function processGone(pid: number, withinMs = 30_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (existsSync(`/proc/${pid}`) && !isZombie(pid)) {
    if (Date.now() > deadline) throw new Error(`process ${pid} is still there`);
    await delay(20);
  }
}

function isZombie(pid: number): boolean {
  try {
    return / Z /u.test(readFileSync(`/proc/${pid}/stat`, "latin1").replace(/\(.*\)/su, ""));
  } catch {
    return true;
  }
}
