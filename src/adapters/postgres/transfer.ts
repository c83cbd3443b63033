/**
 * Moving everything governed from one database to another, in one transaction of the target: all of it is there, with the audit entry that
 * says so, or none. Values cross as text, so that a document or a time is to the byte what it was, and what was hashed stays verifiable.
 */
import pg, { type Pool } from "pg";
import type { AuditContent, AuditHead } from "../../domain/audit.ts";
import { EdaError, throwIfAborted } from "../../domain/errors.ts";
import { appendEntry } from "./audit.ts";
import { batchesOf } from "./bulk.ts";
import { openDatabase, type Database, type Queryable, type SqlRow } from "./database.ts";
import { lock } from "./locks.ts";

/** What a database holds of its own: its migrations, and where moved object versions lie. Both may be there before anything is moved. */
const OWN_TABLES = ["migracoes", "versoes_migradas"];

export interface TransferOptions {
  readonly source: Pool;
  readonly target: Pool;
  /** Tables that stay behind. */
  readonly except: readonly string[];
  /** Becomes the last one of the moved chain. */
  readonly entry: AuditContent;
  readonly signal: AbortSignal;
  /** Rows copied so far, of all, and the table at work. */
  readonly onRows: (done: number, total: number, table: string) => void;
}

/** Tables with rows, and how many; without those that a database has of its own. */
export async function filledTables(pool: Pool): Promise<Readonly<Record<string, number>>> {
  const database = openDatabase(pool);
  const filled: [string, number][] = [];
  for (const table of await tablesOf(database)) {
    const rows = OWN_TABLES.includes(table) ? 0 : await countOf(database, table);
    if (rows > 0) filled.push([table, rows]);
  }
  return Object.fromEntries(filled);
}

/**
 * Both databases have all migrations. The target's tables are empty but for moved object versions.
 * @returns the head after the entry
 * @throws EdaError `terminal` `copy-differs` when a table does not come out as it was; nothing has changed then
 */
export async function transferDatabase(options: TransferOptions): Promise<AuditHead> {
  const { except, entry, signal, onRows } = options;
  const source = openDatabase(options.source);
  const filled = await filledTables(options.source);
  const tables = Object.keys(filled).filter((table) => !except.includes(table));
  const total = tables.reduce((sum, table) => sum + (filled[table] as number), 0);
  // Numbering new rows after the copied ones is the owner's right.
  return openDatabase(options.target).asOwner(async (target) => {
    let done = 0;
    await lock(target, "audit");
    for (const table of tables) {
      await copyTable(source, target, table, signal, (count) => {
        done += count;
        onRows(done, total, table);
      });
    }
    await copyTable(source, target, "versoes_migradas", signal, () => undefined, "ON CONFLICT DO NOTHING");
    return appendEntry(target, entry);
  });
}

async function copyTable(
  source: Database,
  target: Queryable,
  table: string,
  signal: AbortSignal,
  onRows: (count: number) => void,
  conflict = "",
): Promise<void> {
  const columns = await columnsOf(source, table);
  const names = columns.map(({ name }) => quoted(name));
  const read = `SELECT ${names.map((name) => `${name}::text AS ${name}`).join(", ")} FROM ${quoted(table)}`;
  const values = columns.map(({ type }, index) => `v.c${index}::${type}`).join(", ");
  const arrays = columns.map((_, index) => `$${index + 1}::text[]`).join(", ");
  const write = `INSERT INTO ${quoted(table)} (${names.join(", ")}) OVERRIDING SYSTEM VALUE
    SELECT ${values} FROM unnest(${arrays}) AS v (${columns.map((_, index) => `c${index}`).join(", ")}) ${conflict}`;
  for await (const batch of batchesOf(source.stream(read))) {
    throwIfAborted(signal);
    await target.query(
      write,
      columns.map(({ name }) => batch.map((row) => row[name])),
    );
    onRows(batch.length);
  }
  if (conflict === "") await assertSame(source, target, table);
  for (const { name, isIdentity } of columns) if (isIdentity) await continueIdentity(target, table, name);
}

/** Rows and their content, whatever their order. */
async function assertSame(source: Queryable, target: Queryable, table: string): Promise<void> {
  const sql = `SELECT count(*) AS rows, coalesce(sum(('x' || substr(md5(t::text), 1, 15))::bit(60)::bigint), 0)::text AS digest FROM ${quoted(table)} AS t`;
  const [[before], [after]] = [await source.query(sql), await target.query(sql)];
  if (JSON.stringify(before) === JSON.stringify(after)) return;
  throw new EdaError("terminal", "copy-differs", `Table ${table} did not come out as it was: ${after?.rows} rows of ${before?.rows}.`, {
    todo: "Nothing was changed. See that both servers keep text as UTF-8, then run eda migrate-stores again.",
  });
}

/** New rows go on after the copied ones. */
async function continueIdentity(target: Queryable, table: string, column: string): Promise<void> {
  await target.query(
    `SELECT setval(pg_get_serial_sequence($1, $2), greatest(max(${quoted(column)}), 1), max(${quoted(column)}) IS NOT NULL) FROM ${quoted(table)}`,
    [table, column],
  );
}

interface ColumnFacts extends SqlRow {
  readonly name: string;
  readonly type: string;
  readonly isIdentity: boolean;
}

function columnsOf(database: Queryable, table: string): Promise<readonly ColumnFacts[]> {
  return database.query<ColumnFacts>(
    `SELECT attname AS name, format_type(atttypid, atttypmod) AS type, attidentity <> '' AS "isIdentity" FROM pg_attribute
     WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum`,
    [quoted(table)],
  );
}

async function tablesOf(database: Queryable): Promise<readonly string[]> {
  const rows = await database.query<{ name: string }>(
    "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY relname",
  );
  return rows.map(({ name }) => name);
}

async function countOf(database: Queryable, table: string): Promise<number> {
  const [found] = await database.query<{ rows: number }>(`SELECT count(*) AS rows FROM ${quoted(table)}`);
  return found?.rows ?? 0;
}

function quoted(name: string): string {
  return pg.escapeIdentifier(name);
}
