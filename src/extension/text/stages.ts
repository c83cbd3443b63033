/** Stages and run states in people's words. */
import * as l10n from "@vscode/l10n";
import type { RunState } from "../../domain/run.ts";
import type { InventoryId, StageId } from "../../domain/stage.ts";
import type { Icon } from "../tree/node.ts";

export function stageName(stage: StageId): string {
  switch (stage) {
    case "capture":
      return l10n.t("Capture");
    case "ingest":
      return l10n.t("Ingest");
    case "staging":
      return l10n.t("Staging");
    case "curation":
      return l10n.t("Curation");
    case "datasets":
      return l10n.t("Datasets");
    case "modeling":
      return l10n.t("Modeling");
    case "deploy":
      return l10n.t("Deploy");
  }
}

export function stagePurpose(stage: StageId): string {
  switch (stage) {
    case "capture":
      return l10n.t("Copies new and changed files from Drive into eda/raw-data.");
    case "ingest":
      return l10n.t("Stores raw files once, by content, and registers them.");
    case "staging":
      return l10n.t("Cleans and types raw tables; rows that break the contract are quarantined.");
    case "curation":
      return l10n.t("Runs the project's SELECT files, in the order they depend on each other.");
    case "datasets":
      return l10n.t("Splits curated tables into train, validation and test.");
    case "modeling":
      return l10n.t("Trains with the project's notebook and keeps metrics and model.");
    case "deploy":
      return l10n.t("Registers the model and its outputs with their whole lineage.");
  }
}

export function inventoryName(inventory: InventoryId): string {
  switch (inventory) {
    case "raw":
      return l10n.t("Raw data");
    case "staging":
      return l10n.t("Staging tables");
    case "curated":
      return l10n.t("Curated tables");
    case "datasets":
      return l10n.t("Datasets");
    case "models":
      return l10n.t("Models");
  }
}

export function stateName(state: RunState): string {
  switch (state) {
    case "waiting":
      return l10n.t("waiting");
    case "planning":
      return l10n.t("planning");
    case "committing-before":
      return l10n.t("committing before");
    case "executing":
      return l10n.t("working");
    case "publishing":
      return l10n.t("publishing");
    case "committing-after":
      return l10n.t("committing after");
    case "succeeded":
      return l10n.t("succeeded");
    case "unchanged":
      return l10n.t("nothing to do");
    case "failed":
      return l10n.t("failed");
    case "cancelled":
      return l10n.t("cancelled");
  }
}

export function stateIcon(state: RunState): Icon {
  switch (state) {
    case "succeeded":
      return { id: "pass", color: "testing.iconPassed" };
    case "unchanged":
      return { id: "check", color: "testing.iconPassed" };
    case "failed":
      return { id: "error", color: "testing.iconFailed" };
    case "cancelled":
      return { id: "circle-slash", color: "disabledForeground" };
    case "waiting":
      return { id: "circle-large-outline", color: "charts.blue" };
    default:
      return { id: "sync~spin", color: "charts.blue" };
  }
}
