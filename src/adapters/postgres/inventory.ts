/** The inventory port on PostgreSQL: what a run makes visible, it makes visible in one transaction. */
import type { Pool, PoolClient } from "pg";
import type { AuditHead } from "../../domain/audit.ts";
import { EdaError } from "../../domain/errors.ts";
import { INVENTORIES } from "../../domain/stage.ts";
import type { Inventory, Publication } from "../../ports/inventory.ts";
import { appendEntry, entryHead, headOf, streamAudit } from "./audit.ts";
import { changeRun, insertRun, lastSucceeded, pageOfRuns, runById, saveJob, selectJobs } from "./executions.ts";
import { applyMigrations } from "./migrations.ts";
import { inTransaction, query } from "./pool.ts";
import { insertEdges, saveCaptured, saveStats, selectCaptured, selectStats, upstream } from "./provenance.ts";
import { insertRows, pageOfRows, rowsByAsset, rowsByContent, streamRows, supersede } from "./rows.ts";

/** @param migrationsFolder `sql/` of the installation */
export function openInventory(pool: Pool, migrationsFolder: string): Inventory {
  return {
    migrate: () => applyMigrations(pool, migrationsFolder),
    ensureProject: async (project) => {
      await query(pool, "INSERT INTO projetos (nome) VALUES ($1) ON CONFLICT DO NOTHING", [project]);
    },
    projects: async () => {
      const rows = await query<{ readonly nome: string }>(pool, "SELECT nome FROM projetos ORDER BY nome");
      return rows.map((row) => row.nome);
    },

    rows: (filter) => pageOfRows(pool, filter),
    currentRows: (inventory, project) => streamRows(pool, inventory, ["projeto = $1", "vigente"], [project]),
    async *allRows(project) {
      const [conditions, values] = project === undefined ? [[], []] : [["projeto = $1"], [project]];
      for (const inventory of INVENTORIES) yield* streamRows(pool, inventory, conditions, values);
    },
    findByContent: (inventory, project, sha256s) => rowsByContent(pool, inventory, project, sha256s),
    findAssets: (text) => rowsByAsset(pool, text),

    publish: (publication) => inTransaction(pool, (client) => publish(client, publication)),

    recordRequest: (record) => insertRun(pool, record),
    updateRun: (run, change) => changeRun(pool, run, change),
    getRun: (run) => runById(pool, run),
    listRuns: (filter) => pageOfRuns(pool, filter),
    lastSuccess: (project, stage) => lastSucceeded(pool, project, stage),

    captured: (project) => selectCaptured(pool, project),
    statCache: (project) => selectStats(pool, project),
    job: async (job) => (await selectJobs(pool, "WHERE trabalho = $1", [job]))[0],
    jobs: (project) => (project === undefined ? selectJobs(pool, "", []) : selectJobs(pool, "WHERE projeto = $1", [project])),
    lineage: (uri) => upstream(pool, uri),

    appendAudit: (content) => inTransaction(pool, (client) => appendEntry(client, content)),
    auditHead: () => headOf(pool),
    audit: () => streamAudit(pool),
  };
}

async function publish(client: PoolClient, publication: Publication): Promise<AuditHead> {
  const published = await publishedAs(client, publication.run);
  if (published !== null) return entryHead(client, published);
  await insertRows(client, publication.rows);
  for (const { inventory, name } of publication.retired) await supersede(client, inventory, [{ project: publication.project, name }]);
  await insertEdges(client, publication.edges);
  await saveCaptured(client, publication.captured);
  await saveStats(client, publication.project, publication.statCache);
  if (publication.job !== null) await saveJob(client, publication.job);
  await changeRun(client, publication.run, publication.execution);
  // Last, because it makes other publications wait.
  const head = await appendEntry(client, publication.audit);
  await query(client, "UPDATE execucoes SET auditoria_sequencia = $2 WHERE execucao = $1", [publication.run, head.sequence]);
  return head;
}

/** Audit sequence of the run's publication, or null. Locks the execution: a second publication of the run waits here. */
async function publishedAs(client: PoolClient, run: string): Promise<number | null> {
  const sql = "SELECT auditoria_sequencia FROM execucoes WHERE execucao = $1 FOR UPDATE";
  const [row] = await query<{ readonly auditoria_sequencia: number | null }>(client, sql, [run]);
  if (row === undefined) throw new EdaError("terminal", "unknown-run", `Run ${run} cannot be published: it was never recorded.`);
  return row.auditoria_sequencia;
}
