/** Everything a workspace knows, without what differs from run to run: ids, times, commit hashes and version ids. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openFolderStore } from "../../src/adapters/local/object-store.ts";
import { startEmbeddedPostgres } from "../../src/adapters/postgres/embedded.ts";
import { openInventory } from "../../src/adapters/postgres/inventory.ts";
import { openPool } from "../../src/adapters/postgres/pool.ts";
import { BUCKETS } from "../../src/domain/stage.ts";
import { collect } from "./collect.ts";
import { ROOT } from "./host.ts";
import { SMALL_PROJECT } from "./small-project.ts";
import type { TestWorkspace } from "./workspace.ts";

export interface WorkspaceState {
  readonly rows: readonly unknown[];
  /** `bucket/key sha256`, one entry a version. */
  readonly objects: readonly string[];
  readonly edges: readonly string[];
  readonly audit: readonly string[];
  readonly runs: readonly string[];
  readonly rawFiles: readonly string[];
  readonly commits: readonly unknown[];
  readonly workTree: readonly string[];
  /** Scratch folders of runs. */
  readonly work: readonly string[];
}

/** Reads beside a running host: the database is the host's own. */
export async function readState(workspace: TestWorkspace): Promise<WorkspaceState> {
  const stateFolder = join(workspace.folder, ".eda");
  const postgres = await startEmbeddedPostgres({ stateFolder, log: () => undefined });
  const pool = openPool(postgres.url);
  try {
    const inventory = openInventory(pool, join(ROOT, "sql"));
    const runs = (await inventory.listRuns({ limit: 1000 })).items.toReversed();
    const plain = normaliser(runs.map((run) => run.run));
    const rows = await collect(inventory.allRows(), ({ id: _id, registeredAt: _at, digest: _digest, ...row }) =>
      plain({
        ...row,
        versionId: "",
        commitBefore: "",
        sha256: stableHash(row.key, row.sha256),
        ...(isStable(row.key) ? {} : { md5: "", size: 0 }),
      }),
    );
    const { rows: edges } = await pool.query<Record<string, string>>("SELECT * FROM linhagem");
    return {
      rows: sorted(rows),
      objects: sorted(await objectsOf(stateFolder, plain)),
      edges: sorted(
        edges.map((edge) =>
          plain(
            Object.values(edge)
              .filter((value) => String(value).includes(":"))
              .map(withoutVersion),
          ).join(" → "),
        ),
      ),
      audit: await collect(inventory.audit(), (entry) => plain(`${entry.sequence} ${entry.event} ${entry.stage} ${entry.run}`)),
      runs: runs.map((run) => `${run.stage} ${run.state} ${run.error?.code ?? ""}`),
      rawFiles: rawFiles(workspace.folder),
      commits: workspace.commits().map(({ subject, trailers, files }) => plain({ subject, trailers: plainTrailers(trailers), files })),
      workTree: workspace.status(),
      work: readdirSync(join(stateFolder, "work"), { withFileTypes: true }).map((entry) => entry.name),
    };
  } finally {
    await pool.end();
  }
}

async function objectsOf(stateFolder: string, plain: <T>(value: T) => T): Promise<string[]> {
  const store = openFolderStore(join(stateFolder, "objects"));
  const objects: string[] = [];
  for (const bucket of BUCKETS) {
    for await (const { key, sha256 } of store.versions(bucket, "")) objects.push(plain(`${bucket}/${key} ${stableHash(key, sha256)}`));
  }
  return objects;
}

/** An executed notebook holds the times its cells took. */
function isStable(key: string): boolean {
  return !key.endsWith("executed.ipynb");
}

function stableHash(key: string, sha256: string): string {
  return isStable(key) ? sha256 : "(differs)";
}

/** Run ids become `run-1`, `run-2`, … in their order. */
function normaliser(runs: readonly string[]): <T>(value: T) => T {
  return <T>(value: T): T => {
    let text = JSON.stringify(value);
    for (const [index, run] of runs.entries()) text = text.replaceAll(run, `run-${index + 1}`);
    return JSON.parse(text) as T;
  };
}

/** The version of an object is an id that differs; that of a local file is its hash. */
function withoutVersion(uri: string): string {
  return uri.startsWith("object:") ? uri.replace(/@[^@]*$/u, "") : uri;
}

function plainTrailers({ Auditoria, Saidas, Entradas, ...trailers }: Readonly<Record<string, string>>): Record<string, string | undefined> {
  const isTraining = trailers.Etapa === "modeling" || trailers.Etapa === "deploy";
  return {
    ...trailers,
    Auditoria: Auditoria?.replace(/:.*/u, ""),
    Saidas: isTraining ? Saidas?.replace(/ .*/u, "") : Saidas?.replace(/sha256:.*/u, ""),
    Entradas: isTraining ? Entradas?.replace(/ .*/u, "") : Entradas,
  };
}

function rawFiles(workspace: string): string[] {
  const folder = join(workspace, "eda", "raw-data", SMALL_PROJECT);
  try {
    return readdirSync(folder)
      .sort()
      .map(
        (name) =>
          `${name} ${createHash("sha256")
            .update(readFileSync(join(folder, name)))
            .digest("hex")}`,
      );
  } catch {
    return [];
  }
}

function sorted<T>(values: readonly T[]): T[] {
  return values.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}
