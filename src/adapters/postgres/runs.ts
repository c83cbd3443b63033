/** Executions on table `execucoes`, and the projects they belong to. */
import type { RunRecord, RunState } from "../../domain/run.ts";
import type { StageId } from "../../domain/stage.ts";
import type { Page } from "../../ports/object-store.ts";
import { decodeCursor, encodeCursor, type Queryable, type SqlRow } from "./database.ts";

/** Column of each field. */
const COLUMN_OF = {
  run: "execucao",
  project: "projeto",
  stage: "etapa",
  force: "forcada",
  actor: "ator",
  state: "estado",
  commitBefore: "commit_antes",
  commitAfter: "commit_depois",
  totals: "totais",
  fingerprint: "impressao",
  error: "erro",
  details: "detalhes",
  requestedAt: "pedido_em",
  startedAt: "iniciado_em",
  finishedAt: "terminado_em",
} as const satisfies Record<keyof RunRecord, string>;

const FIELDS = Object.keys(COLUMN_OF) as (keyof RunRecord)[];
const COLUMNS = FIELDS.map((field) => `${COLUMN_OF[field]} AS "${field}"`).join(", ");
const NEWEST_FIRST = "ORDER BY pedido_em DESC, execucao DESC";

/** What {@link COLUMNS} selects is a record as it stands. */
type RunRow = RunRecord & SqlRow;

export async function ensureProject(database: Queryable, project: string): Promise<void> {
  await database.query("INSERT INTO projetos (nome) VALUES ($1) ON CONFLICT DO NOTHING", [project]);
}

export async function projectNames(database: Queryable): Promise<readonly string[]> {
  const rows = await database.query<{ nome: string }>("SELECT nome FROM projetos ORDER BY nome");
  return rows.map((row) => row.nome);
}

/** Inserts the execution unless it is there. */
export async function insertRun(database: Queryable, record: RunRecord): Promise<void> {
  const columns = FIELDS.map((field) => COLUMN_OF[field]).join(", ");
  const places = FIELDS.map((_, index) => `$${index + 1}`).join(", ");
  await database.query(
    `INSERT INTO execucoes (${columns}) VALUES (${places}) ON CONFLICT DO NOTHING`,
    FIELDS.map((field) => toSql(record[field])),
  );
}

export async function changeRun(database: Queryable, run: string, change: Partial<RunRecord>): Promise<void> {
  const fields = FIELDS.filter((field) => field !== "run" && change[field] !== undefined);
  if (fields.length === 0) return;
  const assignments = fields.map((field, index) => `${COLUMN_OF[field]} = $${index + 2}`).join(", ");
  await database.query(`UPDATE execucoes SET ${assignments} WHERE execucao = $1`, [run, ...fields.map((field) => toSql(change[field]))]);
}

export async function readRun(database: Queryable, run: string): Promise<RunRecord | undefined> {
  const [record] = await database.query<RunRow>(`SELECT ${COLUMNS} FROM execucoes WHERE execucao = $1`, [run]);
  return record;
}

export interface RunFilter {
  readonly project?: string;
  readonly stage?: StageId;
  readonly states?: readonly RunState[];
  readonly limit: number;
  readonly cursor?: string;
}

export async function pageOfRuns(database: Queryable, filter: RunFilter): Promise<Page<RunRecord>> {
  const values: unknown[] = [];
  const value = (next: unknown) => `$${values.push(next)}`;
  const conditions = ["true"];
  if (filter.project !== undefined) conditions.push(`projeto = ${value(filter.project)}`);
  if (filter.stage !== undefined) conditions.push(`etapa = ${value(filter.stage)}`);
  if (filter.states !== undefined) conditions.push(`estado = ANY(${value(filter.states)})`);
  if (filter.cursor !== undefined) {
    const [requestedAt, run] = decodeCursor(filter.cursor, ["string", "string"]);
    conditions.push(`(pedido_em, execucao) < (${value(requestedAt)}, ${value(run)})`);
  }
  const found = await database.query<RunRow>(
    `SELECT ${COLUMNS} FROM execucoes WHERE ${conditions.join(" AND ")} ${NEWEST_FIRST} LIMIT ${value(filter.limit + 1)}`,
    values,
  );
  const items = found.slice(0, filter.limit);
  const last = items.at(-1);
  return { items, ...(found.length > filter.limit && last !== undefined ? { cursor: encodeCursor([last.requestedAt, last.run]) } : {}) };
}

export async function newestSuccess(database: Queryable, project: string, stage: StageId): Promise<RunRecord | undefined> {
  const [record] = await database.query<RunRow>(
    `SELECT ${COLUMNS} FROM execucoes WHERE projeto = $1 AND etapa = $2 AND estado = 'succeeded' ${NEWEST_FIRST} LIMIT 1`,
    [project, stage],
  );
  return record;
}

function toSql(value: RunRecord[keyof RunRecord] | undefined): unknown {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : value;
}
