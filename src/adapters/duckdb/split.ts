/** Cutting a table into train, validation and test so that the same row is in the same part on every machine. */
import { join } from "node:path";
import { EdaError } from "../../domain/errors.ts";
import { nearest } from "../../domain/nearest.ts";
import type { DatasetSpec } from "../../domain/project.ts";
import type { EngineContext, SplitName, SplitRequest, WrittenTable } from "../../ports/engine.ts";
import type { Session } from "./session.ts";
import { identifier, literal } from "./sql.ts";
import { columnsOf, writeTable, writeTemporary } from "./written-table.ts";

const SPLITS: readonly SplitName[] = ["train", "validation", "test"];

/** Bits of the hash that decide: what a double holds exactly, so that any language can repeat it. */
const HASH_BITS = 52;

/**
 * The hash is specified, not DuckDB's: `int(md5(seed ␟ key₁ ␟ key₂ …)[:13], 16) / 2^52`, over UTF-8 and with U+001F between; numbers in
 * their shortest decimal form, dates and times as ISO 8601 with a space. Below `train` is train, below `train + validation` is
 * validation, else test.
 */
export async function split(
  { dataset, input }: SplitRequest,
  session: Session,
  context: EngineContext,
): Promise<Record<SplitName, WrittenTable>> {
  const relation = `read_parquet(${literal(input)}, file_row_number = true)`;
  const columns = await columnsOf(session, `SELECT * FROM read_parquet(${literal(input)})`);
  assertColumns(
    dataset,
    columns.map(({ name }) => name),
  );
  await assertKeys(dataset, relation, session);
  const assigned = join(context.workDir, "assigned.parquet");
  const kept = (dataset.columns ?? columns.map(({ name }) => name)).map(identifier).join(", ");
  if (dataset.stratify === undefined) {
    await writeTemporary(session, `SELECT ${kept}, ${splitSql(dataset, columns)} AS "_split" FROM ${relation}`, assigned);
  } else {
    const ranked = join(context.workDir, "ranked.parquet");
    await writeTemporary(session, rankedSql(dataset, relation), ranked);
    const query = `SELECT ${kept}, "_split" FROM ${relation} AS source JOIN read_parquet(${literal(ranked)}) AS ranked USING (file_row_number) ORDER BY file_row_number`;
    await writeTemporary(session, query, assigned);
  }
  const written: Partial<Record<SplitName, WrittenTable>> = {};
  for (const [index, name] of SPLITS.entries()) {
    const query = `SELECT ${kept} FROM read_parquet(${literal(assigned)}) WHERE "_split" = ${index}`;
    const table = await writeTable(session, query, join(context.workDir, `${name}.parquet`));
    context.onRows?.(table.rows);
    written[name] = table;
  }
  return written as Record<SplitName, WrittenTable>;
}

function hashText(dataset: DatasetSpec, columns: readonly string[]): string {
  return `md5(concat_ws(chr(31), ${[`'${dataset.seed}'`, ...columns.map((name) => `CAST(${identifier(name)} AS VARCHAR)`)].join(", ")}))`;
}

/** 0, 1 or 2 for each row, from its hash or its time. */
function splitSql(dataset: DatasetSpec, columns: readonly { readonly name: string; readonly type: string }[]): string {
  if (dataset.time !== undefined) {
    const { column, validationFrom, testFrom } = dataset.time;
    const type = columns.find(({ name }) => name === column)?.type ?? "VARCHAR";
    const from = (moment: string) => `CAST(${literal(moment)} AS ${type})`;
    return `CASE WHEN ${identifier(column)} < ${from(validationFrom)} THEN 0 WHEN ${identifier(column)} < ${from(testFrom)} THEN 1 ELSE 2 END`;
  }
  const { train, validation } = cutsOf(dataset);
  const number = `CAST('0x' || substr(${hashText(dataset, dataset.group === undefined ? dataset.key : [dataset.group])}, 1, ${HASH_BITS / 4}) AS BIGINT)`;
  const cut = (share: number) => String(BigInt(Math.round(share * 2 ** HASH_BITS)));
  return `CASE WHEN ${number} < ${cut(train)} THEN 0 WHEN ${number} < ${cut(validation)} THEN 1 ELSE 2 END`;
}

/** Rows of each stratum in the order of their hash, cut by rank: the shares are exact to the row. */
function rankedSql(dataset: DatasetSpec, relation: string): string {
  const { train, validation } = cutsOf(dataset);
  const stratum = identifier(dataset.stratify as string);
  const place = `row_number() OVER (PARTITION BY ${stratum} ORDER BY ${hashText(dataset, dataset.key)}, file_row_number)`;
  const size = `count(*) OVER (PARTITION BY ${stratum})`;
  return (
    `SELECT file_row_number, CASE WHEN place <= round(size * ${train}::DOUBLE) THEN 0 WHEN place <= round(size * ${validation}::DOUBLE) THEN 1 ELSE 2 END AS "_split" ` +
    `FROM (SELECT file_row_number, ${place} AS place, ${size} AS size FROM ${relation})`
  );
}

/** Where train and validation end, as shares of the whole. Without a test part nothing may fall through by rounding. */
function cutsOf({ splits }: DatasetSpec): { readonly train: number; readonly validation: number } {
  return { train: splits.train, validation: splits.test === 0 ? 1 : splits.train + splits.validation };
}

function assertColumns(dataset: DatasetSpec, known: readonly string[]): void {
  const used = [...dataset.key, dataset.stratify, dataset.group, dataset.time?.column, ...(dataset.columns ?? [])];
  const missing = used.find((name) => name !== undefined && !known.includes(name));
  if (missing === undefined) return;
  const near = nearest(missing, known);
  throw new EdaError(
    "terminal",
    "missing-column",
    `Dataset "${dataset.name}" uses "${missing}", which table "${dataset.from}" does not have.`,
    {
      todo: `${near === undefined ? `It has: ${known.join(", ")}.` : `Did you mean "${near}"?`} Correct the dataset in the project file, or the table's SELECT.`,
    },
  );
}

/** @throws EdaError `terminal` `split-key-null`, `split-key-not-unique`: with either, a row could be in two parts */
async function assertKeys(dataset: DatasetSpec, relation: string, session: Session): Promise<void> {
  const present = [
    ...new Set([
      ...dataset.key,
      ...(dataset.group === undefined ? [] : [dataset.group]),
      ...(dataset.time === undefined ? [] : [dataset.time.column]),
    ]),
  ];
  const nulls = await session.rows<Record<string, bigint>>(
    `SELECT ${present.map((name) => `count(*) FILTER (WHERE ${identifier(name)} IS NULL) AS ${identifier(name)}`).join(", ")} FROM ${relation}`,
  );
  const empty = Object.entries(nulls[0] ?? {}).filter(([, rows]) => rows > 0n);
  if (empty.length > 0) {
    const named = empty.map(([name, rows]) => `"${name}" is null in ${rows} row(s)`).join(", ");
    throw new EdaError("terminal", "split-key-null", `Dataset "${dataset.name}" cannot be split: ${named}.`, {
      todo: "Leave these rows out in the table's SELECT, or choose other columns.",
    });
  }
  const key = dataset.key.map(identifier).join(", ");
  const repeated = `SELECT ${key}, count(*) AS "_rows" FROM ${relation} GROUP BY ${key} HAVING count(*) > 1`;
  const [counted] = await session.rows<{ keys: bigint }>(`SELECT count(*) AS keys FROM (${repeated})`);
  if ((counted?.keys ?? 0n) === 0n) return;
  const [example] = await session.rows<Record<string, unknown>>(
    `SELECT ${dataset.key.map((name) => `CAST(${identifier(name)} AS VARCHAR) AS ${identifier(name)}`).join(", ")}, "_rows" FROM (${repeated}) ORDER BY ALL LIMIT 1`,
  );
  const shown = dataset.key.map((name) => `${name} = ${example?.[name]}`).join(", ");
  throw new EdaError(
    "terminal",
    "split-key-not-unique",
    `Dataset "${dataset.name}": the key (${dataset.key.join(", ")}) does not identify rows: ${counted?.keys} value(s) occur more than once, e.g. ${shown} in ${example?._rows} rows.`,
    { todo: "Add columns to the key, or remove the duplicates in the table's SELECT." },
  );
}
