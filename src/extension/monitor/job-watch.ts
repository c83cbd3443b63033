/** Training jobs beside the monitor: what waits for a person is counted on the Runs view, and told when it begins to. */
import * as l10n from "@vscode/l10n";
import * as vscode from "vscode";
import type { Event } from "vscode-jsonrpc";
import { Emitter } from "vscode-jsonrpc";
import { isClosed, type JobState } from "../../domain/job/status.ts";
import { printable } from "../../domain/printable.ts";
import { type JobView, JobViews, ResumeJob } from "../../protocol/jobs.ts";
import { type Action, offer, showFailure } from "../failures.ts";
import type { HostLink } from "../host/link.ts";
import { count } from "../text/locale.ts";
import { isResumable, reasonWords } from "../text/jobs.ts";

/** States in which nothing goes on unless somebody does something. */
const NEEDS_PERSON: ReadonlySet<JobState> = new Set(["waiting", "suspect", "lost"]);

export interface JobWatch extends vscode.Disposable {
  /** The job of a modeling run, as last heard. */
  job(run: string): JobView | undefined;
  readonly onChange: Event<JobView>;
  readonly badge: vscode.ViewBadge | undefined;
}

export interface JobWatchOptions {
  readonly folder: vscode.Uri;
  readonly link: HostLink;
  readonly openMonitor: (job: string) => void;
  /** Whether this window tells the end of the run anyway. */
  readonly tellsRun: (run: string) => boolean;
}

export function watchJobs({ folder, link, openMonitor, tellsRun }: JobWatchOptions): JobWatch {
  const jobs = new Map<string, JobView>();
  const changes = new Emitter<JobView>();

  const tell = (job: JobView) => {
    const { message, todo } = reasonWords(job.status.reason);
    const text = `${printable(job.project)}: ${[message, todo].filter((part) => part !== null).join(" ")}`;
    const monitor: Action = { title: l10n.t("Open job monitor"), run: () => openMonitor(job.job) };
    const { openUrl } = job;
    const notebook: Action[] =
      openUrl === null ? [] : [{ title: l10n.t("Open in Colab"), run: () => vscode.env.openExternal(vscode.Uri.parse(openUrl, true)) }];
    const resume: Action[] = isResumable(job)
      ? [
          {
            title: l10n.t("Resume"),
            run: () => link.askToChange(ResumeJob, { job: job.job }).catch((error: unknown) => showFailure(error, folder)),
          },
        ]
      : [];
    switch (job.status.state) {
      case "waiting":
        return void offer(vscode.window.showInformationMessage, text, [...notebook, monitor]);
      case "lost":
        return void offer(vscode.window.showWarningMessage, text, [...resume, monitor]);
      case "succeeded":
        return void (tellsRun(job.run) || offer(vscode.window.showInformationMessage, text, [monitor]));
      case "failed":
        return void (tellsRun(job.run) || offer(vscode.window.showErrorMessage, text, [...resume, monitor]));
      default:
        return undefined;
    }
  };
  const learn = (job: JobView) => {
    const before = jobs.get(job.run)?.status.state;
    jobs.set(job.run, job);
    changes.fire(job);
    if (before !== job.status.state) tell(job);
  };
  const learnAll = async () => {
    for (const job of await link.ask(JobViews, {})) {
      // What ended while nobody looked is in the Runs view; what still waits is worth a word.
      if (isClosed(job.status.state) || job.status.state === "failed") jobs.set(job.run, job);
      else learn(job);
    }
  };
  const subscriptions = [
    changes,
    link.onJobChanged(learn),
    link.onState(({ kind }) => {
      if (kind === "connected") void learnAll().catch(() => undefined);
    }),
  ];
  return {
    job: (run) => jobs.get(run),
    onChange: changes.event,
    get badge() {
      const waiting = [...jobs.values()].filter(({ status }) => NEEDS_PERSON.has(status.state)).length;
      return waiting === 0 ? undefined : { value: waiting, tooltip: l10n.t("Training jobs that wait for you: {0}", count(waiting)) };
    },
    dispose() {
      for (const subscription of subscriptions) subscription.dispose();
    },
  };
}
