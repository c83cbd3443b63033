/** What a stage is to the life of a run: it plans, executes idempotent units, and says what they made. */
import type { InputAsset, OutputObject } from "../domain/asset.ts";
import type { InventoryRow } from "../domain/inventory.ts";
import type { JsonObject } from "../domain/json.ts";
import type { LineageEdge } from "../domain/lineage.ts";
import type { CodeFile } from "../domain/manifest.ts";
import type { ProjectFile, TrainerId } from "../domain/project.ts";
import type { LogLine, RunProgress, RunRequest } from "../domain/run.ts";
import type { Settings } from "../domain/settings.ts";
import type { StageId } from "../domain/stage.ts";
import type { Drive } from "../ports/drive.ts";
import type { Engine } from "../ports/engine.ts";
import type { CapturedFile, Inventory, JobRecord, StatCacheEntry } from "../ports/inventory.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { Repository } from "../ports/repository.ts";
import type { RunLog } from "../ports/run-log.ts";
import type { JobTrainer } from "../ports/job-trainer.ts";
import type { JobDesk } from "./jobs/desk.ts";

/** The open stores and tools of a workspace. */
export interface Services {
  /** Absolute path of the workspace, which is the root of the governed repository. */
  readonly workspace: string;
  readonly objects: ObjectStore;
  readonly inventory: Inventory;
  readonly runLog: RunLog;
  readonly drive: Drive;
  readonly repository: Repository;
  readonly engine: Engine;
  /** @throws EdaError `precondition` when it cannot be used here */
  readonly trainer: (id: TrainerId) => JobTrainer;
  readonly jobs: JobDesk;
  readonly settings: Settings;
}

/** What the unit at work can use. */
export interface StageContext {
  readonly services: Services;
  readonly request: RunRequest;
  readonly project: ProjectFile;
  readonly signal: AbortSignal;
  readonly log: (level: LogLine["level"], message: string) => void;
  readonly progress: (progress: RunProgress) => void;
  /**
   * Text of a governed file as it was planned: from the work tree while planning, from the before-commit while executing, so that
   * an edit made meanwhile never takes part.
   * @throws EdaError `precondition` `missing-file` located at the path
   */
  readonly readCode: (path: string) => Promise<string>;
  /** Governed files below a folder, ordered, from the same place as {@link readCode}. */
  readonly listCode: (folder: string) => Promise<readonly string[]>;
  /** A private scratch folder of the unit: emptied before it starts, kept until the run ends, then removed. */
  readonly workDir: string;
}

/** A unit of work: its id is stable, its data plain JSON, so that it survives a restart. */
export interface Unit {
  readonly id: string;
  readonly label: string;
  readonly data: JsonObject;
}

export interface StagePlan {
  readonly inputs: readonly InputAsset[];
  /** Governed files besides the project file that take part; the project file's part is hashed through `config`. */
  readonly code: readonly CodeFile[];
  /** The part of the project file that this stage depends on. */
  readonly config: JsonObject;
  readonly units: readonly Unit[];
  /**
   * Set when the stage itself can tell that nothing changed (capture and ingest know it file by file).
   * Otherwise the fingerprint over inputs, code and config is compared with the last successful run's.
   */
  readonly nothingToDo?: boolean;
  /** Reported problems that do not stop the run, e.g. refused symlinks. */
  readonly notices?: readonly string[];
}

/** What one unit made. Everything here is plain JSON: it is the unit's checkpoint. */
export interface UnitResult {
  /** Objects this unit wrote: removed again when the run fails. */
  readonly written: readonly OutputObject[];
  /** Rows to register (aliases and unchanged objects included), without run and commit, which the run adds. */
  readonly rows: readonly Omit<InventoryRow, "run" | "commitBefore" | "project">[];
  readonly edges: readonly Omit<LineageEdge, "run">[];
  readonly captured?: readonly Omit<CapturedFile, "run">[];
  readonly statCache?: readonly StatCacheEntry[];
  readonly job?: JobRecord;
  /** Failures that let other files go on: the run fails at its end naming them. */
  readonly failures?: readonly { readonly name: string; readonly message: string }[];
  /** Stage-specific facts for the manifest and the run: rejected rows, metrics. Merged over units by key. */
  readonly details?: JsonObject;
}

/** Earlier results of the same run, by unit id: a unit may need what a former one wrote (foreign keys, joins). */
export type UnitResults = Readonly<Record<string, UnitResult>>;

export interface StageDefinition {
  readonly id: StageId;
  /** Reads only. Decides inputs, code and units. */
  plan(context: StageContext): Promise<StagePlan>;
  /** Idempotent: run again after a kill it gives the same result and leaves nothing double. */
  execute(unit: Unit, earlier: UnitResults, context: StageContext): Promise<UnitResult>;
  /** The last word over the rows of all units, for what only the whole run can decide (which of equal files holds the content). */
  conclude?(results: UnitResults, context: StageContext): Promise<UnitResult["rows"]>;
  /** Names of the stage's inventory that this run no longer makes. */
  retired?(results: UnitResults, context: StageContext): Promise<readonly string[]>;
  /**
   * After the publication: what can only become visible outside the database, such as captured files moved into place.
   * Idempotent; `folderOf` gives the scratch folder a unit had.
   */
  settle?(results: UnitResults, context: StageContext, folderOf: (unit: string) => string): Promise<void>;
}
