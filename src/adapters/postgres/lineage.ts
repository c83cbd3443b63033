/** Lineage on table `linhagem`. */
import type { LineageEdge, LineageGraph, LineageRun } from "../../domain/lineage.ts";
import type { Items } from "../../ports/inventory.ts";
import { type Column, insertAll } from "./bulk.ts";
import type { Database, Queryable } from "./database.ts";

const WRITTEN: readonly Column<LineageEdge>[] = [
  ["de", "text", (edge) => edge.from],
  ["para", "text", (edge) => edge.to],
  ["execucao", "text", (edge) => edge.run],
];

/** Edges that are there already stay as they are. */
export async function insertEdges(connection: Queryable, edges: Items<LineageEdge>): Promise<void> {
  await insertAll(connection, "linhagem", WRITTEN, edges, { clause: "ON CONFLICT DO NOTHING" });
}

/** Everything the asset was made from. UNION (not ALL) visits each asset once, however many ways lead to it, and ends on a circle. */
export async function upstream(database: Database, assetUri: string): Promise<LineageGraph> {
  const edges = await database.query<{ from: string; to: string; run: string }>(
    `WITH RECURSIVE montante (uri) AS (
       SELECT $1::text COLLATE "C"
       UNION
       SELECT linhagem.de FROM montante JOIN linhagem ON md5(linhagem.para)::uuid = md5(montante.uri)::uuid AND linhagem.para = montante.uri
     )
     SELECT linhagem.de AS "from", linhagem.para AS "to", linhagem.execucao AS "run"
     FROM montante JOIN linhagem ON md5(linhagem.para)::uuid = md5(montante.uri)::uuid AND linhagem.para = montante.uri
     ORDER BY linhagem.execucao DESC, linhagem.para, linhagem.de`,
    [assetUri],
  );
  const runs = await database.query<Readonly<Record<keyof LineageRun, never>>>(
    `SELECT execucao AS "run", projeto AS "project", etapa AS "stage", commit_antes AS "commitBefore", commit_depois AS "commitAfter",
            terminado_em AS "finishedAt"
     FROM execucoes WHERE execucao = ANY($1) ORDER BY execucao DESC`,
    [[...new Set(edges.map((edge) => edge.run))]],
  );
  return { root: assetUri, edges, runs };
}
