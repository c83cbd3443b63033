/**
 * Everything the extension contributes by name, in one typed table. A test compares it with `package.json` both ways, so that a command
 * cannot be registered without being declared, or declared without being registered.
 */
import { STAGES, type StageId } from "../domain/stage.ts";
import { STORE_SETTINGS } from "./services/store-settings.ts";

type StageCommand = `eda.run.${StageId}`;

/** Commands of the palette. */
export const PALETTE_COMMANDS = [
  ...STAGES.map(({ id }): StageCommand => `eda.run.${id}`),
  "eda.runAll",
  "eda.runForced",
  "eda.cancelRun",
  "eda.refresh",
  "eda.showLineage",
  "eda.verify",
  "eda.doctor",
  "eda.recover",
  "eda.showRunLog",
  "eda.openMonitor",
  "eda.openManifest",
  "eda.openProjectFile",
  "eda.initWorkspace",
  "eda.createDemo",
  "eda.startHost",
  "eda.stopHost",
  "eda.showHostLog",
  "eda.showOutput",
  "eda.statusActions",
  "eda.openWalkthrough",
  "eda.openTrainingWalkthrough",
  "eda.connectServices",
  "eda.checkServices",
  "eda.migrateStores",
  "eda.signInToGoogle",
  "eda.signOutOfGoogle",
] as const;

/** Commands that act on a tree node and make no sense elsewhere. */
export const NODE_COMMANDS = [
  "eda.runStage",
  "eda.rerun",
  "eda.loadMore",
  "eda.retry",
  "eda.copyKey",
  "eda.copySha256",
  "eda.copyValue",
  "eda.searchRows",
  "eda.clearSearch",
] as const;

export type CommandId = (typeof PALETTE_COMMANDS)[number] | (typeof NODE_COMMANDS)[number];

export const VIEWS = ["eda.pipeline", "eda.buckets", "eda.inventories", "eda.runs"] as const;
export type ViewId = (typeof VIEWS)[number];

/** Settings with their defaults. */
export const SETTINGS = { home: "", pageSize: 200, ...STORE_SETTINGS } as const;

/**
 * Context keys of `when` clauses. `eda.workspace`: `none` (no folder open), `uninitialised` (no `configs/eda.yaml`) or `ready`.
 * `eda.running`: a run is waiting or at work.
 */
export const CONTEXT_KEYS = ["eda.workspace", "eda.running"] as const;
export type ContextKey = (typeof CONTEXT_KEYS)[number];

export const WALKTHROUGH = "eda.start";
/** From the stores that come by themselves to servers. */
export const SERVICES_WALKTHROUGH = "eda.services";
/** The page *Train on a Colab T4*. */
export const TRAINING_WALKTHROUGH = "eda.training";
