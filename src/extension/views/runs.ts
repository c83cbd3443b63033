/** *Runs*: newest first; what runs shows its progress. */
import * as l10n from "@vscode/l10n";
import type { RunRecord } from "../../domain/run.ts";
import { ListRuns } from "../../protocol/messages.ts";
import type { HostLink } from "../host/link.ts";
import type { JobWatch } from "../monitor/job-watch.ts";
import type { PipelineModel } from "../pipeline-model.ts";
import type { LiveRun, RunTracker } from "../runs/run-tracker.ts";
import { jobLine } from "../text/jobs.ts";
import { runRow } from "../text/runs.ts";
import { debounced, throttled } from "../timing.ts";
import { emptyNode, MoreNode } from "../tree/message-nodes.ts";
import { NodeSet, type Row, type TreeNode } from "../tree/node.ts";
import { PagedLoader } from "../tree/paged-loader.ts";
import { openView, type View } from "./view.ts";

const PAGE = 50;
const REDRAW_MS = 250;
/** Seven runs of a pipeline come into view together. */
const RELOAD_MS = 200;

export class RunNode implements TreeNode {
  readonly id: string;
  readonly expansion = "none";
  record: RunRecord;
  readonly #live: () => LiveRun | undefined;
  readonly #severalProjects: () => boolean;

  constructor(record: RunRecord, live: () => LiveRun | undefined, severalProjects: () => boolean) {
    this.id = `run/${record.run}`;
    this.record = record;
    this.#live = live;
    this.#severalProjects = severalProjects;
  }

  get run(): string {
    return this.record.run;
  }

  row(): Row {
    return runRow(this.record, this.#live(), Date.now(), this.#severalProjects());
  }
}

export interface RunsViewOptions {
  readonly link: HostLink;
  readonly model: PipelineModel;
  readonly tracker: RunTracker;
  readonly jobs: JobWatch;
  readonly isReady: () => boolean;
}

export function openRunsView({ link, model, tracker, jobs, isReady }: RunsViewOptions): View {
  /** A run that trains says how its job is: that is what takes hours. */
  const liveRun = (run: string): LiveRun | undefined => {
    const live = tracker.get(run);
    const job = jobs.job(run);
    return live === undefined || job === undefined || live.state !== "executing" ? live : { ...live, message: jobLine(job) };
  };
  const loader = new PagedLoader<RunRecord>(
    (page) => link.ask(ListRuns, page),
    () => PAGE,
  );
  const runs = new NodeSet<RunRecord, RunNode>(
    ({ run }) => run,
    (record) =>
      new RunNode(
        record,
        () => liveRun(record.run),
        () => model.knownProjects.length > 1,
      ),
    (node, record) => {
      node.record = record;
    },
  );
  const more = new MoreNode("runs#more", async () => {
    await loader.loadMore();
    view.tree.refresh();
  });
  const view = openView({
    id: "eda.runs",
    link,
    isReady,
    showsAges: true,
    roots: async () => {
      const nodes = runs.reconcile(await loader.items());
      if (nodes.length === 0)
        return [emptyNode("runs/none", l10n.t("Nothing has run yet."), { id: "eda.runAll", title: l10n.t("Run all stages") })];
      return loader.hasMore ? [...nodes, more] : nodes;
    },
    invalidate: () => loader.invalidate(),
  });
  const redraw = throttled<RunNode>(REDRAW_MS, (node) => view.tree.refresh(node));
  const redrawRun = (run: string) => {
    const node = runs.get(run);
    if (node !== undefined) redraw(node);
  };
  const reload = debounced(
    RELOAD_MS,
    async () => view.reload(),
    () => undefined,
  );
  const subscriptions = [
    tracker.onStart(reload),
    tracker.onEnd(reload),
    tracker.onChange(({ run }) => redrawRun(run)),
    jobs.onChange(({ run }) => {
      redrawRun(run);
      view.setBadge(jobs.badge);
    }),
  ];
  return {
    ...view,
    dispose: () => {
      for (const subscription of subscriptions) subscription.dispose();
      redraw.dispose();
      reload.dispose();
      view.dispose();
    },
  };
}
