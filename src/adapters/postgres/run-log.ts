/** The log of runs on table `logs`. */
import type { Pool } from "pg";
import type { LogLine } from "../../domain/run.ts";
import type { RunLog } from "../../ports/run-log.ts";
import { type Column, insertAll } from "./bulk.ts";
import { openDatabase, type SqlRow } from "./database.ts";
import type { PatienceOptions } from "./patience.ts";

const WRITTEN: readonly Column<LogLine>[] = [
  ["execucao", "text", (line) => line.run],
  ["sequencia", "bigint", (line) => line.sequence],
  ["em", "timestamptz", (line) => line.at],
  ["nivel", "text", (line) => line.level],
  // PostgreSQL text cannot hold U+0000, and output of a notebook may: its picture stands for it.
  ["mensagem", "text", (line) => line.message.replaceAll("\0", "␀")],
];

export function openRunLog(pool: Pool, options: PatienceOptions = {}): RunLog {
  const database = openDatabase(pool, options);
  return {
    append: (lines) => insertAll(database, "logs", WRITTEN, lines, { clause: "ON CONFLICT DO NOTHING" }),
    read: (run, after, limit) =>
      database.query<LogLine & SqlRow>(
        `SELECT execucao AS "run", sequencia AS "sequence", em AS "at", nivel AS "level", mensagem AS "message"
         FROM logs WHERE execucao = $1 AND sequencia > $2 ORDER BY sequencia LIMIT $3`,
        [run, after, limit],
      ),
    async lastSequence(run) {
      const [last] = await database.query<{ last: number }>("SELECT coalesce(max(sequencia), 0) AS last FROM logs WHERE execucao = $1", [
        run,
      ]);
      return last?.last ?? 0;
    },
  };
}
