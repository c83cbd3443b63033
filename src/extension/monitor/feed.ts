/** What one page is told: the jobs, and of those it shows the curves and the log, as they change. */
import type { Disposable } from "vscode-jsonrpc";
import { toEdaError } from "../../domain/errors.ts";
import { JobLogOf, JobSeriesOf, type JobView, JobViews } from "../../protocol/jobs.ts";
import type { WindowMessage } from "../../protocol/monitor-messages.ts";
import type { HostLink } from "../host/link.ts";
import { throttled } from "../timing.ts";
import { pointColumns, readingColumns } from "./columns.ts";

/** Curves of one job are asked for at most this often. */
const FETCH_MS = 500;
const LOG_BYTES = 64 * 1024;

export interface Feed extends Disposable {
  /** Sends everything anew. */
  reload(): Promise<void>;
  /** Only of these jobs the curves are sent from now on; the first one's log too. */
  watch(jobs: readonly string[]): void;
  /** As last heard. */
  job(id: string): JobView | undefined;
}

export function openFeed(link: HostLink, post: (message: WindowMessage) => void): Feed {
  const known = new Map<string, JobView>();
  /** Cursor of each job that is watched; empty before the first answer. */
  let watched = new Map<string, string>();
  let withLog: string | undefined;
  let isDisposed = false;

  const attempt = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      if (isDisposed) return;
      const { message, todo } = toEdaError(error).toDocument();
      post({ type: "failure", failure: { message, todo: todo ?? null } });
    }
  };
  const fetch = (job: string) =>
    attempt(async () => {
      const cursor = watched.get(job);
      if (cursor === undefined) return;
      const series = await link.ask(JobSeriesOf, { job, ...(cursor === "" ? {} : { cursor }) });
      // Another answer may have come, or the page may look elsewhere by now.
      if (watched.get(job) !== cursor) return;
      watched.set(job, series.cursor);
      const isWhole = series.isWhole || cursor === "";
      if (isWhole || series.points.length > 0 || series.readings.length > 0) {
        post({ type: "series", job, isWhole, points: series.points.map(pointColumns), readings: series.readings.map(readingColumns) });
      }
      if (job !== withLog) return;
      const { attempt: of, text, isCut } = await link.ask(JobLogOf, { job, bytes: LOG_BYTES });
      post({ type: "log", job, attempt: of, text, isCut });
    });
  const fetchSoon = throttled<string>(FETCH_MS, (job) => void fetch(job));
  const reload = () =>
    attempt(async () => {
      const jobs = await link.ask(JobViews, {});
      known.clear();
      for (const job of jobs) known.set(job.job, job);
      post({ type: "jobs", jobs: [...jobs] });
      watched = new Map([...watched.keys()].map((job) => [job, ""]));
      await Promise.all([...watched.keys()].map(fetch));
    });
  const subscriptions = [
    link.onJobChanged((job) => {
      known.set(job.job, job);
      post({ type: "job", job });
      if (watched.has(job.job)) fetchSoon(job.job);
    }),
    link.onState(({ kind }) => {
      // Another life of the host may know other points.
      if (kind === "connected") void reload();
    }),
    fetchSoon,
  ];
  return {
    reload,
    watch(jobs) {
      withLog = jobs[0];
      watched = new Map(jobs.map((job) => [job, watched.get(job) ?? ""]));
      for (const [job, cursor] of watched) if (cursor === "" || job === withLog) void fetch(job);
    },
    job: (id) => known.get(id),
    dispose() {
      isDisposed = true;
      watched = new Map();
      for (const subscription of subscriptions) subscription.dispose();
    },
  };
}
