/** All the parts that belong to one open workspace folder, wired together. */
import * as vscode from "vscode";
import { SETTINGS } from "./contributions.ts";
import { createDocuments, type Documents } from "./documents.ts";
import { findInstallation, notInstalled } from "./host/installation.ts";
import { HostLink } from "./host/link.ts";
import { watchJobs } from "./monitor/job-watch.ts";
import { type Monitor, openMonitor } from "./monitor/panel.ts";
import { PipelineModel } from "./pipeline-model.ts";
import { openProblems, type Problems } from "./problems.ts";
import { createRunControl, type RunControl } from "./runs/run-control.ts";
import { syncStoreSettings } from "./services/settings-sync.ts";
import { writeRunLogs } from "./runs/log-output.ts";
import { createRunReports, type RunReports } from "./runs/run-reports.ts";
import { RunTracker } from "./runs/run-tracker.ts";
import { openStatusBar } from "./status-bar.ts";
import { debounced } from "./timing.ts";
import { openBucketsView } from "./views/buckets.ts";
import { openInventoriesView } from "./views/inventories.ts";
import { openPipelineView } from "./views/pipeline.ts";
import { openRunsView } from "./views/runs.ts";
import type { View } from "./views/view.ts";
import { type Readiness, setContext, watchReadiness } from "./workspace.ts";

/** What decides whether a stage is out of date, besides its inputs. */
const WATCHED = "{infra,notebooks,scripts,sql,dockerfiles,configs}/**";
const WATCH_QUIET_MS = 600;

export interface Session extends vscode.Disposable {
  readonly folder: vscode.Uri;
  readonly link: HostLink;
  readonly tracker: RunTracker;
  readonly model: PipelineModel;
  readonly runs: RunControl;
  readonly reports: RunReports;
  readonly documents: Documents;
  readonly problems: Problems;
  readonly monitor: Monitor;
  readonly readiness: Readiness;
  readonly views: { readonly pipeline: View; readonly buckets: View; readonly inventories: View; readonly runs: View };
  /** Every view, from the stores themselves. */
  refresh(): void;
}

export function openSession(folder: vscode.Uri, extension: vscode.Extension<unknown>, channel: vscode.LogOutputChannel): Session {
  const log = (message: string) => channel.info(message);
  const places = () => ({ setting: setting("home"), env: process.env, extensionFolder: extension.extensionPath });
  const link = new HostLink({
    workspace: folder.fsPath,
    version: String(extension.packageJSON.version),
    installation: () => findInstallation(places()),
    notInstalled: () => notInstalled(places()),
    log,
  });
  const tracker = new RunTracker(link);
  const model = new PipelineModel(link, tracker, log);
  const documents = createDocuments();
  const reports = createRunReports(link, tracker, documents);
  const runs = createRunControl({ folder, link, tracker, showLog: (run) => reports.show(run) });
  const readiness = watchReadiness(folder);
  const isReady = () => readiness.isReady;
  const pageSize = () => setting("pageSize");
  const monitor = openMonitor({
    folder,
    extension: extension.extensionUri,
    link,
    openRun: (run) => reports.show(run),
    openObject: async (name) => void (await vscode.commands.executeCommand("eda.showLineage", name)),
  });
  const jobs = watchJobs({
    folder,
    link,
    openMonitor: (job) => monitor.show(job),
    tellsRun: (run) => tracker.get(run) !== undefined,
  });
  const views = {
    pipeline: openPipelineView(link, model, tracker, isReady),
    buckets: openBucketsView(link, pageSize, isReady),
    inventories: openInventoriesView(link, model, pageSize, isReady),
    runs: openRunsView({ link, model, tracker, jobs, isReady }),
  };
  const problems = openProblems(folder, model);
  const reload = (forReal?: true) => {
    for (const view of Object.values(views)) view.reload(forReal);
  };

  const whenReady = async (ready: boolean) => {
    reload();
    if (ready) await link.connect().then(link.lookForHost.bind(link), () => link.lookForHost());
  };
  const changed = debounced(
    WATCH_QUIET_MS,
    async () => {
      if (readiness.isReady && link.state.kind === "connected") model.refresh();
    },
    () => undefined,
  );
  const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(folder, WATCHED));
  let reattached = false;
  const subscriptions: vscode.Disposable[] = [
    readiness,
    readiness.onChange((ready) => void whenReady(ready)),
    link.onState(({ kind }) => {
      if (kind !== "connected" || reattached) return;
      reattached = true;
      void tracker.attach().then(
        () => runs.reattach(),
        () => undefined,
      );
    }),
    tracker.onStart(() => void setContext("eda.running", true)),
    tracker.onEnd(() => void setContext("eda.running", tracker.live.length > 0)),
    // What a run made shows once it is published, whoever ran it.
    tracker.onEnd(() => {
      views.buckets.reload();
      views.inventories.reload();
    }),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("eda.pageSize")) reload();
      if (!event.affectsConfiguration("eda.home")) return;
      link.reset();
      void whenReady(readiness.isReady);
    }),
    vscode.window.onDidChangeWindowState(({ focused }) => {
      if (focused) changed();
    }),
    watcher,
    watcher.onDidChange(changed),
    watcher.onDidCreate(changed),
    watcher.onDidDelete(changed),
    changed,
    syncStoreSettings(folder, readiness, log),
    writeRunLogs(tracker, channel),
    openStatusBar(link, model, tracker),
    problems,
    ...Object.values(views),
    jobs,
    monitor,
    reports,
    documents,
    model,
    tracker,
    link,
  ];
  void readiness.check();
  return {
    folder,
    link,
    tracker,
    model,
    runs,
    reports,
    documents,
    problems,
    monitor,
    readiness,
    views,
    refresh: () => reload(true),
    dispose: () => {
      for (const subscription of subscriptions) subscription.dispose();
    },
  };
}

function setting<Name extends keyof typeof SETTINGS>(name: Name): Widened<(typeof SETTINGS)[Name]> {
  return vscode.workspace.getConfiguration("eda").get(name, SETTINGS[name]) as Widened<(typeof SETTINGS)[Name]>;
}

type Widened<T> = T extends string ? string : T extends number ? number : T;
