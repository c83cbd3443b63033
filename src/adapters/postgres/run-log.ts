/** The run log on PostgreSQL: the embedded default, where no MongoDB is configured. */
import type { Pool } from "pg";
import type { LogLine } from "../../domain/run.ts";
import type { RunLog } from "../../ports/run-log.ts";
import { query } from "./pool.ts";
import { iso, storable } from "./values.ts";

interface LogRow {
  readonly sequencia: number;
  readonly em: Date;
  readonly nivel: LogLine["level"];
  readonly mensagem: string;
}

const INSERT = `
  INSERT INTO logs (execucao, sequencia, em, nivel, mensagem)
  SELECT * FROM unnest($1::text[], $2::int[], $3::timestamptz[], $4::text[], $5::text[])
  ON CONFLICT DO NOTHING`;

export function openRunLog(pool: Pool): RunLog {
  return {
    async append(lines) {
      if (lines.length === 0) return;
      await query(pool, INSERT, [
        lines.map((line) => line.run),
        lines.map((line) => line.sequence),
        lines.map((line) => line.at),
        lines.map((line) => line.level),
        lines.map((line) => storable(line.message)),
      ]);
    },
    async read(run, after, limit) {
      const rows = await query<LogRow>(
        pool,
        "SELECT sequencia, em, nivel, mensagem FROM logs WHERE execucao = $1 AND sequencia > $2 ORDER BY sequencia LIMIT $3",
        [run, after, limit],
      );
      return rows.map((row) => ({ run, sequence: row.sequencia, at: iso(row.em), level: row.nivel, message: row.mensagem }));
    },
    async lastSequence(run) {
      const [row] = await query<{ readonly last: number | null }>(pool, "SELECT max(sequencia) AS last FROM logs WHERE execucao = $1", [run]);
      return row?.last ?? 0;
    },
  };
}
