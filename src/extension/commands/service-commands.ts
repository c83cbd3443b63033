/** Connecting services, looking at them, and moving the workspace to them. */
import * as l10n from "@vscode/l10n";
import * as vscode from "vscode";
import { SETTINGS_FILE } from "../../domain/governed.ts";
import type { SettingChange } from "../../domain/settings-edit.ts";
import { lookAtStores } from "../../protocol/check-stores.ts";
import { stopHost } from "../../protocol/client.ts";
import type { DoctorCheck } from "../../protocol/messages.ts";
import { migrateStores, type MigrationReport } from "../../protocol/migrate-stores.ts";
import { type CommandId, SERVICES_WALKTHROUGH } from "../contributions.ts";
import { type Action, offer, openAt } from "../failures.ts";
import { actorName } from "../runs/run-control.ts";
import { isServiceId, type Question, type Service, services } from "../services/services.ts";
import { readValues, settingsEditing, writeChanges } from "../services/settings-document.ts";
import { pathOf, type StoreSetting } from "../services/store-settings.ts";
import type { Session } from "../session.ts";
import { doctorReport } from "../text/reports.ts";
import { progressText } from "../text/runs.ts";
import { migrationSummary } from "../text/services.ts";
import type { Handlers } from "./handlers.ts";

export function serviceCommands(extensionId: string) {
  return {
    "eda.connectServices": async (session, argument) => {
      const known = services();
      const asked = isServiceId(argument) ? known.find(({ id }) => id === argument) : undefined;
      const chosen = asked ?? (await pickService(session, known));
      if (chosen === "walkthrough") {
        await vscode.commands.executeCommand("workbench.action.openWalkthrough", `${extensionId}#${SERVICES_WALKTHROUGH}`, false);
      } else if (chosen !== undefined && (await connect(session, chosen))) {
        await check(session, [chosen]);
      }
    },
    "eda.checkServices": (session) => check(session, services()),
    "eda.migrateStores": migrate,
  } satisfies Partial<Handlers>;
}

async function pickService({ folder }: Session, known: readonly Service[]): Promise<Service | "walkthrough" | undefined> {
  const values = await readValues(
    folder,
    known.map(({ main }) => main),
  );
  const choices = [
    ...known.map((service) => ({
      label: `$(${service.icon}) ${service.label}`,
      description: String(values.get(service.main) ?? l10n.t("the embedded one")),
      chosen: service,
    })),
    { label: `$(book) ${l10n.t("How this works")}`, description: "", chosen: "walkthrough" as const },
  ];
  const picked = await vscode.window.showQuickPick(choices, { placeHolder: l10n.t("Which service do you want to connect?") });
  return picked?.chosen;
}

/** Asks, and writes the answers down. @returns false when the person thought better of it */
async function connect({ folder }: Session, service: Service): Promise<boolean> {
  const present = await readValues(folder, [...service.questions.map(({ setting }) => setting)]);
  const changes: SettingChange[] = [];
  for (const [index, question] of service.questions.entries()) {
    const title = `${service.label} (${index + 1}/${service.questions.length})`;
    const answer = await ask(question, title, present.get(question.setting)?.toString() ?? "");
    if (answer === undefined) return false;
    changes.push({ path: pathOf(question.setting), value: answer === "" ? undefined : (question.parse ?? String)(answer) });
  }
  for (const [setting, value] of Object.entries(service.fixed)) changes.push({ path: pathOf(setting as StoreSetting), value });
  await writeChanges(folder, changes);
  return true;
}

async function ask({ setting, prompt, example, isOptional, parse = String }: Question, title: string, value: string) {
  const { problemWith } = await settingsEditing();
  return vscode.window.showInputBox({
    title,
    prompt: isOptional ? l10n.t("{0} (may be left empty)", prompt) : prompt,
    placeHolder: example,
    value,
    ignoreFocusOut: true,
    validateInput: (text) => {
      if (text === "") return isOptional ? undefined : l10n.t("This is needed.");
      const problem = problemWith(pathOf(setting), parse(text));
      return problem === undefined ? undefined : `stores.${setting}: ${problem}`;
    },
  });
}

/** By a process of its own: the host still has the stores of before open, or none that it can open. */
async function check(session: Session, about: readonly Service[]): Promise<void> {
  const { folder, link, documents } = session;
  const location = vscode.ProgressLocation.Notification;
  const checks = await vscode.window.withProgress({ location, title: l10n.t("Looking at the services…") }, () =>
    lookAtStores(link.workspace, link.program()),
  );
  const names = new Set(["settings", "stores", ...about.flatMap((service) => service.checks)]);
  const shown = checks.filter(({ name, state }) => names.has(name) && (state !== "ok" || name !== "settings"));
  const secrets = about.flatMap((service) => service.secrets);
  await documents.show("services.txt", async () => servicesReport(shown, secrets));
  const isFit = shown.every(({ state }) => state !== "failed");
  const actions: Action[] = [
    ...(isFit ? [{ title: l10n.t("Restart Host"), run: () => restart(session) }, command("eda.migrateStores", l10n.t("Move Data…"))] : []),
    command("eda.connectServices", l10n.t("Connect Another…")),
    { title: l10n.t("Open Settings File"), run: () => openAt(folder, { file: SETTINGS_FILE }) },
  ];
  const show = isFit ? vscode.window.showInformationMessage : vscode.window.showWarningMessage;
  const message = isFit
    ? l10n.t("The services answer. The host takes them when it is restarted; what is in the embedded ones can be moved.")
    : l10n.t("Not everything is as it has to be: the report says what to do.");
  void offer(show, message, actions);
}

function servicesReport(checks: readonly DoctorCheck[], secrets: readonly string[]): string {
  const variables = secrets.map((name) => (name.endsWith("_FILE") ? name : `${name}, ${name}_FILE`)).join("; ");
  const where = l10n.t(
    "Secrets are never kept in settings. Give them to the host's environment, as a value or as the path of a file: {0}",
    variables,
  );
  return `${doctorReport(checks)}\n${where}\n`;
}

async function restart({ link }: Session): Promise<void> {
  await link.stop(false);
  await link.connect();
}

async function migrate(session: Session): Promise<void> {
  const { link, documents } = session;
  await stopHost(link.workspace);
  const planned = await move(session, true);
  if (planned.state === "planned") {
    const go = l10n.t("Move");
    const detail = migrationSummary(planned);
    const answer = await vscode.window.showInformationMessage(
      l10n.t("Move the data of this workspace to the configured services?"),
      { modal: true, detail },
      go,
    );
    if (answer !== go) return;
  }
  const report = planned.state === "planned" ? await move(session, false) : planned;
  await link.connect();
  session.refresh();
  const open = { title: l10n.t("Show Report"), run: () => documents.show("moved.txt", async () => migrationSummary(report)) };
  if (report.verification?.ok === false) {
    void offer(vscode.window.showErrorMessage, l10n.t("The data were moved, but not everything agrees."), [open]);
  } else {
    const message =
      report.state === "moved"
        ? l10n.t("The data were moved and verified.")
        : l10n.t("There is nothing to move to the configured services.");
    void offer(vscode.window.showInformationMessage, message, [open]);
  }
}

function move({ link }: Session, dryRun: boolean): Promise<MigrationReport> {
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: dryRun ? l10n.t("Looking at what is to be moved…") : l10n.t("Moving data…"),
    cancellable: true,
  };
  const work = async (progress: vscode.Progress<{ message?: string }>, cancellation: vscode.CancellationToken) => {
    const stop = new AbortController();
    const subscription = cancellation.onCancellationRequested(() => stop.abort());
    try {
      return await migrateStores({
        workspace: link.workspace,
        program: link.program(),
        actor: actorName(),
        dryRun,
        signal: stop.signal,
        onEvent: (event) => {
          if (event.type === "progress") progress.report({ message: progressText({ state: "executing", progress: event.progress }) });
        },
      });
    } finally {
      subscription.dispose();
    }
  };
  return Promise.resolve(vscode.window.withProgress(options, work));
}

function command(id: CommandId, title: string): Action {
  return { title, run: () => vscode.commands.executeCommand(id) };
}
