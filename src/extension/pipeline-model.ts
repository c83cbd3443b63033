/** Projects, stages and repository as the host sees them: what views, problems and status bar have in common. */
import { type Disposable, Emitter, type Event } from "vscode-jsonrpc";
import { toEdaError } from "../domain/errors.ts";
import type { RunSummary } from "../domain/run.ts";
import { type GitStatus, PipelineStatus, type ProjectStatus, RepositoryStatus } from "../protocol/messages.ts";
import type { HostLink } from "./host/link.ts";
import type { RunTracker } from "./runs/run-tracker.ts";
import { debounced } from "./timing.ts";

/** A stage that ends is followed by the next one at once: one look is enough for both. */
const QUIET_MS = 250;

export class PipelineModel implements Disposable {
  readonly #link: HostLink;
  readonly #changes = new Emitter<void>();
  readonly #refresh;
  readonly #subscriptions: readonly Disposable[];
  #projects: readonly ProjectStatus[] | undefined;
  #git: GitStatus | undefined;
  #error: unknown;

  constructor(link: HostLink, tracker: RunTracker, log: (message: string) => void) {
    this.#link = link;
    this.#refresh = debounced(
      QUIET_MS,
      () => this.#load(),
      (error) => {
        this.#error = error;
        log(`pipeline: ${toEdaError(error).message}`);
        this.#changes.fire();
      },
    );
    this.#subscriptions = [
      this.#refresh,
      tracker.onStart(() => this.#refresh()),
      tracker.onEnd((summary) => {
        this.#projects = this.#projects?.map((project) => withEnded(project, summary, new Date()));
        this.#changes.fire();
        this.#refresh();
      }),
      link.onState(({ kind }) => {
        if (kind === "connected") this.#refresh();
        if (kind === "failed") this.#changes.fire();
      }),
    ];
  }

  get onChange(): Event<void> {
    return this.#changes.event;
  }

  /** Undefined until the first answer. */
  get git(): GitStatus | undefined {
    return this.#git;
  }

  get knownProjects(): readonly ProjectStatus[] {
    return this.#projects ?? [];
  }

  /** Asks again soon; a second call within a quarter of a second changes nothing. */
  refresh(): void {
    this.#refresh();
  }

  /** Asks again at once. */
  reload(): Promise<void> {
    return this.#refresh.now();
  }

  /** @throws EdaError when the last answer was a failure */
  async projects(): Promise<readonly ProjectStatus[]> {
    if (this.#projects === undefined && this.#error === undefined) await this.#firstAnswer();
    if (this.#error !== undefined) throw this.#error;
    return this.knownProjects;
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#changes.dispose();
  }

  async #load(): Promise<void> {
    // Stages that a busy host takes long to plan must not keep a new window empty.
    if (this.#projects === undefined) this.#show(await this.#link.ask(PipelineStatus, { freshness: false }), undefined);
    const [projects, git] = await Promise.all([this.#link.ask(PipelineStatus, {}), this.#link.ask0(RepositoryStatus)]);
    this.#show(projects, git);
  }

  /** Settles with the first answer, which may be of the records alone. */
  async #firstAnswer(): Promise<void> {
    const answered = new Promise<void>((resolve) => {
      const subscription = this.onChange(() => {
        subscription.dispose();
        resolve();
      });
    });
    await Promise.race([answered, this.#refresh.now()]);
  }

  #show(projects: readonly ProjectStatus[], git: GitStatus | undefined): void {
    this.#projects = projects;
    this.#git = git;
    this.#error = undefined;
    this.#changes.fire();
  }
}

/** What the end of a run says of its stage, until the host is asked: a view must not show a run that is over. */
export function withEnded(status: ProjectStatus, summary: RunSummary, now: Date): ProjectStatus {
  if (status.project !== summary.project) return status;
  return {
    ...status,
    stages: status.stages.map((stage) => {
      const { activeRun } = stage;
      if (activeRun?.run !== summary.runId) return stage;
      const { state, commitBefore, commitAfter, totals, details, error } = summary;
      const lastRun = { ...activeRun, state, commitBefore, commitAfter, totals, details, error, finishedAt: now.toISOString() };
      const freshness = state === "succeeded" || state === "unchanged" ? "fresh" : stage.freshness;
      return { ...stage, activeRun: null, lastRun, freshness };
    }),
  };
}
