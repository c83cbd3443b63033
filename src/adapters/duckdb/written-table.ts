/** Writing a table so that its bytes depend on nothing but its rows. */
import type { WrittenTable } from "../../ports/engine.ts";
import type { Session } from "./session.ts";
import { literal } from "./sql.ts";

/** Rows of a row group. DuckDB's own default, written out because it is part of the bytes. */
const ROW_GROUP_ROWS = 122_880;

const FINAL = `(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, ROW_GROUP_SIZE ${ROW_GROUP_ROWS}, PARQUET_VERSION v1)`;
const TEMPORARY = `(FORMAT parquet, COMPRESSION lz4_raw, ROW_GROUP_SIZE ${ROW_GROUP_ROWS})`;

/**
 * Writes a query's rows, in its order, as the final Parquet file. Two things keep the bytes from depending on how the rows came:
 * one thread, because several cut row groups as they happen to finish (seen with every filter); and a detour through a materialized
 * table, which hands the rows on in full vectors, so that every row group but the last has exactly {@link ROW_GROUP_ROWS}.
 */
export async function writeTable(session: Session, query: string, file: string): Promise<WrittenTable> {
  await session.runAlone(`COPY (WITH "_rows" AS MATERIALIZED (${query}\n) FROM "_rows") TO ${literal(file)} ${FINAL}`);
  return describeTable(session, file);
}

/** Writes a query's rows, in its order, on all threads, for this session only: row groups may fall anywhere. */
export async function writeTemporary(session: Session, query: string, file: string): Promise<void> {
  await session.run(`COPY (${query}\n) TO ${literal(file)} ${TEMPORARY}`);
}

export async function describeTable(session: Session, file: string): Promise<WrittenTable> {
  const columns = await columnsOf(session, `SELECT * FROM read_parquet(${literal(file)})`);
  const [counted] = await session.rows<{ rows: bigint }>(`SELECT num_rows::BIGINT AS rows FROM parquet_file_metadata(${literal(file)})`);
  return { file, rows: Number(counted?.rows ?? 0n), columns };
}

export async function columnsOf(session: Session, query: string): Promise<{ name: string; type: string }[]> {
  const described = await session.rows<{ column_name: string; column_type: string }>(`DESCRIBE ${query}`);
  return described.map(({ column_name, column_type }) => ({ name: column_name, type: column_type }));
}
