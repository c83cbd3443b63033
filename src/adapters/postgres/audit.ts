/** The audit chain on table `auditoria`. */
import { type AuditContent, type AuditEntry, type AuditHead, auditHash, GENESIS_HASH } from "../../domain/audit.ts";
import type { JsonObject } from "../../domain/json.ts";
import type { Database, Queryable, SqlRow } from "./database.ts";
import { lock } from "./locks.ts";

interface AuditRow extends SqlRow {
  readonly sequencia: number;
  readonly evento: string;
  readonly projeto: string | null;
  readonly etapa: string | null;
  readonly execucao: string | null;
  readonly ator: string;
  readonly em: string;
  readonly dados: JsonObject;
  readonly anterior: string;
  readonly resumo: string;
}

const COLUMNS = "sequencia, evento, projeto, etapa, execucao, ator, em, dados, anterior, resumo";

/** Appends one entry; writers wait for each other until their transactions end, so that the chain never forks. */
export async function appendEntry(connection: Queryable, content: AuditContent): Promise<AuditHead> {
  await lock(connection, "audit");
  const previous = await readHead(connection);
  const sequence = previous.sequence + 1;
  // What is hashed is what will be read back.
  const kept: AuditContent = { ...content, at: new Date(content.at).toISOString(), payload: wellFormed(content.payload) };
  const hash = auditHash(sequence, previous.hash, kept);
  await connection.query(`INSERT INTO auditoria (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, [
    sequence,
    kept.event,
    kept.project,
    kept.stage,
    kept.run,
    kept.actor,
    kept.at,
    JSON.stringify(kept.payload),
    previous.hash,
    hash,
  ]);
  return { sequence, hash };
}

/** Half a surrogate pair, as a text cut short ends in, has no canonical form: the replacement character stands for it. */
function wellFormed(payload: JsonObject): JsonObject {
  return JSON.parse(
    JSON.stringify(payload, (_key, value: unknown) => (typeof value === "string" ? value.toWellFormed() : value)),
  ) as JsonObject;
}

export async function readHead(connection: Queryable): Promise<AuditHead> {
  const [last] = await connection.query<AuditRow>("SELECT sequencia, resumo FROM auditoria ORDER BY sequencia DESC LIMIT 1");
  return last === undefined ? { sequence: 0, hash: GENESIS_HASH } : { sequence: last.sequencia, hash: last.resumo };
}

export async function* streamEntries(database: Database): AsyncGenerator<AuditEntry, void, undefined> {
  for await (const row of database.stream<AuditRow>(`SELECT ${COLUMNS} FROM auditoria ORDER BY sequencia`)) {
    yield {
      sequence: row.sequencia,
      event: row.evento,
      project: row.projeto,
      stage: row.etapa,
      run: row.execucao,
      actor: row.ator,
      at: row.em,
      payload: row.dados,
      previousHash: row.anterior,
      hash: row.resumo,
    };
  }
}
