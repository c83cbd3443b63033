/** Reading and writing tables in tests, by DuckDB itself. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { DuckDBInstance } from "@duckdb/node-api";

/** Rows of a query as plain JSON values (dates and big numbers as text). */
export async function query(sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJson() as Record<string, unknown>[];
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

export function rowsOf(file: string): Promise<Record<string, unknown>[]> {
  return query(`SELECT * FROM read_parquet('${file}')`);
}

/** Writes a query's rows as Parquet. */
export async function writeParquet(file: string, sql: string): Promise<string> {
  await query(`COPY (${sql}) TO '${file}' (FORMAT parquet)`);
  return file;
}

export async function sha256Of(file: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(file))
    .digest("hex");
}
