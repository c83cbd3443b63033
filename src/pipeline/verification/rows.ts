/** Inventory rows against their digests, and the rows of each run against the audit chain. */
import type { AuditEntry } from "../../domain/audit.ts";
import { type InventoryRow, rowDigest, rowsDigest, type StoredInventoryRow } from "../../domain/inventory.ts";
import type { Manifest, ManifestOutput } from "../../domain/manifest.ts";
import { INVENTORY_TABLES, type StageId, stageOf } from "../../domain/stage.ts";
import type { Services } from "../stage-definition.ts";
import type { AuditTrail } from "./audit-chain.ts";
import type { Findings } from "./findings.ts";
import type { KnownRuns } from "./known-runs.ts";
import { manifestLists } from "./manifests.ts";

export interface RowRequest {
  readonly services: Services;
  readonly runs: KnownRuns;
  readonly trail: AuditTrail;
  readonly manifests: ReadonlyMap<string, Manifest>;
  readonly project: string | undefined;
  readonly signal: AbortSignal;
  readonly findings: Findings;
}

/** A row reduced to what later checks need. */
export interface CheckedRow extends Pick<StoredInventoryRow, "inventory" | "project" | "name" | "run" | "current" | "digest"> {
  readonly object: Pick<InventoryRow, "bucket" | "key" | "versionId" | "size" | "md5" | "sha256">;
  /** False for a row that was changed by hand: what it says counts for nothing. */
  readonly isIntact: boolean;
}

export async function verifyRows(request: RowRequest): Promise<readonly CheckedRow[]> {
  const { services, runs, project, signal, findings } = request;
  const rows: CheckedRow[] = [];
  for await (const row of services.inventory.allRows(project)) {
    signal.throwIfAborted();
    if (await runs.isUnsettled(row.run)) continue;
    const isIntact = rowDigest(row) === row.digest;
    if (!isIntact) findings.add("row", nameOf(row), `row ${row.id} was changed after run ${row.run} registered it`);
    const { bucket, key, versionId, size, md5, sha256 } = row;
    rows.push({
      inventory: row.inventory,
      project: row.project,
      name: row.name,
      run: row.run,
      current: row.current,
      digest: row.digest,
      object: { bucket, key, versionId, size, md5, sha256 },
      isIntact,
    });
  }
  await verifyRuns(request, rows);
  verifyCurrent(request, rows);
  return rows;
}

/** Rows that were added to a run, or deleted from it: the audit entry holds the digest of the whole set. */
async function verifyRuns(request: RowRequest, rows: readonly CheckedRow[]): Promise<void> {
  const { services, runs, trail, manifests, project, signal, findings } = request;
  const byRun = Map.groupBy(rows, (row) => row.run);
  const changed = rows.filter((row) => !row.isIntact);
  for (const [run, { entry, isIntact }] of trail.endings) {
    if (entry.event !== "run.published" || (project !== undefined && entry.project !== project) || (await runs.isUnsettled(run))) continue;
    const own = byRun.get(run) ?? [];
    byRun.delete(run);
    const { rowsDigest: expected } = entry.payload;
    const digests = own.map((row) => row.digest);
    if (!isIntact || rowsDigest(digests) === expected) continue;
    // A changed row may have been torn out of its run, by its run or project: it is named already.
    const strayed = changed.filter((row) => !own.includes(row));
    if (strayed.some((row) => rowsDigest([...digests, row.digest]) === expected)) continue;
    const manifest = manifests.get(run);
    const lists = manifest === undefined ? undefined : await manifestLists(services, manifest, signal);
    compareWithManifest(entry, own, (lists?.outputs ?? []).filter(isRegistered), findings);
  }
  for (const [run, own] of byRun) {
    for (const row of own) if (row.isIntact) findings.add("row", nameOf(row), `was added by hand: run ${run} published nothing`);
  }
}

/** An object that a run wrote without registering it goes by its key. */
function isRegistered({ name, object }: ManifestOutput): boolean {
  return object !== undefined && name !== `${object.bucket}/${object.key}`;
}

function compareWithManifest(
  { run, project, stage }: AuditEntry,
  own: readonly CheckedRow[],
  outputs: readonly ManifestOutput[],
  findings: Findings,
): void {
  const { inventory } = stageOf(stage as StageId);
  const expected = new Map(outputs.map((output) => [output.name, output]));
  let isExplained = own.some((row) => !row.isIntact);
  const report = (name: string, message: string) => {
    isExplained = true;
    findings.add("row", name, message);
  };
  for (const row of own) {
    const output = expected.get(row.name);
    expected.delete(row.name);
    if (!row.isIntact) continue;
    if (output === undefined) report(nameOf(row), `was added by hand to run ${run}`);
    else if (output.sha256 !== row.object.sha256 || output.object?.versionId !== row.object.versionId)
      report(nameOf(row), `was replaced after run ${run} registered it`);
  }
  if (inventory === undefined) return;
  // A row whose name was changed is missing under its old one, and named already.
  const missing = own.some((row) => !row.isIntact && !outputs.some((output) => output.name === row.name)) ? [] : expected.keys();
  for (const name of missing) report(`${INVENTORY_TABLES[inventory]}/${project}/${name}`, `was deleted after run ${run} registered it`);
  if (!isExplained)
    findings.add("row", `${INVENTORY_TABLES[inventory]}/${project}`, `the rows of run ${run} are not those that it registered`);
}

/** Of the rows of one name, the newest is current unless a later run retired the name. Run order is the order of the audit chain. */
function verifyCurrent({ trail, findings }: RowRequest, rows: readonly CheckedRow[]): void {
  // What stands beside a changed row cannot be judged: it may have borne another name.
  const unclear = new Set(rows.filter((row) => !row.isIntact).map((row) => row.inventory));
  const retired = retirements(trail);
  for (const [name, same] of Map.groupBy(
    rows.filter((row) => !unclear.has(row.inventory)),
    nameOf,
  )) {
    const ordered = same.map((row) => ({ row, at: trail.endings.get(row.run)?.entry.sequence ?? 0 })).sort((a, b) => a.at - b.at);
    const newest = ordered.at(-1);
    for (const each of ordered) {
      const shouldBe = each === newest && each.at >= (retired.get(name) ?? 0);
      if (each.at === 0 || each.row.current === shouldBe) continue;
      findings.add(
        "row",
        name,
        shouldBe ? "is marked as superseded, but no later run replaced it" : "is marked as current, but a later run replaced it",
      );
    }
  }
}

/** Audit sequence of the last publication that retired each name. */
function retirements(trail: AuditTrail): ReadonlyMap<string, number> {
  const retired = new Map<string, number>();
  for (const { entry } of trail.endings.values()) {
    if (entry.stage === null || !Array.isArray(entry.payload.retired)) continue;
    const { inventory } = stageOf(entry.stage as StageId);
    if (inventory === undefined) continue;
    for (const name of entry.payload.retired) {
      const key = `${INVENTORY_TABLES[inventory]}/${entry.project}/${name}`;
      retired.set(key, Math.max(retired.get(key) ?? 0, entry.sequence));
    }
  }
  return retired;
}

function nameOf(row: Pick<InventoryRow, "inventory" | "project" | "name">): string {
  return `${INVENTORY_TABLES[row.inventory]}/${row.project}/${row.name}`;
}
