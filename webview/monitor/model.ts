/** What the page knows and looks at. One place changes it: the app; the parts below it only draw it. */
import type { JobView } from "../../src/protocol/jobs.ts";
import type { PageMessage, ViewState } from "../../src/protocol/monitor-messages.ts";
import { SeriesStore } from "./series-store.ts";

export interface JobLog {
  readonly attempt: string | null;
  readonly text: string;
  readonly isCut: boolean;
}

export interface Series {
  /** Metrics. */
  readonly points: SeriesStore;
  /** GPU and process. */
  readonly readings: SeriesStore;
}

export interface Model {
  /** Newest first; undefined until the window has answered. */
  readonly jobs: readonly JobView[] | undefined;
  readonly view: ViewState;
  readonly series: ReadonlyMap<string, Series>;
  readonly logs: ReadonlyMap<string, JobLog>;
  readonly failure: { readonly message: string; readonly todo: string | null } | null;
  /** Milliseconds since 1970; moves on by itself, for ages. */
  readonly now: number;
  readonly send: (message: PageMessage) => void;
  readonly change: (view: Partial<ViewState>) => void;
}

export function emptySeries(): Series {
  return { points: new SeriesStore(), readings: new SeriesStore() };
}

/** The job to show: the chosen one, else the newest. */
export function selectedJob({ jobs, view }: Model): JobView | undefined {
  return jobs?.find(({ job }) => job === view.selected) ?? jobs?.[0];
}

/** Jobs side by side, in the order they were chosen; fewer than two are no comparison. */
export function comparedJobs({ jobs, view }: Model): readonly JobView[] {
  const chosen = view.compared.map((id) => jobs?.find(({ job }) => job === id)).filter((job) => job !== undefined);
  return chosen.length < 2 ? [] : chosen;
}

/** Whose curves the page needs. */
export function watchedJobs(model: Model): string[] {
  const compared = comparedJobs(model);
  const selected = selectedJob(model);
  return compared.length > 0 ? compared.map(({ job }) => job) : selected === undefined ? [] : [selected.job];
}
