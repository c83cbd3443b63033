/** Training jobs in people's words: for the views, the notifications and the job monitor's page. */
import * as l10n from "@vscode/l10n";
import { type Reason, REASONS } from "../../domain/job/reasons.ts";
import { canResume, currentAttempt, type JobState, progressOf } from "../../domain/job/status.ts";
import { printable } from "../../domain/printable.ts";
import type { JobView } from "../../protocol/jobs.ts";
import type { Icon } from "../tree/node.ts";
import { dateTime, duration, percent } from "./locale.ts";

export function jobStateName(state: JobState): string {
  switch (state) {
    case "prepared":
      return l10n.t("prepared");
    case "waiting":
      return l10n.t("waiting for a runtime");
    case "running":
      return l10n.t("running");
    case "late":
      return l10n.t("late");
    case "suspect":
      return l10n.t("suspect");
    case "lost":
      return l10n.t("lost");
    case "resuming":
      return l10n.t("resuming");
    case "finishing":
      return l10n.t("finishing");
    case "succeeded":
      return l10n.t("succeeded");
    case "failed":
      return l10n.t("failed");
    case "cancelled":
      return l10n.t("cancelled");
  }
}

export function jobStateIcon(state: JobState): Icon {
  switch (state) {
    case "prepared":
      return { id: "circle-large-outline" };
    case "waiting":
      return { id: "watch", color: "charts.blue" };
    case "running":
    case "resuming":
    case "finishing":
      return { id: "sync~spin" };
    case "late":
      return { id: "history", color: "list.warningForeground" };
    case "suspect":
      return { id: "question", color: "list.warningForeground" };
    case "lost":
      return { id: "debug-disconnect", color: "list.errorForeground" };
    case "succeeded":
      return { id: "pass-filled", color: "testing.iconPassed" };
    case "failed":
      return { id: "error", color: "list.errorForeground" };
    case "cancelled":
      return { id: "circle-slash", color: "disabledForeground" };
  }
}

/** Whether resuming can have an effect: the run that follows the job is still there. */
export function isResumable({ status, finishedAt }: Pick<JobView, "status" | "finishedAt">): boolean {
  return finishedAt === null && canResume(status);
}

/** Why a job is in its state, and what to do, in the person's language. */
export function reasonWords({ code, args }: Reason): { readonly message: string; readonly todo: string | null } {
  const { message, todo }: { readonly message: string; readonly todo?: string } = REASONS[code];
  const shown = Object.fromEntries(
    Object.entries(args).map(([name, value]) => [name, name === "time" ? dateTime(String(value)) : printable(String(value))]),
  );
  // What the host or a runtime says comes as it is; our own sentences are translated.
  return { message: l10n.t(message, shown), todo: todo === undefined ? null : l10n.t(todo, shown) };
}

/** `waiting for a runtime`, `running · 42% · step 210 of 500`. */
export function jobLine(job: JobView): string {
  return [jobStateName(job.status.state), jobProgress(job)?.text].filter((part) => part !== undefined).join(" · ");
}

/** `42% · 210 of 500 · 3 min 4 s left`; undefined before the first step. */
export function jobProgress({ status }: Pick<JobView, "status">): { readonly share: number; readonly text: string } | undefined {
  const attempt = currentAttempt(status.attempts);
  const progress = attempt === undefined ? undefined : progressOf(attempt);
  if (progress === undefined) return undefined;
  const share = Math.min(1, progress.step / progress.total);
  const parts = [percent(share), l10n.t("step {0} of {1}", progress.step, progress.total)];
  const isMoving = status.state === "running" || status.state === "late";
  if (isMoving && progress.secondsLeft !== null) parts.push(l10n.t("{0} left", duration(progress.secondsLeft * 1000)));
  return { share, text: parts.join(" · ") };
}
