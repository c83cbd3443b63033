/** Everything a workspace knows of one project, without what differs from run to run: ids, times, commit hashes, version ids. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { openFolderStore } from "../../src/adapters/local/object-store.ts";
import { startEmbeddedPostgres } from "../../src/adapters/postgres/embedded.ts";
import { openInventory } from "../../src/adapters/postgres/inventory.ts";
import { openPool } from "../../src/adapters/postgres/pool.ts";
import { sha256Hex } from "../../src/domain/json.ts";
import { BUCKETS } from "../../src/domain/stage.ts";
import type { ObjectInfo, ObjectStore } from "../../src/ports/object-store.ts";
import { collect } from "./collect.ts";
import { ROOT } from "./host.ts";
import type { TestWorkspace } from "./workspace.ts";

export interface ProjectState {
  readonly rows: readonly unknown[];
  /** `bucket/key sha256`, one entry a version. */
  readonly objects: readonly string[];
  /** Lineage, `from → to`. */
  readonly edges: readonly string[];
  readonly audit: readonly string[];
  readonly runs: readonly string[];
  readonly rawFiles: readonly string[];
  readonly commits: readonly unknown[];
  /** Of the whole workspace: changes that nobody committed, and scratch folders of runs. */
  readonly workTree: readonly string[];
  readonly work: readonly string[];
}

/** Where a workspace's state lies; the embedded stores when nothing is said. */
export interface StateStores {
  readonly databaseUrl: string;
  readonly objects: ObjectStore;
}

/** Reads beside an idle host: the database is the host's own. */
export async function readState(workspace: TestWorkspace, project: string, stores?: StateStores): Promise<ProjectState> {
  const stateFolder = join(workspace.folder, ".eda");
  const { databaseUrl, objects } = stores ?? (await embeddedStores(stateFolder));
  const pool = openPool(databaseUrl);
  try {
    const inventory = openInventory(pool, join(ROOT, "sql"));
    const runs = (await inventory.listRuns({ project, limit: 1000 })).items.toReversed();
    // Those that succeeded have the same numbers in a project where others failed in between.
    const numbered = [...runs.filter(({ state }) => state === "succeeded"), ...runs.filter(({ state }) => state !== "succeeded")];
    const plain = normaliser(
      project,
      numbered.map((run) => run.run),
    );
    const rows = await collect(
      inventory.allRows(project),
      ({ id: _id, registeredAt: _at, digest: _digest, versionId: _version, commitBefore: _commit, ...row }) =>
        plain(isJson(row.key) ? { ...row, sha256: "", md5: "", size: 0 } : row),
    );
    const { rows: edges } = await pool.query<{ de: string; para: string }>("SELECT de, para FROM linhagem WHERE execucao = ANY($1)", [
      runs.map((run) => run.run),
    ]);
    const entries = await collect(inventory.audit(), (entry) => entry);
    return {
      rows: sorted(rows),
      objects: sorted(await objectsOf(objects, project, plain)),
      edges: sorted(edges.map(({ de, para }) => plain(`${withoutVersion(de)} → ${withoutVersion(para)}`))),
      audit: entries.filter((entry) => entry.project === project).map((entry) => plain(`${entry.event} ${entry.stage} ${entry.run}`)),
      runs: runs.map((run) => `${run.stage} ${run.state} ${run.error?.code ?? ""}`),
      rawFiles: rawFiles(workspace.folder, project),
      commits: workspace
        .commits()
        .filter(({ trailers }) => trailers.Projeto === project)
        .map(({ subject, trailers, files }) => plain({ subject, trailers: plainTrailers(trailers), files })),
      workTree: workspace.status(),
      work: readdirSync(join(stateFolder, "work")),
    };
  } finally {
    await pool.end();
  }
}

/** What is left when the runs that did not succeed, which are to leave nothing but their record, are taken out. */
export function withoutFailures(state: ProjectState): ProjectState {
  const runs = state.runs.filter((run) => run.includes(" succeeded "));
  const succeeded = new Set(runs.map((_, index) => `run-${index + 1}`));
  return {
    ...state,
    runs,
    audit: state.audit.filter((entry) => entry.startsWith("run.published ")),
    commits: state.commits.filter((commit) => succeeded.has((commit as { trailers: { Execucao: string } }).trailers.Execucao)),
  };
}

async function embeddedStores(stateFolder: string): Promise<StateStores> {
  const { url } = await startEmbeddedPostgres({ stateFolder, log: () => undefined });
  return { databaseUrl: url, objects: openFolderStore(join(stateFolder, "objects")) };
}

async function objectsOf(store: ObjectStore, project: string, plain: <T>(value: T) => T): Promise<string[]> {
  const objects: string[] = [];
  for (const bucket of BUCKETS) {
    for await (const info of store.versions(bucket, `${project}/`)) {
      const content = isExecuted(info.key) ? "(times)" : isJson(info.key) ? sha256Hex(plain(await textOf(store, info))) : info.sha256;
      objects.push(plain(`${bucket}/${info.key} ${content}`));
    }
  }
  return objects;
}

async function textOf(store: ObjectStore, info: ObjectInfo): Promise<string> {
  return Buffer.concat(await collect(await store.read(info), (chunk) => chunk as Buffer)).toString("utf8");
}

/** An executed notebook holds the times its cells took. */
function isExecuted(key: string): boolean {
  return key.endsWith("executed.ipynb");
}

/** A description holds the project's name: it is compared without. */
function isJson(key: string): boolean {
  return key.endsWith(".json");
}

/** What they write is as long as the project's name, and an executed notebook as long as it took. */
const STAGES_WITH_DESCRIPTIONS = new Set(["datasets", "modeling", "deploy"]);

/** ISO 8601: when a raw file was written. */
const TIMES = /\d{4}-\d\d-\d\dT[\d:.]+Z/gu;

/** The project becomes `project`; run ids become `run-1`, `run-2`, … in their order. */
function normaliser(project: string, runs: readonly string[]): <T>(value: T) => T {
  return <T>(value: T): T => {
    let text = JSON.stringify(value).replaceAll(project, "project").replace(TIMES, "(time)");
    for (const [index, run] of runs.entries()) text = text.replaceAll(run, `run-${index + 1}`);
    return JSON.parse(text) as T;
  };
}

/** An object's version is an id, and a project file's hash holds the project's name. */
function withoutVersion(uri: string): string {
  return /^(object:|code:configs\/projects\/)/u.test(uri) ? uri.replace(/@[^@]*$/u, "") : uri;
}

function plainTrailers({ Auditoria, Saidas, Entradas, ...trailers }: Readonly<Record<string, string>>): Record<string, string | undefined> {
  const sizeOf = STAGES_WITH_DESCRIPTIONS.has(trailers.Etapa ?? "") ? / .*/u : /sha256:.*/u;
  return {
    ...trailers,
    Auditoria: Auditoria?.replace(/.*/u, "present"),
    Saidas: Saidas?.replace(sizeOf, ""),
    Entradas: Entradas?.replace(sizeOf, ""),
  };
}

function rawFiles(workspace: string, project: string): string[] {
  const folder = join(workspace, "eda", "raw-data", project);
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort()
    .map((name) => `${name} ${sha256Hex(readFileSync(join(folder, name)))}`);
}

function sorted<T>(values: readonly T[]): T[] {
  return values.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}
