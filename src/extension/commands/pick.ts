/** Asking which one is meant, when the command was not started from a row. Nothing is asked when there is only one. */
import * as l10n from "@vscode/l10n";
import * as vscode from "vscode";
import { EdaError } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";
import type { RunRecord } from "../../domain/run.ts";
import { INVENTORIES, type StageId, STAGES } from "../../domain/stage.ts";
import { ListRows, ListRuns } from "../../protocol/messages.ts";
import type { Session } from "../session.ts";
import { dateTime } from "../text/locale.ts";
import { numberedStage } from "../text/runs.ts";
import { inventoryName, stageName, stagePurpose, stateName } from "../text/stages.ts";

/** Labels of a quick pick render `$(name)` as an icon: names from outside must not. */
function plain(text: string): string {
  return printable(text).replaceAll("$(", "$\u200b(");
}

interface Choice<T> extends vscode.QuickPickItem {
  readonly value: T;
}

async function choose<T>(choices: readonly Choice<T>[], placeHolder: string): Promise<T | undefined> {
  return (await vscode.window.showQuickPick(choices, { placeHolder, matchOnDescription: true, matchOnDetail: true }))?.value;
}

/** @throws EdaError `precondition` when the workspace has no project */
export async function pickProject({ model, readiness }: Session): Promise<string | undefined> {
  if (!readiness.isReady) {
    throw new EdaError("precondition", "not-a-workspace", l10n.t("This folder is not an eda workspace yet."), {
      todo: l10n.t("Run “eda: Initialise Workspace” or “eda: Create Demo Project”."),
    });
  }
  const projects = await model.projects();
  if (projects.length === 0)
    throw new EdaError("precondition", "no-project", l10n.t("There is no project yet."), {
      todo: l10n.t("Run “eda: Initialise Workspace” to add one."),
    });
  if (projects.length === 1) return projects[0]?.project;
  return choose(
    projects.map(({ project, title }) => ({
      label: plain(project),
      ...(title === null ? {} : { description: plain(title) }),
      value: project,
    })),
    l10n.t("Which project?"),
  );
}

export function pickStage(): Promise<StageId | "all" | undefined> {
  const stages = STAGES.map(({ id }) => ({ label: numberedStage(id), description: stagePurpose(id), value: id }));
  return choose<StageId | "all">([...stages, { label: l10n.t("All stages"), value: "all" }], l10n.t("Which stage?"));
}

/** @param which only these are offered */
export async function pickRun({ link }: Session, which: (run: RunRecord) => boolean = () => true): Promise<RunRecord | undefined> {
  const { items } = await link.ask(ListRuns, { limit: 100 });
  const choices = items.filter(which).map((run) => ({
    label: `${stageName(run.stage)} · ${plain(run.project)}`,
    description: `${stateName(run.state)} · ${dateTime(run.requestedAt)}`,
    detail: run.run,
    value: run,
  }));
  if (choices.length === 0) throw new EdaError("precondition", "no-run", l10n.t("There is no such run."));
  return choose(choices, l10n.t("Which run?"));
}

/** Rows offered of each inventory; the rest can be typed. */
const OFFERED_ROWS = 50;

/** An asset as `bucket/key` or as typed. */
export async function pickAsset(session: Session): Promise<string | undefined> {
  const { link, model } = session;
  const lists = (await model.projects()).flatMap(({ project }) => INVENTORIES.toReversed().map((inventory) => ({ project, inventory })));
  const pages = await Promise.all(lists.map((list) => link.ask(ListRows, { ...list, limit: OFFERED_ROWS })));
  const rows = pages.flatMap(({ items }) => items);
  const typed = Symbol("typed");
  const chosen = await choose<string | typeof typed>(
    [
      ...rows.map((row) => ({
        label: plain(row.name),
        description: inventoryName(row.inventory),
        detail: plain(`${row.bucket}/${row.key}`),
        value: `${row.bucket}/${row.key}`,
      })),
      { label: l10n.t("Another asset…"), alwaysShow: true, value: typed },
    ],
    l10n.t("Lineage of which asset?"),
  );
  if (chosen !== typed) return chosen;
  return vscode.window.showInputBox({ prompt: l10n.t("Object as bucket/key, name in an inventory, or asset URI"), ignoreFocusOut: true });
}
