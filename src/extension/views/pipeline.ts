/** *Pipeline*: projects and their seven stages, with state, age and the progress of what runs. */
import * as l10n from "@vscode/l10n";
import type { StageId } from "../../domain/stage.ts";
import type { ProjectStatus, StageStatus } from "../../protocol/messages.ts";
import type { HostLink } from "../host/link.ts";
import type { PipelineModel } from "../pipeline-model.ts";
import type { LiveRun, RunTracker } from "../runs/run-tracker.ts";
import { projectRow, stageRow } from "../text/pipeline.ts";
import { throttled } from "../timing.ts";
import { emptyNode } from "../tree/message-nodes.ts";
import { NodeSet, type Row, type TreeNode } from "../tree/node.ts";
import { openView, type View } from "./view.ts";

/** Progress is redrawn at most this often, a stage. */
const REDRAW_MS = 250;

export class StageNode implements TreeNode {
  readonly id: string;
  readonly expansion = "none";
  readonly project: string;
  status: StageStatus;
  readonly #live: () => LiveRun | undefined;

  constructor(project: string, status: StageStatus, live: (stage: StageId) => LiveRun | undefined) {
    this.id = `stage/${project}/${status.stage}`;
    this.project = project;
    this.status = status;
    this.#live = () => live(status.stage);
  }

  get stage(): StageId {
    return this.status.stage;
  }

  /** Run at work, else the last one. */
  get run(): string | undefined {
    return this.#live()?.run ?? this.status.activeRun?.run ?? this.status.lastRun?.run;
  }

  row(): Row {
    return stageRow(this.status, this.#live(), Date.now());
  }
}

export class ProjectNode implements TreeNode {
  readonly id: string;
  readonly expansion = "expanded";
  status: ProjectStatus;
  readonly stages: NodeSet<StageStatus, StageNode>;

  constructor(status: ProjectStatus, live: (project: string, stage: StageId) => LiveRun | undefined) {
    this.id = `project/${status.project}`;
    this.status = status;
    this.stages = new NodeSet<StageStatus, StageNode>(
      ({ stage }) => stage,
      (stage) => new StageNode(this.project, stage, (id) => live(this.project, id)),
      (node, stage) => {
        node.status = stage;
      },
    );
  }

  get project(): string {
    return this.status.project;
  }

  row(): Row {
    return projectRow(this.status);
  }

  async children(): Promise<readonly TreeNode[]> {
    return this.stages.reconcile(this.status.stages);
  }
}

export function openPipelineView(link: HostLink, model: PipelineModel, tracker: RunTracker, isReady: () => boolean): View {
  const liveRun = (project: string, stage: StageId) => {
    const runs = tracker.live.filter((run) => run.project === project && run.stage === stage);
    return runs.find(({ state }) => state !== "waiting") ?? runs[0];
  };
  const projects = new NodeSet<ProjectStatus, ProjectNode>(
    ({ project }) => project,
    (status) => new ProjectNode(status, liveRun),
    (node, status) => {
      node.status = status;
    },
  );
  const view = openView({
    id: "eda.pipeline",
    link,
    isReady,
    showsAges: true,
    roots: async () => {
      const nodes = projects.reconcile(await model.projects());
      return nodes.length > 0
        ? nodes
        : [emptyNode("projects/none", l10n.t("There is no project yet."), { id: "eda.initWorkspace", title: l10n.t("Add a project") })];
    },
    invalidate: () => undefined,
    retry: () => model.refresh(),
  });
  const redraw = throttled<StageNode>(REDRAW_MS, (node) => view.tree.refresh(node));
  const subscriptions = [
    model.onChange(() => view.tree.refresh()),
    tracker.onChange(({ project, stage }) => {
      const node = projects.get(project)?.stages.get(stage);
      if (node !== undefined) redraw(node);
    }),
  ];
  return {
    ...view,
    reload: () => model.refresh(),
    dispose: () => {
      for (const subscription of subscriptions) subscription.dispose();
      redraw.dispose();
      view.dispose();
    },
  };
}
