/** The audit chain (`auditoria`): one writer at a time, each entry sealed over the one before it. */
import type { Pool, PoolClient } from "pg";
import { type AuditContent, type AuditEntry, type AuditHead, auditHash, GENESIS_HASH } from "../../domain/audit.ts";
import type { JsonObject } from "../../domain/json.ts";
import { query } from "./pool.ts";
import { iso, jsonText } from "./values.ts";

/** Advisory lock of the chain's end. */
const CHAIN_LOCK = 3_241_002;
const BATCH = 2_000;

interface AuditRow {
  readonly sequencia: number;
  readonly evento: string;
  readonly projeto: string | null;
  readonly etapa: string | null;
  readonly execucao: string | null;
  readonly ator: string;
  readonly em: Date;
  readonly dados: JsonObject;
  readonly anterior: string;
  readonly resumo: string;
}

export async function headOf(pool: Pool | PoolClient): Promise<AuditHead> {
  const [row] = await query<Pick<AuditRow, "sequencia" | "resumo">>(pool, "SELECT sequencia, resumo FROM auditoria ORDER BY sequencia DESC LIMIT 1");
  return row === undefined ? { sequence: 0, hash: GENESIS_HASH } : { sequence: row.sequencia, hash: row.resumo };
}

export async function entryHead(client: PoolClient, sequence: number): Promise<AuditHead> {
  const [row] = await query<Pick<AuditRow, "resumo">>(client, "SELECT resumo FROM auditoria WHERE sequencia = $1", [sequence]);
  return { sequence, hash: row?.resumo ?? GENESIS_HASH };
}

/** @param client inside a transaction: the lock is held to its end, so keep what follows short */
export async function appendEntry(client: PoolClient, content: AuditContent): Promise<AuditHead> {
  await query(client, "SELECT pg_advisory_xact_lock($1)", [CHAIN_LOCK]);
  const head = await headOf(client);
  const sequence = head.sequence + 1;
  // What is hashed is what comes back out of the database.
  const stored: AuditContent = { ...content, at: new Date(content.at).toISOString(), payload: JSON.parse(jsonText(content.payload)) as JsonObject };
  const hash = auditHash(sequence, head.hash, stored);
  await query(
    client,
    `INSERT INTO auditoria (sequencia, evento, projeto, etapa, execucao, ator, em, dados, anterior, resumo)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [sequence, stored.event, stored.project, stored.stage, stored.run, stored.actor, stored.at, jsonText(stored.payload), head.hash, hash],
  );
  return { sequence, hash };
}

export async function* streamAudit(pool: Pool): AsyncGenerator<AuditEntry> {
  let after = 0;
  for (;;) {
    const rows = await query<AuditRow>(pool, `SELECT * FROM auditoria WHERE sequencia > $1 ORDER BY sequencia LIMIT ${BATCH}`, [after]);
    for (const row of rows) {
      yield {
        sequence: row.sequencia,
        event: row.evento,
        project: row.projeto,
        stage: row.etapa,
        run: row.execucao,
        actor: row.ator,
        at: iso(row.em),
        payload: row.dados,
        previousHash: row.anterior,
        hash: row.resumo,
      };
    }
    if (rows.length < BATCH) return;
    after = rows.at(-1)?.sequencia ?? after;
  }
}
