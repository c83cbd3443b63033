/** The composition root: opens the stores and tools of a workspace, in order, and closes them in the reverse one. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import { stopLeftoverServers } from "../adapters/jupyter/server.ts";
import type { StageId } from "../domain/stage.ts";
import { openJobDesk, type OpenJobDesk } from "../pipeline/jobs/desk.ts";
import type { Services, StageDefinition } from "../pipeline/stage-definition.ts";
import { captureStage } from "../pipeline/stages/capture.ts";
import { curationStage } from "../pipeline/stages/curation.ts";
import { datasetsStage } from "../pipeline/stages/datasets.ts";
import { deployStage } from "../pipeline/stages/deploy.ts";
import { ingestStage } from "../pipeline/stages/ingest.ts";
import { modelingStage } from "../pipeline/stages/modeling.ts";
import { stagingStage } from "../pipeline/stages/staging.ts";
import type { Endpoint } from "../protocol/endpoint.ts";
import type { FirstPages } from "./first-pages/first-pages.ts";
import { openHostPages } from "./first-pages/open.ts";
import { type CommitLock, createCommitLock, type DurableRuns, launchDurableRuns } from "./durable-runs.ts";
import { removeLeftovers } from "./housekeeping.ts";
import { refuseUnfinished } from "./migrate/unfinished.ts";
import { openJobSeries } from "./job-series.ts";
import { createRunBoard, type RunBoard } from "./run-board.ts";
import { openStores, type Stores } from "./stores/open.ts";
import { readConfiguration } from "./stores/read.ts";
import { openToolBox, type ToolBox, type Tools } from "./tools.ts";

export type Stages = Readonly<Record<StageId, StageDefinition>>;

const STAGE_DEFINITIONS: Stages = {
  capture: captureStage,
  ingest: ingestStage,
  staging: stagingStage,
  curation: curationStage,
  datasets: datasetsStage,
  modeling: modelingStage,
  deploy: deployStage,
};

/** Everything requests work with. */
export interface Host {
  /** Folder of the installation. */
  readonly home: string;
  /** Content hash of the running program. */
  readonly build: string;
  readonly endpoint: Endpoint;
  readonly services: Services;
  readonly jobs: OpenJobDesk;
  readonly series: ReturnType<typeof openJobSeries>;
  readonly tools: ToolBox;
  readonly stages: Stages;
  readonly board: RunBoard;
  readonly firstPages: FirstPages;
  readonly runs: DurableRuns;
  readonly commitLock: CommitLock;
  readonly logger: Logger;
  readonly stores: Stores;
  readonly env: NodeJS.ProcessEnv;
  close(): Promise<void>;
}

export interface OpenHostOptions {
  readonly endpoint: Endpoint;
  /** Folder of the installation: it holds `sql/`. */
  readonly home: string;
  readonly build: string;
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Logger;
  /** The database went away under a run: nothing can be recorded any more, and the process has to end. */
  readonly onLost: (error: unknown) => void;
}

/** @throws EdaError `unavailable` or `precondition` when a store cannot be opened; what was open by then is closed */
export async function openHost(options: OpenHostOptions): Promise<Host> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) {
      await closer().catch((error: unknown) => options.logger.error({ error: String(error) }, "a store could not be closed"));
    }
  };
  try {
    return await compose(options, (closer) => closers.push(closer), close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function compose(
  options: OpenHostOptions,
  onClose: (closer: () => Promise<unknown>) => void,
  close: () => Promise<void>,
): Promise<Host> {
  const { endpoint, env, home, logger } = options;
  const { workspace, stateFolder } = endpoint;
  layOutStateFolder(stateFolder);
  await stopLeftoverServers(stateFolder);

  const configuration = readConfiguration(workspace, env);
  refuseUnfinished(stateFolder, configuration);
  const stores = await openStores({
    configuration,
    endpoint,
    sqlFolder: join(home, "sql"),
    env,
    logger,
    onClose,
    onLost: options.onLost,
  });
  const { objects, inventory, runLog, drive, databaseUrl } = stores;
  const tools = openToolBox({ home, workspace, stateFolder, env, drive, isGoogleDrive: stores.configuration.drive.kind === "google" });
  try {
    tools.refresh();
  } catch (error) {
    logger.warn({ error: String(error) }, "the settings file is not valid; defaults are used until it is");
  }
  const jobs = openJobDesk(readFileSync(join(home, "notebooks", "eda_job.py"), "utf8"));
  const services = servicesOf({ workspace, objects, inventory, runLog, drive, jobs }, tools);

  const board = createRunBoard(runLog, logger);
  onClose(() => board.flush());
  stores.startMirror(board);
  const store = stores.descriptions.objects;
  const firstPages = openHostPages({ services, stateFolder, store, build: options.build, board, logger, onClose });
  const commitLock = createCommitLock();
  await removeLeftovers(services, stateFolder);
  const runs = await launchDurableRuns({
    databaseUrl,
    services,
    stages: STAGE_DEFINITIONS,
    board,
    logger,
    commitLock,
    onLost: options.onLost,
  });
  onClose(() => runs.stop());
  const closed = await runs.closeOrphans();
  if (closed.length > 0) logger.warn({ runs: closed }, "closed runs that could not go on");

  return {
    home,
    build: options.build,
    env,
    endpoint,
    services,
    jobs,
    series: openJobSeries(workspace),
    tools,
    stages: STAGE_DEFINITIONS,
    board,
    firstPages,
    runs,
    commitLock,
    logger,
    stores,
    close,
  };
}

/** Reads the tools anew each time; a run takes a copy when it starts and so keeps its own to its end. */
function servicesOf(stores: Omit<Services, keyof Tools>, tools: ToolBox): Services {
  return {
    ...stores,
    get settings() {
      return tools.current().settings;
    },
    get repository() {
      return tools.current().repository;
    },
    get engine() {
      return tools.current().engine;
    },
    get trainer() {
      return tools.current().trainer;
    },
  };
}

/** The folder hides itself from Git, whatever the repository's own `.gitignore` says or whether there is one yet. */
function layOutStateFolder(stateFolder: string): void {
  mkdirSync(stateFolder, { recursive: true });
  writeFileSync(join(stateFolder, ".gitignore"), "*\n");
}
