import { describe, expect, it } from "vitest";
import {
  BUCKETS,
  INVENTORIES,
  INVENTORY_TABLES,
  isInventoryId,
  isStageId,
  STAGES,
  type StageId,
  stageOf,
} from "../../../src/domain/stage.ts";

describe("the seven stages", () => {
  it.each<[StageId, number, string]>([
    ["capture", 1, "feat: captura inicial dos dados do Google Drive"],
    ["ingest", 2, "feat: ingestão raw com controle de unicidade"],
    ["staging", 3, "feat: pipeline de staging implementado"],
    ["curation", 4, "feat: curadoria dos dados concluída"],
    ["datasets", 5, "feat: geração dos datasets para modelagem"],
    ["modeling", 6, "feat: pipeline de modelagem no Colab com GPU"],
    ["deploy", 7, "feat: deploy e outputs finalizados"],
  ])("have %s as number %d with its subject verbatim (contract)", (id, number, subject) => {
    expect(stageOf(id)).toMatchObject({ id, number, subject });
    expect(subject).toBe(subject.normalize("NFC"));
  });

  it("each read what the one before made", () => {
    expect(STAGES.map((stage) => stage.upstream)).toEqual([undefined, ...STAGES.slice(0, -1).map((stage) => stage.id)]);
  });

  it("publish to five inventories, each once, in tables named as the seed does", () => {
    expect(STAGES.flatMap((stage) => stage.inventory ?? [])).toEqual(INVENTORIES);
    expect(INVENTORIES.map((id) => INVENTORY_TABLES[id])).toEqual([
      "inventario_dados",
      "staging_inventario",
      "curated_inventario",
      "datasets_inventario",
      "models_inventario",
    ]);
  });

  it("write to six buckets (contract)", () => {
    expect(BUCKETS).toEqual(["raw-data", "staging-data", "curated-data", "datasets", "models", "outputs"]);
  });

  it("and inventories are recognised by their names alone", () => {
    expect(["capture", "deploy", "all", "Capture", "", "constructor"].map(isStageId)).toEqual([true, true, false, false, false, false]);
    expect(["raw", "models", "inventario_dados", "toString"].map(isInventoryId)).toEqual([true, true, false, false]);
    expect(() => stageOf("all" as StageId)).toThrow(TypeError);
  });
});
