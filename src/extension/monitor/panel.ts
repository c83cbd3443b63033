/** The job monitor: one panel a window, which comes back as it was after a reload. */
import * as l10n from "@vscode/l10n";
import * as vscode from "vscode";
import { toEdaError } from "../../domain/errors.ts";
import { CancelJob, type JobView, ResumeJob } from "../../protocol/jobs.ts";
import { type PageMessage, readPageMessage, type WindowMessage } from "../../protocol/monitor-messages.ts";
import { showFailure } from "../failures.ts";
import type { HostLink } from "../host/link.ts";
import { openFeed } from "./feed.ts";
import { monitorPage, PAGE_FOLDER } from "./page.ts";
import { saveFile } from "./save.ts";

export const MONITOR_PANEL = "eda.monitor";

export interface Monitor extends vscode.Disposable {
  /** Opens the panel or brings it to the front. @param job shown first; absent: what was shown last */
  show(job?: string): void;
}

export interface MonitorOptions {
  readonly folder: vscode.Uri;
  readonly extension: vscode.Uri;
  readonly link: HostLink;
  readonly openRun: (run: string) => Promise<void>;
  readonly openObject: (name: string) => Promise<void>;
}

export function openMonitor(options: MonitorOptions): Monitor {
  let panel: vscode.WebviewPanel | undefined;
  /** What is to be shown once the page is there. */
  let wanted: string | undefined;

  const attach = (opened: vscode.WebviewPanel) => {
    panel = opened;
    const { webview } = opened;
    webview.options = { enableScripts: true, localResourceRoots: [vscode.Uri.joinPath(options.extension, ...PAGE_FOLDER)] };
    opened.iconPath = vscode.Uri.joinPath(options.extension, "media", "eda.svg");
    const post = (message: WindowMessage) => void webview.postMessage(message);
    const feed = openFeed(options.link, post);
    const select = () => {
      if (wanted !== undefined) post({ type: "select", job: wanted });
      wanted = undefined;
    };
    webview.onDidReceiveMessage(async (value: unknown) => {
      const message = readPageMessage(value);
      if (message === undefined) return;
      if (message.type === "ready") {
        post({ type: "language", locale: vscode.env.language, strings: strings() });
        await feed.reload();
        select();
      } else if (message.type === "watch") feed.watch(message.jobs);
      else if (message.type === "reload") await feed.reload();
      else if (message.type === "save") await attempt(options, () => saveFile(options.folder, message));
      else {
        const job = feed.job(message.job);
        if (job !== undefined) await attempt(options, () => act(message, job, options));
      }
    });
    opened.onDidDispose(() => {
      feed.dispose();
      if (panel === opened) panel = undefined;
    });
    webview.html = monitorPage(webview, options.extension, l10n.t("Job monitor"));
  };

  const serializer = vscode.window.registerWebviewPanelSerializer(MONITOR_PANEL, {
    deserializeWebviewPanel: async (revived) => attach(revived),
  });
  return {
    show(job) {
      wanted = job;
      if (panel === undefined) {
        attach(vscode.window.createWebviewPanel(MONITOR_PANEL, l10n.t("Job monitor"), vscode.ViewColumn.Active, { enableScripts: true }));
        return;
      }
      panel.reveal();
      if (job !== undefined) void panel.webview.postMessage({ type: "select", job } satisfies WindowMessage);
      wanted = undefined;
    },
    dispose() {
      serializer.dispose();
      panel?.dispose();
    },
  };
}

type JobMessage = Exclude<PageMessage, { type: "ready" | "watch" | "reload" | "save" }>;

async function act(message: JobMessage, job: JobView, { link, openRun, openObject }: MonitorOptions): Promise<void> {
  switch (message.type) {
    case "cancel":
      return cancelJob(job, link);
    case "resume":
      await link.askToChange(ResumeJob, { job: job.job });
      return;
    case "open-notebook":
      if (job.openUrl !== null) await vscode.env.openExternal(vscode.Uri.parse(job.openUrl, true));
      return;
    case "open-file": {
      const object = job[message.list][message.index]?.object;
      if (object != null) await openObject(`${object.bucket}/${object.key}`);
      return;
    }
    case "open-commit": {
      const commit = message.moment === "before" ? job.commitBefore : job.commitAfter;
      if (commit !== null) await showCommit(commit);
      return;
    }
    case "open-run":
      return openRun(job.run);
  }
}

async function cancelJob(job: JobView, link: HostLink): Promise<void> {
  const yes = l10n.t("Cancel the job");
  const detail = l10n.t("The attempt at work is asked to stop. Nothing of it is registered; its checkpoints stay in the job folder.");
  const chosen = await vscode.window.showWarningMessage(l10n.t("Cancel job {0}?", job.job), { modal: true, detail }, yes);
  if (chosen === yes) await link.askToChange(CancelJob, { job: job.job });
}

/** By the editor's own Git support, which knows the repository; without it the id is at least copied. */
async function showCommit(commit: string): Promise<void> {
  const repository = await vscode.extensions
    .getExtension<GitExtension>("vscode.git")
    ?.activate()
    .then((git) => git.getAPI(1).repositories[0]);
  if (repository !== undefined) {
    await vscode.commands.executeCommand("git.viewCommit", repository.rootUri, commit).then(undefined, () => copyCommit(commit));
  } else await copyCommit(commit);
}

async function copyCommit(commit: string): Promise<void> {
  await vscode.env.clipboard.writeText(commit);
  void vscode.window.showInformationMessage(l10n.t("Commit {0} is copied: show it with git show.", commit.slice(0, 12)));
}

/** The part of `vscode.git`'s API that is used here. */
interface GitExtension {
  getAPI(version: 1): { readonly repositories: readonly { readonly rootUri: vscode.Uri }[] };
}

async function attempt({ folder }: MonitorOptions, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    showFailure(toEdaError(error), folder);
  }
}

/** The page's own texts are in the extension's bundle. */
function strings(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(vscode.l10n.bundle ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
