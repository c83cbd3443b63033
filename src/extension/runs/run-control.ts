/** Starting, watching and stopping runs from the window: progress with cancel while they go, and a word with actions at their end. */
import * as l10n from "@vscode/l10n";
import { userInfo } from "node:os";
import * as vscode from "vscode";
import { isTerminal, type RunSummary } from "../../domain/run.ts";
import { STAGES, type StageId } from "../../domain/stage.ts";
import { CancelRun, StartRun } from "../../protocol/messages.ts";
import { type Action, offer, openFileAction, showFailure } from "../failures.ts";
import type { HostLink } from "../host/link.ts";
import { isGoverned } from "../../domain/governed.ts";
import { failureText, isNotStarted, outcomeText, pipelineOutcomeText } from "../text/runs.ts";
import { stageName } from "../text/stages.ts";
import { decisive, overallProgress } from "./overall-progress.ts";
import type { LiveRun, RunTracker } from "./run-tracker.ts";

export interface RunChoice {
  readonly project: string;
  readonly stage: StageId | "all";
  readonly force: boolean;
}

export interface RunControl {
  /** Saves governed files, starts, follows to the end. Failures are shown, not thrown. */
  start(choice: RunChoice): Promise<void>;
  cancel(run: string): Promise<void>;
  /** Shows progress of what already runs, once, for instance after the window was opened again. */
  reattach(): void;
}

export interface RunControlOptions {
  readonly folder: vscode.Uri;
  readonly link: HostLink;
  readonly tracker: RunTracker;
  readonly showLog: (run: string) => unknown;
}

export function createRunControl({ folder, link, tracker, showLog }: RunControlOptions): RunControl {
  const start = async (choice: RunChoice): Promise<void> => {
    try {
      await saveGoverned(folder);
      const { runs } = await link.askToChange(StartRun, { ...choice, actor: actorName() });
      const stages = choice.stage === "all" ? STAGES.map(({ id }) => id) : [choice.stage];
      const started = runs.map((run, index) => ({
        run,
        project: choice.project,
        stage: stages[index] ?? "capture",
        state: "waiting" as const,
      }));
      const summaries = await follow(choice.project, started);
      tellOutcome(choice, summaries);
    } catch (error) {
      showFailure(error, folder, [{ title: l10n.t("Retry"), run: () => start(choice) }]);
    }
  };

  const follow = (project: string, runs: readonly LiveRun[]): Promise<RunSummary[]> => {
    const options = { location: vscode.ProgressLocation.Notification, title: `eda · ${project}`, cancellable: true };
    return Promise.resolve(
      vscode.window.withProgress(options, async (progress, token) => {
        const ids = new Set(runs.map(({ run }) => run));
        let ended = 0;
        let shown = 0;
        const report = () => {
          const live = tracker.live.filter(({ run }) => ids.has(run));
          const { message, percent } = overallProgress(ids.size, ended, live);
          progress.report({ message, increment: Math.max(0, percent - shown) });
          shown = Math.max(shown, percent);
        };
        const subscriptions = [
          tracker.onChange(({ run }) => {
            if (ids.has(run)) report();
          }),
          token.onCancellationRequested(() => void cancelAll(tracker.live.filter(({ run }) => ids.has(run)))),
        ];
        try {
          const ends = runs.map(async (run) => {
            const summary = await tracker.follow(run);
            ended += 1;
            report();
            return summary;
          });
          report();
          return await Promise.all(ends);
        } finally {
          for (const subscription of subscriptions) subscription.dispose();
        }
      }),
    );
  };

  /** From the last run to the first, so that none starts while the one before it is being stopped. */
  const cancelAll = async (runs: readonly LiveRun[]): Promise<void> => {
    for (const { run } of [...runs].reverse()) await cancel(run);
  };

  const cancel = async (run: string): Promise<void> => {
    try {
      const { accepted, state } = await link.ask(CancelRun, { run });
      if (!accepted && !isTerminal(state))
        void vscode.window.showInformationMessage(l10n.t("The run is already publishing and goes on to its end."));
    } catch (error) {
      showFailure(error, folder);
    }
  };

  const tellOutcome = (choice: RunChoice, summaries: readonly RunSummary[]): void => {
    const last = decisive(summaries);
    if (last === undefined) return;
    const log: Action = { title: l10n.t("Show Log"), run: () => showLog(last.runId) };
    const goodNews = summaries.length > 1 ? pipelineOutcomeText(choice.project, summaries) : outcomeText(last);
    if (last.state === "failed") {
      const retry: Action = { title: l10n.t("Retry"), run: () => start(choice) };
      void offer(vscode.window.showErrorMessage, outcomeText(last), [...openFileAction(folder, last.error?.at), log, retry]);
    } else if (last.state === "cancelled") {
      // A later stage that never started says why: nobody cancelled it.
      const message =
        isNotStarted(last) && last.error !== null ? `${stageName(last.stage)}: ${failureText(last.error)}` : outcomeText(last);
      void offer(vscode.window.showWarningMessage, message, [log]);
    } else if (summaries.every(({ state }) => state === "unchanged")) {
      const force: Action = { title: l10n.t("Run Anyway"), run: () => start({ ...choice, force: true }) };
      void offer(vscode.window.showInformationMessage, goodNews, [force]);
    } else {
      void offer(vscode.window.showInformationMessage, goodNews, [log]);
    }
  };

  return {
    start,
    cancel,
    reattach() {
      const byProject = Map.groupBy(tracker.live, ({ project }) => project);
      for (const [project, runs] of byProject) {
        const [first] = runs;
        const choice: RunChoice = { project, stage: runs.length > 1 || first === undefined ? "all" : first.stage, force: false };
        follow(project, runs).then(
          (summaries) => tellOutcome(choice, summaries),
          (error: unknown) => showFailure(error, folder),
        );
      }
    },
  };
}

/** What is typed but not saved would not be part of the run. */
async function saveGoverned(folder: vscode.Uri): Promise<void> {
  const prefix = `${folder.path}/`;
  for (const document of vscode.workspace.textDocuments) {
    if (
      document.isDirty &&
      document.uri.scheme === folder.scheme &&
      document.uri.path.startsWith(prefix) &&
      isGoverned(document.uri.path.slice(prefix.length))
    ) {
      await document.save();
    }
  }
}

export function actorName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env.USER ?? process.env.USERNAME ?? "vscode";
  }
}
