/** Commands that start, stop and look at runs. */
import * as l10n from "@vscode/l10n";
import * as vscode from "vscode";
import { isTerminal } from "../../domain/run.ts";
import { STAGES, type StageId } from "../../domain/stage.ts";
import { ShowRun } from "../../protocol/messages.ts";
import type { Session } from "../session.ts";
import { ProjectNode, StageNode } from "../views/pipeline.ts";
import { RunNode } from "../views/runs.ts";
import type { Handler, Handlers } from "./handlers.ts";
import { pickProject, pickRun, pickStage } from "./pick.ts";

type StageCommand = `eda.run.${StageId}`;

async function run(session: Session, stage: StageId | "all", force: boolean, argument: unknown): Promise<void> {
  const from = argument instanceof StageNode || argument instanceof ProjectNode ? argument.project : undefined;
  const project = from ?? (await pickProject(session));
  if (project !== undefined) await session.runs.start({ project, stage, force });
}

const stageCommands = Object.fromEntries(
  STAGES.map(({ id }): [StageCommand, Handler] => [`eda.run.${id}`, (session, argument) => run(session, id, false, argument)]),
) as Handlers<StageCommand>;

/** The run a command is about: of the row it was started from, or chosen. */
async function runOf(session: Session, argument: unknown): Promise<string | undefined> {
  if (argument instanceof RunNode || (argument instanceof StageNode && argument.run !== undefined)) return argument.run;
  return (await pickRun(session))?.run;
}

export const runCommands = {
  ...stageCommands,
  "eda.runAll": (session, argument) => run(session, "all", false, argument),
  "eda.runForced": async (session, argument) => {
    const stage = argument instanceof StageNode ? argument.stage : await pickStage();
    if (stage !== undefined) await run(session, stage, true, argument);
  },
  "eda.runStage": async (session, argument) => {
    if (argument instanceof StageNode) await run(session, argument.stage, false, argument);
  },
  "eda.rerun": async (session, argument) => {
    if (argument instanceof RunNode)
      await session.runs.start({ project: argument.record.project, stage: argument.record.stage, force: false });
  },
  "eda.cancelRun": async (session, argument) => {
    const active = argument instanceof StageNode || argument instanceof RunNode ? argument.run : undefined;
    const chosen = active ?? (await chooseActive(session));
    if (chosen !== undefined) await session.runs.cancel(chosen);
  },
  "eda.showRunLog": async (session, argument) => {
    const chosen = await runOf(session, argument);
    if (chosen !== undefined) await session.reports.show(chosen);
  },
  "eda.openManifest": async (session, argument) => {
    const chosen = await runOf(session, argument);
    if (chosen !== undefined) await openManifest(session, chosen);
  },
} satisfies Partial<Handlers>;

async function chooseActive(session: Session): Promise<string | undefined> {
  const { live } = session.tracker;
  if (live.length === 1) return live[0]?.run;
  return (await pickRun(session, ({ state }) => !isTerminal(state)))?.run;
}

async function openManifest({ link, folder }: Session, run: string): Promise<void> {
  const { project, stage } = await link.ask(ShowRun, { run });
  const manifest = vscode.Uri.joinPath(folder, "eda", "manifests", project, stage, `${run}.json`);
  const exists = await vscode.workspace.fs.stat(manifest).then(
    () => true,
    () => false,
  );
  if (exists) await vscode.window.showTextDocument(manifest);
  else
    void vscode.window.showInformationMessage(
      l10n.t("This run has no manifest: it changed nothing, or ended before its plan was committed."),
    );
}
