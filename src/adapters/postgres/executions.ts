/** Executions (`execucoes`) and training jobs (`trabalhos`). */
import type { Pool, PoolClient } from "pg";
import { EdaError, type ErrorDocument } from "../../domain/errors.ts";
import type { JsonObject } from "../../domain/json.ts";
import type { RunRecord, RunState, RunTotals } from "../../domain/run.ts";
import type { StageId } from "../../domain/stage.ts";
import type { Inventory, JobArtefact, JobRecord } from "../../ports/inventory.ts";
import type { Page } from "../../ports/object-store.ts";
import { query } from "./pool.ts";
import { decodeCursor, encodeCursor, iso, isoOrNull, jsonText, storable } from "./values.ts";

type RunFilter = Parameters<Inventory["listRuns"]>[0];

interface RunRow {
  readonly execucao: string;
  readonly projeto: string;
  readonly etapa: StageId;
  readonly estado: RunState;
  readonly forcada: boolean;
  readonly ator: string;
  readonly commit_antes: string | null;
  readonly commit_depois: string | null;
  readonly totais: RunTotals | null;
  readonly impressao: string | null;
  readonly erro: ErrorDocument | null;
  readonly detalhes: JsonObject;
  readonly pedido_em: Date;
  readonly iniciado_em: Date | null;
  readonly terminado_em: Date | null;
}

/** Column of each field, and how its value goes in. */
const RUN_COLUMNS: { readonly [Field in keyof RunRecord]: readonly [column: string, write: (value: RunRecord[Field]) => unknown] } = {
  run: ["execucao", String],
  project: ["projeto", String],
  stage: ["etapa", String],
  state: ["estado", String],
  force: ["forcada", Boolean],
  actor: ["ator", storable],
  commitBefore: ["commit_antes", same],
  commitAfter: ["commit_depois", same],
  totals: ["totais", jsonOrNull],
  fingerprint: ["impressao", same],
  error: ["erro", jsonOrNull],
  details: ["detalhes", jsonText],
  requestedAt: ["pedido_em", same],
  startedAt: ["iniciado_em", same],
  finishedAt: ["terminado_em", same],
};

function same(value: string | null): string | null {
  return value;
}

function jsonOrNull(value: unknown): string | null {
  return value === null ? null : jsonText(value);
}

/** Columns and values of the fields that are given. */
function columnsOf(change: Partial<RunRecord>): { readonly columns: string[]; readonly values: unknown[] } {
  const columns: string[] = [];
  const values: unknown[] = [];
  for (const field of Object.keys(RUN_COLUMNS) as (keyof RunRecord)[]) {
    const value = change[field];
    if (value === undefined) continue;
    const [column, write] = RUN_COLUMNS[field] as readonly [string, (value: unknown) => unknown];
    columns.push(column);
    values.push(write(value));
  }
  return { columns, values };
}

function toRecord(row: RunRow): RunRecord {
  return {
    run: row.execucao,
    project: row.projeto,
    stage: row.etapa,
    state: row.estado,
    force: row.forcada,
    actor: row.ator,
    commitBefore: row.commit_antes,
    commitAfter: row.commit_depois,
    totals: row.totais,
    fingerprint: row.impressao,
    error: row.erro,
    details: row.detalhes,
    requestedAt: iso(row.pedido_em),
    startedAt: isoOrNull(row.iniciado_em),
    finishedAt: isoOrNull(row.terminado_em),
  };
}

export async function insertRun(pool: Pool, record: RunRecord): Promise<void> {
  const { columns, values } = columnsOf(record);
  const places = values.map((_, index) => `$${index + 1}`);
  await query(pool, `INSERT INTO execucoes (${columns.join(", ")}) VALUES (${places.join(", ")}) ON CONFLICT DO NOTHING`, values);
}

export async function changeRun(pool: Pool | PoolClient, run: string, change: Partial<RunRecord>): Promise<void> {
  const { columns, values } = columnsOf(change);
  if (columns.length === 0) return;
  const assignments = columns.map((column, index) => `${column} = $${index + 2}`);
  await query(pool, `UPDATE execucoes SET ${assignments.join(", ")} WHERE execucao = $1`, [run, ...values]);
}

export async function runById(pool: Pool, run: string): Promise<RunRecord | undefined> {
  const [row] = await query<RunRow>(pool, "SELECT * FROM execucoes WHERE execucao = $1", [run]);
  return row === undefined ? undefined : toRecord(row);
}

export async function pageOfRuns(pool: Pool, filter: RunFilter): Promise<Page<RunRecord>> {
  const conditions: string[] = [];
  const values: unknown[] = [];
  const add = (condition: (place: string) => string, value: unknown) => conditions.push(condition(`$${values.push(value)}`));
  if (filter.project !== undefined) add((place) => `projeto = ${place}`, filter.project);
  if (filter.stage !== undefined) add((place) => `etapa = ${place}`, filter.stage);
  if (filter.states !== undefined) add((place) => `estado = ANY(${place}::text[])`, filter.states);
  if (filter.cursor !== undefined) {
    const [at, run] = decodeCursor(filter.cursor) ?? [];
    if (typeof at !== "string" || typeof run !== "string") throw new EdaError("usage", "invalid-cursor", "That is no place in this list.");
    conditions.push(`(pedido_em, execucao) < ($${values.push(at)}::timestamptz, $${values.push(run)})`);
  }
  const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  const sql = `SELECT * FROM execucoes ${where} ORDER BY pedido_em DESC, execucao DESC LIMIT ${filter.limit + 1}`;
  const records = (await query<RunRow>(pool, sql, values)).map(toRecord);
  const items = records.slice(0, filter.limit);
  const last = items.at(-1);
  return records.length > filter.limit && last !== undefined ? { items, cursor: encodeCursor([last.requestedAt, last.run]) } : { items };
}

export async function lastSucceeded(pool: Pool, project: string, stage: StageId): Promise<RunRecord | undefined> {
  const sql = `
    SELECT * FROM execucoes WHERE projeto = $1 AND etapa = $2 AND estado = 'succeeded'
    ORDER BY pedido_em DESC, execucao DESC LIMIT 1`;
  const [row] = await query<RunRow>(pool, sql, [project, stage]);
  return row === undefined ? undefined : toRecord(row);
}

interface JobRow {
  readonly trabalho: string;
  readonly projeto: string;
  readonly execucao: string;
  readonly estado: JobRecord["state"];
  readonly treinador: string;
  readonly acelerador: string;
  readonly metricas: JsonObject;
  readonly parametros: JsonObject;
  readonly artefatos: readonly JobArtefact[];
  readonly iniciado_em: Date;
  readonly terminado_em: Date | null;
}

export async function saveJob(client: PoolClient, job: JobRecord): Promise<void> {
  await query(
    client,
    `INSERT INTO trabalhos (trabalho, projeto, execucao, estado, treinador, acelerador, metricas, parametros, artefatos, iniciado_em, terminado_em)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
     ON CONFLICT (trabalho) DO UPDATE SET estado = EXCLUDED.estado, acelerador = EXCLUDED.acelerador, metricas = EXCLUDED.metricas,
       artefatos = EXCLUDED.artefatos, terminado_em = EXCLUDED.terminado_em`,
    [
      job.job,
      job.project,
      job.run,
      job.state,
      job.trainer,
      job.accelerator,
      jsonText(job.metrics),
      jsonText(job.parameters),
      jsonText(job.artefacts),
      job.startedAt,
      job.finishedAt,
    ],
  );
}

export async function selectJobs(pool: Pool, condition: string, values: readonly unknown[]): Promise<JobRecord[]> {
  const rows = await query<JobRow>(pool, `SELECT * FROM trabalhos ${condition} ORDER BY iniciado_em DESC, trabalho DESC`, values);
  return rows.map((row) => ({
    job: row.trabalho,
    project: row.projeto,
    run: row.execucao,
    state: row.estado,
    trainer: row.treinador,
    accelerator: row.acelerador,
    metrics: row.metricas,
    parameters: row.parametros,
    artefacts: row.artefatos,
    startedAt: iso(row.iniciado_em),
    finishedAt: isoOrNull(row.terminado_em),
  }));
}
