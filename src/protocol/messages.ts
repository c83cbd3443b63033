/**
 * Requests and notifications between clients (extension, terminal) and the host of a workspace: JSON-RPC over a local socket,
 * declared once and typed on both sides.
 */
import { NotificationType, ProgressType, RequestType, RequestType0 } from "vscode-jsonrpc";
import type { ErrorKind, Finding } from "../domain/errors.ts";
import type { StoredInventoryRow } from "../domain/inventory.ts";
import type { LineageGraph } from "../domain/lineage.ts";
import type { LogLine, RunEvent, RunProgress, RunRecord, RunState, RunSummary } from "../domain/run.ts";
import type { InventoryId, StageId } from "../domain/stage.ts";
import type { VerifyReport } from "../domain/verification.ts";

export type { VerifyProblem, VerifyReport } from "../domain/verification.ts";

/** Raised with every incompatible change: a host of another protocol is restarted when idle. */
export const PROTOCOL_VERSION = 1;

export interface HelloParams {
  readonly protocol: number;
  /** Build of the client: package version and content hash. */
  readonly build: string;
  readonly client: "cli" | "extension" | "http" | "test";
}

export interface HostStatus {
  readonly protocol: number;
  readonly build: string;
  readonly pid: number;
  readonly workspace: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly activeRuns: readonly string[];
  readonly clients: number;
  /** What stands behind each store, for people; without secrets. */
  readonly stores: { readonly objects: string; readonly inventory: string; readonly runLog: string; readonly drive: string };
  /** The settings file now names other stores than the open ones, which stay until the host ends. */
  readonly storesChanged: boolean;
  /** Stores that the host's environment names: see `storeEnvironment`. */
  readonly storeEnvironment: string | null;
}

export interface PageParams {
  readonly cursor?: string;
  readonly limit: number;
}

export interface PageResult<T> {
  readonly items: readonly T[];
  readonly cursor?: string;
}

export interface StageStatus {
  readonly stage: StageId;
  readonly lastRun: RunRecord | null;
  /** Run now waiting or at work. */
  readonly activeRun: RunRecord | null;
  /** `never` run, `fresh`, `stale` (inputs or code changed since), or `invalid` (project file does not allow it). */
  /** `unknown` only when it was not asked for. */
  readonly freshness: "never" | "fresh" | "stale" | "invalid" | "unknown";
  /** Why it is stale or invalid, for people. */
  readonly reason: string | null;
}

export interface ProjectStatus {
  readonly project: string;
  readonly title: string | null;
  readonly problems: readonly Finding[];
  readonly stages: readonly StageStatus[];
}

export interface GitStatus {
  readonly branch: string | null;
  readonly commit: string | null;
  /** Governed files changed since HEAD. */
  readonly governed: readonly string[];
  readonly ungoverned: readonly string[];
  readonly unpushed: number | null;
  /** Why runs would be refused now, when they would. */
  readonly problem: { readonly code: string; readonly message: string; readonly todo: string | null } | null;
}

export interface ObjectEntry {
  readonly type: "prefix" | "object";
  /** Full prefix or key inside the bucket. */
  readonly key: string;
  readonly size: number | null;
  readonly versionId: string | null;
  readonly sha256: string | null;
  readonly mediaType: string | null;
  readonly storedAt: string | null;
}

export interface ListObjectsParams extends PageParams {
  readonly bucket: string;
  readonly prefix: string;
  /**
   * For the tree, of a first page: `remembered` as it was last seen, at once, or `anew` from the store, to be remembered. Absent, and for every
   * other page: from the store, whoever else asks.
   */
  readonly firstPage?: "remembered" | "anew";
}

export interface ListedObjects extends PageResult<ObjectEntry> {
  /** ISO 8601, UTC: when the store was asked. */
  readonly readAt: string;
  /** A remembered page: the store is being asked again, and {@link ListingReadAgain} tells when it has answered. */
  readonly isBeingRead: boolean;
}

/** A remembered first page was compared with the store. */
export interface ListingRead {
  readonly bucket: string;
  readonly prefix: string;
  /** Ask again: it holds something else now, or cannot be read. */
  readonly changed: boolean;
}

export type CheckState = "ok" | "warning" | "failed";

export interface DoctorCheck {
  readonly name: string;
  readonly state: CheckState;
  readonly message: string;
  readonly todo: string | null;
  /** Of a failed check: whether a service is away, or something has to be put right. */
  readonly kind?: ErrorKind;
}

export interface StartRunParams {
  readonly project: string;
  /** One stage, or all seven in order. */
  readonly stage: StageId | "all";
  readonly force: boolean;
  readonly actor: string;
}

export interface RunFilterParams extends PageParams {
  readonly project?: string;
  readonly stage?: StageId;
  readonly states?: readonly RunState[];
}

export const Hello = new RequestType<HelloParams, HostStatus, void>("host/hello");
export const Status = new RequestType0<HostStatus, void>("host/status");
/** Stops the host. Refused while runs are active unless `force`; interrupted runs go on at the next start. */
export const Stop = new RequestType<{ readonly force: boolean }, void, void>("host/stop");

/** Lays out the governed repository in the workspace folder, with its `init:` commit; existing files are kept. */
export const InitWorkspace = new RequestType<
  { readonly project?: string; readonly actor: string },
  { readonly created: readonly string[]; readonly kept: readonly string[]; readonly commit: string | null },
  void
>("workspace/init");
/** Lays out the demonstration project: workspace, project file, SQL, notebook and a folder that stands in for Drive. */
export const CreateDemo = new RequestType<
  { readonly actor: string },
  { readonly project: string; readonly created: readonly string[]; readonly commit: string | null },
  void
>("workspace/demo");

/** Starts a run, or seven; answers the run ids in order, at once. */
export const StartRun = new RequestType<StartRunParams, { readonly runs: readonly string[] }, void>("run/start");
/** Watches a run from now on: its state, then events by {@link RunEvents} until the summary, which is the answer. */
export const WatchRun = new RequestType<{ readonly run: string; readonly withLog: boolean }, RunSummary, void>("run/watch");
export const RunEvents = new NotificationType<RunEvent>("run/event");
/** Asks a run to stop. Answers the state found; a run already publishing goes on to its end. */
export const CancelRun = new RequestType<{ readonly run: string }, { readonly state: RunState; readonly accepted: boolean }, void>(
  "run/cancel",
);
export const ListRuns = new RequestType<RunFilterParams, PageResult<RunRecord>, void>("run/list");
export const ShowRun = new RequestType<{ readonly run: string }, RunRecord, void>("run/show");
export const ReadLog = new RequestType<{ readonly run: string; readonly after: number; readonly limit: number }, readonly LogLine[], void>(
  "run/log",
);
/** Any run of the workspace changed state: for views. */
export const RunChanged = new NotificationType<RunSummary>("run/changed");

export interface PipelineStatusParams {
  readonly project?: string;
  /** False: what is recorded, at once. Default true: also whether each stage is up to date, for which it is planned. */
  readonly freshness?: boolean;
}

export const PipelineStatus = new RequestType<PipelineStatusParams, readonly ProjectStatus[], void>("pipeline/status");
export const RepositoryStatus = new RequestType0<GitStatus, void>("repository/status");
export const ListRows = new RequestType<
  PageParams & { readonly inventory: InventoryId; readonly project: string; readonly search?: string },
  PageResult<StoredInventoryRow>,
  void
>("inventory/list");
export const ListBuckets = new RequestType0<readonly string[], void>("objects/buckets");
export const ListObjects = new RequestType<ListObjectsParams, ListedObjects, void>("objects/list");
/** Remembers the first pages of a prefix and of its first folders, for whoever may open them next. Answered at the end; may be cancelled. */
export const ReadAhead = new RequestType<{ readonly bucket: string; readonly prefix: string; readonly limit: number }, void, void>(
  "objects/read-ahead",
);
export const ListingReadAgain = new NotificationType<ListingRead>("objects/listing-read");
/** Lineage of an asset given as URI, `bucket/key`, or inventory name. */
export const Lineage = new RequestType<{ readonly asset: string }, LineageGraph, void>("lineage/of");
/** Long: reports {@link WorkProgress} on the request's token, and can be cancelled. */
export const Verify = new RequestType<{ readonly project?: string; readonly token: string }, VerifyReport, void>("verify");
export const Doctor = new RequestType0<readonly DoctorCheck[], void>("doctor");
/** Finishes what a crash or a refused commit left undone; answers what was done, a line each. */
export const Recover = new RequestType0<readonly string[], void>("recover");

/** Progress of long requests, keyed by their token. */
export const WorkProgress = new ProgressType<RunProgress>();
