import type { AuditContent, AuditEntry, AuditHead } from "../domain/audit.ts";
import type { InventoryRow, StoredInventoryRow } from "../domain/inventory.ts";
import type { JsonObject } from "../domain/json.ts";
import type { LineageEdge, LineageGraph } from "../domain/lineage.ts";
import type { RunRecord, RunState } from "../domain/run.ts";
import type { InventoryId, StageId } from "../domain/stage.ts";
import type { Page } from "./object-store.ts";

/** What capture remembers of one Drive file, so that the next capture takes only what changed. */
export interface CapturedFile {
  readonly project: string;
  /** Drive id: stable under rename. For the folder adapter, the relative path. */
  readonly driveId: string;
  /** Revision or change token as Drive gives it. */
  readonly driveVersion: string;
  /** Path under `eda/raw-data/<project>/`. */
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  /** ISO 8601, UTC, as Drive says. */
  readonly modifiedAt: string;
  readonly owner: string | null;
  /** Name in Drive, before it was made safe. */
  readonly driveName: string;
  readonly run: string;
}

/** What ingest remembers of a local file, so that an unchanged one is not read again. */
export interface StatCacheEntry {
  readonly path: string;
  readonly size: number;
  /** Modification and change time, nanoseconds since the epoch, as decimal text (they exceed 2^53). */
  readonly mtimeNs: string;
  readonly ctimeNs: string;
  readonly inode: string;
  readonly md5: string;
  readonly sha256: string;
}

/** An artefact a training job brought back, before deploy registers it. */
export interface JobRecord {
  readonly job: string;
  readonly project: string;
  readonly run: string;
  readonly state: "succeeded" | "failed" | "cancelled" | "running";
  readonly trainer: string;
  readonly accelerator: string;
  readonly metrics: JsonObject;
  readonly parameters: JsonObject;
  /** Objects it made: name relative to the job's results, object, hashes. */
  readonly artefacts: readonly JobArtefact[];
  /** Whose results these are; null for a job of before there were attempts. */
  readonly attempt: string | null;
  /** How many there were. */
  readonly attempts: number;
  readonly startedAt: string;
  readonly finishedAt: string | null;
}

export interface JobArtefact {
  readonly name: string;
  readonly bucket: InventoryRow["bucket"];
  readonly key: string;
  readonly versionId: string;
  readonly size: number;
  readonly md5: string;
  readonly sha256: string;
  readonly mediaType: string;
}

/**
 * Any number of items, read in order and never held whole. It is read from its start more than once (a transaction is tried again when its
 * connection breaks): an array, or an object that opens its file anew for each iterator; not a generator at work.
 */
export type Items<T> = Iterable<T> | AsyncIterable<T>;

/** Everything a run makes visible, in one transaction. */
export interface Publication {
  readonly run: string;
  readonly project: string;
  readonly stage: StageId;
  /** Rows of the project to register; each takes the place of the current row of its inventory and name. */
  readonly rows: Items<InventoryRow>;
  /** Names that stop being current in the stage's inventory without a successor (a table no longer declared). */
  readonly retired: Items<{ readonly inventory: InventoryId; readonly name: string }>;
  readonly edges: Items<LineageEdge>;
  readonly captured: Items<CapturedFile>;
  readonly statCache: Items<StatCacheEntry>;
  readonly job: JobRecord | null;
  /** Fields of the execution known by now. */
  readonly execution: Partial<RunRecord>;
  readonly audit: AuditContent;
}

export interface RowFilter {
  readonly inventory: InventoryId;
  readonly project: string;
  /** Only rows now current. Default true. */
  readonly currentOnly?: boolean;
  /** Exactly this name. */
  readonly name?: string;
  /** Names that contain this text, case-insensitively. */
  readonly search?: string;
  readonly cursor?: string;
  /** 1 to 10,000. */
  readonly limit: number;
}

/**
 * Governance on PostgreSQL: inventories, executions, lineage, audit. Failures: `unavailable` when the server is away,
 * `transient` on serialization failures and resets, `precondition` `migrations-pending`.
 */
export interface Inventory {
  /** Applies pending migrations in order, under a lock; answers the names applied. */
  migrate(): Promise<readonly string[]>;
  ensureProject(project: string): Promise<void>;
  projects(): Promise<readonly string[]>;

  /** One page of rows, ordered by name then registration. */
  rows(filter: RowFilter): Promise<Page<StoredInventoryRow>>;
  /** All current rows of an inventory and project, ordered by name, streamed. */
  currentRows(inventory: InventoryId, project: string): AsyncIterable<StoredInventoryRow>;
  /** All rows (also superseded) of every inventory, of one project or all, streamed; for verification. */
  allRows(project?: string): AsyncIterable<StoredInventoryRow>;
  /** Current row with this content, not an alias. */
  findByContent(inventory: InventoryId, project: string, sha256s: readonly string[]): Promise<ReadonlyMap<string, StoredInventoryRow>>;

  /**
   * Registers everything in one transaction and appends the audit entry; answers the new head. Idempotent per run: a second call
   * for a published run changes nothing and answers the head of the first. Memory does not grow with the number of rows.
   * @throws EdaError `terminal` `items-read-once` when a part of the publication could not be read a second time
   */
  publish(publication: Publication): Promise<AuditHead>;

  /** Inserts the execution when new (state and request); otherwise leaves it. */
  recordRequest(record: RunRecord): Promise<void>;
  updateRun(run: string, change: Partial<RunRecord>): Promise<void>;
  getRun(run: string): Promise<RunRecord | undefined>;
  /** Newest first. */
  listRuns(filter: {
    readonly project?: string;
    readonly stage?: StageId;
    readonly states?: readonly RunState[];
    readonly limit: number;
    readonly cursor?: string;
  }): Promise<Page<RunRecord>>;
  /** Newest `succeeded` run of a stage. */
  lastSuccess(project: string, stage: StageId): Promise<RunRecord | undefined>;

  captured(project: string): Promise<ReadonlyMap<string, CapturedFile>>;
  statCache(project: string): Promise<ReadonlyMap<string, StatCacheEntry>>;
  job(job: string): Promise<JobRecord | undefined>;
  /** Newest first. */
  jobs(project?: string): Promise<readonly JobRecord[]>;

  /** Upstream lineage of one asset URI, with the runs on the way. */
  lineage(assetUri: string): Promise<LineageGraph>;
  /** Rows whose name, `bucket/key` or asset URI equals the text: what a person may type for an asset. */
  findAssets(text: string): Promise<readonly StoredInventoryRow[]>;

  /** Appends one entry outside a publication (failed run, recovery). */
  appendAudit(content: AuditContent): Promise<AuditHead>;
  auditHead(): Promise<AuditHead>;
  /** All entries in order, streamed. */
  audit(): AsyncIterable<AuditEntry>;
}
