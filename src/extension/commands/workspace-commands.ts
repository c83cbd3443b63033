/** Commands about the workspace as a whole and its host. */
import * as l10n from "@vscode/l10n";
import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import { CancellationTokenSource } from "vscode-jsonrpc";
import { projectFilePath } from "../../domain/governed.ts";
import { isProjectName } from "../../domain/names.ts";
import type { RunProgress } from "../../domain/run.ts";
import { endpointOf } from "../../protocol/endpoint.ts";
import { CreateDemo, InitWorkspace, Recover, Verify, type VerifyReport } from "../../protocol/messages.ts";
import { type CommandId, TRAINING_WALKTHROUGH, WALKTHROUGH } from "../contributions.ts";
import { offer } from "../failures.ts";
import { actorName } from "../runs/run-control.ts";
import type { Session } from "../session.ts";
import { count } from "../text/locale.ts";
import { doctorReport, verifyReport } from "../text/reports.ts";
import { progressText, shareDone } from "../text/runs.ts";
import { ProjectNode, StageNode } from "../views/pipeline.ts";
import type { Handlers } from "./handlers.ts";
import { pickProject } from "./pick.ts";

export function workspaceCommands(channel: vscode.LogOutputChannel, extensionId: string) {
  return {
    "eda.refresh": (session) => session.refresh(),
    "eda.verify": verify,
    "eda.doctor": async ({ link, documents }) => {
      const checks = await withProgress(l10n.t("Checking tools and services…"), () => link.diagnose());
      let first: typeof checks | undefined = checks;
      await documents.show("doctor.txt", async () => {
        const current = first ?? (await link.diagnose());
        first = undefined;
        return doctorReport(current);
      });
    },
    "eda.recover": async ({ link }) => {
      const done = await withProgress(l10n.t("Recovering…"), () => link.ask0(Recover));
      for (const line of done) channel.info(line);
      const message = done.length === 0 ? l10n.t("Nothing was left undone.") : l10n.t("Put in order: {0}.", count(done.length));
      await offer(
        vscode.window.showInformationMessage,
        message,
        done.length === 0 ? [] : [{ title: l10n.t("Show Output"), run: () => channel.show(true) }],
      );
    },
    "eda.openProjectFile": async (session, argument) => {
      const from = argument instanceof ProjectNode || argument instanceof StageNode ? argument.project : undefined;
      const project = from ?? (await pickProject(session));
      if (project !== undefined) await vscode.window.showTextDocument(vscode.Uri.joinPath(session.folder, projectFilePath(project)));
    },
    "eda.initWorkspace": initWorkspace,
    "eda.createDemo": createDemo,
    "eda.startHost": ({ link }) => link.connect(),
    "eda.stopHost": stopHost,
    "eda.showHostLog": ({ link }) => vscode.window.showTextDocument(vscode.Uri.file(endpointOf(link.workspace).logFile)),
    "eda.showOutput": () => channel.show(),
    "eda.statusActions": statusActions,
    "eda.openTrainingWalkthrough": () =>
      vscode.commands.executeCommand("workbench.action.openWalkthrough", `${extensionId}#${TRAINING_WALKTHROUGH}`, false),
    "eda.openWalkthrough": () => vscode.commands.executeCommand("workbench.action.openWalkthrough", `${extensionId}#${WALKTHROUGH}`, false),
  } satisfies Partial<Handlers>;
}

async function verify(session: Session): Promise<void> {
  const { link, documents, problems } = session;
  await link.connect();
  const options = { location: vscode.ProgressLocation.Notification, title: l10n.t("eda: verifying"), cancellable: true };
  const report = await vscode.window.withProgress(options, async (progress, cancellation): Promise<VerifyReport> => {
    const token = randomUUID();
    const source = new CancellationTokenSource();
    const subscriptions = [
      cancellation.onCancellationRequested(() => source.cancel()),
      link.onWorkProgress(token, progressReporter(progress)),
    ];
    try {
      return await link.ask(Verify, { token }, source.token);
    } finally {
      for (const subscription of subscriptions) subscription.dispose();
      source.dispose();
    }
  });
  problems.showVerified(report);
  const text = verifyReport(report);
  const open = { title: l10n.t("Show Report"), run: () => documents.show("verify.txt", async () => text) };
  if (report.ok) {
    const message = l10n.t(
      "Verified: {0} objects, {1} inventory rows, {2} manifests. Everything agrees.",
      count(report.objects),
      count(report.rows),
      count(report.manifests),
    );
    void offer(vscode.window.showInformationMessage, message, [open]);
  } else {
    void offer(vscode.window.showErrorMessage, l10n.t("Verify found differences: {0}.", count(report.problems.length)), [open]);
  }
}

/** A bar that only grows, from progress that may begin anew with each kind of work. */
function progressReporter(progress: vscode.Progress<{ message?: string; increment?: number }>): (now: RunProgress) => void {
  let shown = 0;
  return (now) => {
    const percent = 100 * (shareDone(now) ?? 0);
    progress.report({ message: progressText({ state: "executing", progress: now }), increment: Math.max(0, percent - shown) });
    shown = Math.max(shown, percent);
  };
}

async function initWorkspace(session: Session): Promise<void> {
  const project = await vscode.window.showInputBox({
    prompt: l10n.t("Name of the first project, or empty for none yet"),
    placeHolder: "projeto_vendas",
    validateInput: (text) =>
      text === "" || isProjectName(text)
        ? undefined
        : l10n.t("Use 1 to 63 lower-case letters, digits, '_' or '-', starting with a letter."),
  });
  if (project === undefined) return;
  const result = await withProgress(l10n.t("Initialising the workspace…"), () =>
    session.link.askToChange(InitWorkspace, { actor: actorName(), ...(project === "" ? {} : { project }) }),
  );
  await session.readiness.check();
  session.refresh();
  const message =
    result.created.length === 0
      ? l10n.t("The workspace was already complete.")
      : l10n.t("Files laid out: {0}. Already there and kept: {1}.", count(result.created.length), count(result.kept.length));
  const open = { title: l10n.t("Open Project File"), run: () => vscode.commands.executeCommand("eda.openProjectFile" satisfies CommandId) };
  void offer(vscode.window.showInformationMessage, message, project === "" ? [] : [open]);
}

async function createDemo(session: Session): Promise<void> {
  const { project } = await withProgress(l10n.t("Creating the demo project…"), () =>
    session.link.askToChange(CreateDemo, { actor: actorName() }),
  );
  await session.readiness.check();
  session.refresh();
  const run = { title: l10n.t("Run All Stages"), run: () => session.runs.start({ project, stage: "all", force: false }) };
  void offer(vscode.window.showInformationMessage, l10n.t("The demo project {0} is ready.", project), [run]);
}

async function stopHost({ link, tracker }: Session): Promise<void> {
  if (link.state.kind !== "connected") return;
  const active = tracker.live.length;
  if (active > 0) {
    const stop = l10n.t("Stop Anyway");
    const detail = l10n.t("They are interrupted and go on by themselves when the host is started again.");
    const answer = await vscode.window.showWarningMessage(l10n.t("Active runs: {0}.", count(active)), { modal: true, detail }, stop);
    if (answer !== stop) return;
  }
  await link.stop(active > 0);
}

/** What one may want to do about what the status bar says. */
async function statusActions({ tracker, model, link }: Session): Promise<void> {
  const action = (command: string, icon: string, label: string, detail?: string) => ({
    label: `$(${icon}) ${label}`,
    command,
    ...(detail === undefined ? {} : { detail }),
  });
  const problem = model.git?.problem;
  const choices = [
    ...(tracker.live.length > 0
      ? [action("eda.runs.focus", "list-unordered", l10n.t("Show runs")), action("eda.cancelRun", "circle-slash", l10n.t("Cancel a run…"))]
      : [action("eda.runAll", "run-all", l10n.t("Run all stages"))]),
    action("workbench.view.scm", "source-control", l10n.t("Open Source Control"), problem?.message),
    action("eda.verify", "shield", l10n.t("Verify")),
    action("eda.doctor", "pulse", l10n.t("Doctor")),
    action("eda.showOutput", "output", l10n.t("Show output")),
    link.state.kind === "connected"
      ? action("eda.stopHost", "debug-disconnect", l10n.t("Stop the host"))
      : action("eda.startHost", "debug-start", l10n.t("Start the host")),
  ];
  const chosen = await vscode.window.showQuickPick(choices, {
    placeHolder: problem === null || problem === undefined ? "eda" : problem.message,
  });
  if (chosen !== undefined) await vscode.commands.executeCommand(chosen.command);
}

function withProgress<T>(title: string, work: () => Promise<T>): Promise<T> {
  return Promise.resolve(vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title }, work));
}
