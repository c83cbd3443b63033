/** Is everything here that a run needs? Each check says what to do; none throws. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import prettyBytes from "pretty-bytes";
import { findPython } from "../adapters/jupyter/python.ts";
import { parseConfig } from "../domain/config-file.ts";
import { SETTINGS_FILE } from "../domain/governed.ts";
import { settingsSchema } from "../domain/settings.ts";
import { workTreeSource } from "../pipeline/code-source.ts";
import { projectNames } from "../pipeline/pipeline-status.ts";
import { readProject } from "../pipeline/plan-run.ts";
import { buildOf } from "../protocol/installation.ts";
import type { DoctorCheck } from "../protocol/messages.ts";
import type { Host } from "./host.ts";
import { incompleteRuns } from "./recover.ts";
import { readSettingsText } from "./settings-file.ts";
import { checkStores } from "./stores/checks.ts";
import { readConfiguration, refuseChangedStores } from "./stores/read.ts";
import { ok, settled, type Verdict } from "./verdict.ts";

const MIN_NODE_MAJOR = 22;
/** Below this a run of the demonstration's size fails; below ten times of it somebody should know. */
const MIN_FREE_BYTES = 500_000_000;

const execute = promisify(execFile);

const CHECKS: Readonly<Record<string, (host: Host) => Promise<Verdict>>> = {
  "host build": checkBuild,
  node: checkNode,
  git: checkGit,
  repository: checkRepository,
  settings: checkSettings,
  projects: checkProjects,
  "disk space": checkDisk,
  duckdb: checkEngine,
  jupyter: checkJupyter,
  runs: checkRuns,
  push: checkPush,
};

export async function doctor(host: Host): Promise<readonly DoctorCheck[]> {
  const own = Object.entries(CHECKS).map(([name, check]) => settled(name, () => check(host)));
  const { configuration, databaseUrl, runLogCondition } = host.stores;
  const places = { stateFolder: host.endpoint.stateFolder, sqlFolder: join(host.home, "sql"), env: host.env, databaseUrl, runLogCondition };
  return Promise.all([...own, ...checkStores(configuration, places)]);
}

/** What can be known when the host cannot open its stores: for a process that only looks and leaves. */
export async function doctorWithoutHost({ endpoint, home, env }: Pick<Host, "endpoint" | "home" | "env">): Promise<readonly DoctorCheck[]> {
  const { workspace, stateFolder } = endpoint;
  const readable = await settled("settings", async () => {
    parseConfig(settingsSchema, SETTINGS_FILE, readSettingsText(workspace));
    readConfiguration(workspace, env);
    return ok(SETTINGS_FILE);
  });
  const disk = settled("disk space", () => checkDisk({ endpoint }));
  const stores =
    readable.state === "ok" ? checkStores(readConfiguration(workspace, env), { stateFolder, sqlFolder: join(home, "sql"), env }) : [];
  return [readable, ...(await Promise.all([disk, ...stores]))];
}

async function checkBuild({ home, build }: Host): Promise<Verdict> {
  const main = join(home, "dist", "host", "main.js");
  if (!existsSync(main) || buildOf(main) === build) return ok(build);
  return {
    state: "warning",
    message: `build ${build} runs, another one is installed`,
    todo: "Restart it when no run is active: eda host stop",
  };
}

async function checkNode(): Promise<Verdict> {
  if (Number.parseInt(process.versions.node, 10) >= MIN_NODE_MAJOR) return ok(process.version);
  return {
    state: "failed",
    message: `${process.version} is too old`,
    todo: `Install Node ${MIN_NODE_MAJOR} or newer, or name one in EDA_NODE.`,
  };
}

async function checkGit(): Promise<Verdict> {
  try {
    const { stdout } = await execute("git", ["--version"]);
    return ok(stdout.trim().replace(/^git version /u, ""));
  } catch {
    return { state: "failed", message: "git was not found", todo: "Install Git and put it on the PATH." };
  }
}

async function checkRepository({ services }: Host): Promise<Verdict> {
  await services.repository.preflight();
  const [{ branch }, changes] = await Promise.all([services.repository.head(), services.repository.changes()]);
  const governed = changes.governed.length;
  return ok(governed === 0 ? `branch ${branch}` : `branch ${branch}, ${governed} governed change(s) that the next run commits`);
}

async function checkSettings(host: Host): Promise<Verdict> {
  host.tools.refresh();
  refuseChangedStores(host);
  const { engine, git } = host.tools.current().settings;
  return ok(`SQL engine ${engine.memoryLimitMiB} MiB and ${engine.threads} thread(s), files up to ${prettyBytes(git.maxFileBytes)}`);
}

async function checkProjects({ services }: Host): Promise<Verdict> {
  const names = await projectNames(services.workspace);
  if (names.length === 0) return { state: "warning", message: "there is no project yet", todo: "Make one with: eda init --project NAME" };
  for (const name of names) await readProject(name, workTreeSource(services.workspace));
  return ok(names.join(", "));
}

async function checkDisk({ endpoint }: Pick<Host, "endpoint">): Promise<Verdict> {
  const { bavail, bsize } = await statfs(endpoint.stateFolder);
  const free = bavail * bsize;
  const message = `${prettyBytes(free)} free`;
  if (free >= MIN_FREE_BYTES * 10) return ok(message);
  return { state: free < MIN_FREE_BYTES ? "failed" : "warning", message, todo: "Free some space on the disk of the workspace." };
}

async function checkEngine({ services }: Host): Promise<Verdict> {
  await services.engine.inspectSelect("SELECT 1 AS um", "doctor.sql");
  return ok("loads");
}

async function checkJupyter({ services, env }: Host): Promise<Verdict> {
  if (services.settings.jupyter.url !== undefined) return ok(services.trainer("jupyter").name);
  const { executable, jupyterVersion } = await findPython(undefined, env);
  return ok(`jupyter-server ${jupyterVersion} of ${executable}`);
}

async function checkRuns({ services, runs }: Host): Promise<Verdict> {
  const [incomplete, active] = await Promise.all([incompleteRuns(services.inventory), runs.active()]);
  if (incomplete.length === 0) return ok(active.length === 0 ? "none active" : `${active.length} active`);
  return { state: "warning", message: `${incomplete.length} ended without the commit after them`, todo: "Complete them with: eda recover" };
}

async function checkPush({ services }: Host): Promise<Verdict> {
  const unpushed = await services.repository.unpushed();
  if (unpushed === undefined) return ok("no remote branch");
  if (unpushed === 0) return ok("everything is pushed");
  return {
    state: "warning",
    message: `${unpushed} commit(s) are not pushed`,
    todo: "They are pushed after the next run; if the remote has moved on, merge it first.",
  };
}
