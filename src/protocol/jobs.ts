/** Training jobs between clients and the host: what a list, a panel and a chart need. */
import { NotificationType, RequestType } from "vscode-jsonrpc";
import type { JobLimits } from "../domain/job/limits.ts";
import type { JobStatus } from "../domain/job/status.ts";
import type { JsonObject } from "../domain/json.ts";

/** A dataset that a job reads, or something it made. */
export interface JobFile {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256: string;
  /** Where it lies in the object store; null for what was not registered. */
  readonly object: { readonly bucket: string; readonly key: string; readonly versionId: string } | null;
}

/** Everything about one job but its curves and its log. */
export interface JobView {
  readonly job: string;
  readonly project: string;
  readonly run: string;
  /** For people: `jupyter local`, `Google Drive, Colab`. */
  readonly trainer: string;
  /** State, reason, attempts with their last beats. */
  readonly status: JobStatus;
  readonly wanted: "cpu" | "T4";
  /** What really trains or trained: `Tesla T4, Colab`. */
  readonly accelerator: string | null;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly finishedAt: string | null;
  readonly parameters: JsonObject;
  /** Of the results; before those, the latest of the beats. */
  readonly metrics: JsonObject;
  /** Governed path. */
  readonly notebook: string;
  readonly commitBefore: string | null;
  readonly commitAfter: string | null;
  readonly limits: JobLimits;
  readonly inputs: readonly JobFile[];
  readonly outputs: readonly JobFile[];
  /** Where a person opens the prepared notebook, for trainers where a person does. */
  readonly openUrl: string | null;
}

/** Points of one attempt as columns of equal length, ordered by time. */
export interface JobPoints {
  readonly attempt: string;
  readonly steps: readonly number[];
  readonly epochs: readonly (number | null)[];
  /** Milliseconds since 1970, by the runtime's clock. */
  readonly times: readonly number[];
  /** By metric; null where a point does not have it. */
  readonly values: Readonly<Record<string, readonly (number | null)[]>>;
}

/** Readings of one attempt's first GPU as columns of equal length, one a beat. */
export interface JobReadings {
  readonly attempt: string;
  readonly times: readonly number[];
  /** Percent. */
  readonly utilization: readonly (number | null)[];
  readonly memoryUsedMiB: readonly (number | null)[];
  readonly temperatureC: readonly (number | null)[];
  readonly powerW: readonly (number | null)[];
  /** Resident memory of the process, bytes. */
  readonly residentBytes: readonly (number | null)[];
}

export interface JobSeries {
  readonly points: readonly JobPoints[];
  readonly readings: readonly JobReadings[];
  /** Asks for what came since by handing it in again. */
  readonly cursor: string;
  /** True when what was known before must be forgotten: beats that came late belong before it. */
  readonly isWhole: boolean;
}

/** Newest first. */
export const JobViews = new RequestType<{ readonly project?: string }, readonly JobView[], void>("jobs/views");
export const JobViewOf = new RequestType<{ readonly job: string }, JobView, void>("jobs/view");
/** Without a cursor, or with one of another life of the host: everything. */
export const JobSeriesOf = new RequestType<{ readonly job: string; readonly cursor?: string }, JobSeries, void>("jobs/series");
/** The end of an attempt's output, at most `bytes` of it. */
export const JobLogOf = new RequestType<
  { readonly job: string; readonly attempt?: string; readonly bytes: number },
  { readonly attempt: string | null; readonly text: string; readonly isCut: boolean },
  void
>("jobs/log");
/** Refused when the state does not allow it (see canCancel and canResume in the domain). */
export const CancelJob = new RequestType<{ readonly job: string }, JobView, void>("jobs/cancel");
export const ResumeJob = new RequestType<{ readonly job: string }, JobView, void>("jobs/resume");
/** A job's state, progress or last beat changed. */
export const JobChanged = new NotificationType<JobView>("jobs/changed");
