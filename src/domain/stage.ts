/** The seven stages, in order, with what the contract fixes of each. */

export type StageId = "capture" | "ingest" | "staging" | "curation" | "datasets" | "modeling" | "deploy";

/** Buckets of the data lake; each holds one prefix a project. */
export type BucketName = "raw-data" | "staging-data" | "curated-data" | "datasets" | "models" | "outputs";

export const BUCKETS: readonly BucketName[] = ["raw-data", "staging-data", "curated-data", "datasets", "models", "outputs"];

/** The five inventories, by the names the command line uses. */
export type InventoryId = "raw" | "staging" | "curated" | "datasets" | "models";

/** PostgreSQL table of each inventory, as the seed names them. */
export const INVENTORY_TABLES: Readonly<Record<InventoryId, string>> = {
  raw: "inventario_dados",
  staging: "staging_inventario",
  curated: "curated_inventario",
  datasets: "datasets_inventario",
  models: "models_inventario",
};

export const INVENTORIES: readonly InventoryId[] = ["raw", "staging", "curated", "datasets", "models"];

export interface Stage {
  readonly id: StageId;
  /** Position in the pipeline, 1 to 7. */
  readonly number: number;
  /** Commit subject after a successful run, verbatim from the seed. */
  readonly subject: string;
  /** Inventory the stage publishes to, when it has one. */
  readonly inventory?: InventoryId;
  /** Stage whose outputs this one reads, when there is one. */
  readonly upstream?: StageId;
}

export const STAGES: readonly Stage[] = [
  { id: "capture", number: 1, subject: "feat: captura inicial dos dados do Google Drive" },
  { id: "ingest", number: 2, subject: "feat: ingestão raw com controle de unicidade", inventory: "raw", upstream: "capture" },
  { id: "staging", number: 3, subject: "feat: pipeline de staging implementado", inventory: "staging", upstream: "ingest" },
  { id: "curation", number: 4, subject: "feat: curadoria dos dados concluída", inventory: "curated", upstream: "staging" },
  { id: "datasets", number: 5, subject: "feat: geração dos datasets para modelagem", inventory: "datasets", upstream: "curation" },
  { id: "modeling", number: 6, subject: "feat: pipeline de modelagem no Colab com GPU", upstream: "datasets" },
  { id: "deploy", number: 7, subject: "feat: deploy e outputs finalizados", inventory: "models", upstream: "modeling" },
];

export function isStageId(text: string): text is StageId {
  return STAGES.some((stage) => stage.id === text);
}

export function isInventoryId(text: string): text is InventoryId {
  return INVENTORIES.some((id) => id === text);
}

/** The stage's fixed facts. Total: every {@link StageId} has one. */
export function stageOf(id: StageId): Stage {
  const stage = STAGES.find((candidate) => candidate.id === id);
  if (stage === undefined) throw new TypeError(`no such stage: ${id}`);
  return stage;
}
