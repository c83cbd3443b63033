/**
 * From raw files to one typed table. Every row is checked once, on all threads, into temporary files that keep the order; then the
 * rows without a reason against them are written as the table, the others as the quarantine.
 */
import { join } from "node:path";
import { EdaError } from "../../../domain/errors.ts";
import type { StagingTable } from "../../../domain/project.ts";
import type { EngineContext, StageTableRequest, StageTableResult } from "../../../ports/engine.ts";
import { reasonOf } from "../failure.ts";
import type { Session } from "../session.ts";
import { files, identifier, list, literal } from "../sql.ts";
import { describeTable, writeTable, writeTemporary } from "../written-table.ts";
import { checksOf, cleanedSql, type FieldInput, SQL_TYPES, typedSql } from "./field-sql.ts";
import { rejectByKeys } from "./keys.ts";
import { locateRejects, ROW_BITS, writeQuarantine } from "./quarantine.ts";
import { openSource, reading, type Source } from "./source.ts";

export async function stageTable(
  { table, files: raw, references }: StageTableRequest,
  session: Session,
  context: EngineContext,
): Promise<StageTableResult> {
  await assertSchema(table, session);
  const sources: Source[] = [];
  const checked: string[] = [];
  for (const [index, { name, file }] of raw.entries()) {
    const source = await openSource(table, { index, name, file }, session, context);
    const target = join(context.workDir, `checked-${index}.parquet`);
    await reading(name, () => writeTemporary(session, checkedSql(table, source), target));
    context.onRows?.((await describeTable(session, target)).rows);
    sources.push(source);
    checked.push(target);
  }
  await collectRejects(table, checked, session);
  const rejectedByKeys = await rejectByKeys(table, references, session);
  await locateRejects(sources, session, context);
  const typed = table.schema.fields.map((field, position) => `v${position} AS ${identifier(field.name)}`);
  // A plain scan keeps its order by itself and needs no memory; the join behind `valid` may not.
  const good = rejectedByKeys > 0 ? "valid ORDER BY id" : "checked WHERE reasons IS NULL";
  const data = await writeTable(session, `SELECT ${typed.join(", ")} FROM ${good}`, join(context.workDir, "data.parquet"));
  const quarantine = await writeQuarantine(table, sources, session, join(context.workDir, "quarantine.parquet"));
  return { data, quarantine, rejected: quarantine?.rows ?? 0, reasons: await countReasons(session) };
}

/** Texts of the source (t…), typed values (v…) and the list of reasons, null for a good row. */
function checkedSql(table: StagingTable, source: Source): string {
  const rules = table.clean ?? [];
  const { inputs, relation, malformed } = source;
  const keepsTexts = table.format !== "parquet";
  const texts = inputs.map((input, at) => `${input.source} AS t${at}`);
  const cleaned = inputs.map((input, at) => `${cleanedSql(input, rules, table.schema)} AS c${at}`);
  const typed = inputs.map((input, at) => `${typedSql(input, `c${at}`, rules)} AS v${at}`);
  const checks = inputs.flatMap((input, at) => checksOf(input, `c${at}`, `v${at}`));
  const reasons = list(checks.map(({ broken, reason }) => `CASE WHEN ${broken} THEN ${literal(reason)} END`));
  const cases = [
    ...(malformed === null ? [] : [`WHEN malformed THEN ['malformed: not a JSON object']`]),
    `WHEN ${checks.map(({ broken }) => `(${broken})`).join(" OR ")} THEN list_filter(${reasons}, lambda reason: reason IS NOT NULL)`,
  ];
  const kept = inputs.flatMap((_, at) => (keepsTexts ? [`t${at}`, `v${at}`] : [`v${at}`]));
  const inner = [...(keepsTexts ? texts : []), ...cleaned, ...(malformed === null ? [] : [`${malformed} AS malformed`])];
  return (
    `SELECT ${kept.join(", ")}, CASE ${cases.join(" ")} END AS reasons ` +
    `FROM (SELECT *, ${typed.join(", ")} FROM (SELECT ${inner.join(", ")} FROM ${relation}))`
  );
}

/** Views `checked` (every row, with its id in order) and `valid`, table `rejects` (one row a reason). */
async function collectRejects(table: StagingTable, checked: readonly string[], session: Session): Promise<void> {
  const columns = table.schema.fields.map((field, at) => `CAST(NULL AS ${SQL_TYPES[field.type]}) AS v${at}`);
  const rows =
    checked.length === 0
      ? `SELECT 0::BIGINT AS id, ${columns.join(", ")}, CAST(NULL AS VARCHAR[]) AS reasons WHERE false`
      : `SELECT (file_index::BIGINT << ${ROW_BITS}) + file_row_number AS id, * FROM read_parquet(${files(checked)}, file_row_number = true)`;
  await session.run(`CREATE VIEW checked AS ${rows}`);
  await session.run("CREATE TABLE rejects (id BIGINT, reason VARCHAR)");
  await session.run("INSERT INTO rejects SELECT id, unnest(reasons) FROM checked WHERE reasons IS NOT NULL");
  await session.run("CREATE VIEW valid AS SELECT * FROM checked ANTI JOIN rejects USING (id) WHERE reasons IS NULL");
}

async function countReasons(session: Session): Promise<Record<string, number>> {
  const counted = await session.rows<{ reason: string; rows: bigint }>(
    "SELECT reason, count(*) AS rows FROM (SELECT reason FROM rejects UNION ALL SELECT reason FROM malformed) GROUP BY reason ORDER BY reason",
  );
  return Object.fromEntries(counted.map(({ reason, rows }) => [reason, Number(rows)]));
}

/**
 * Tries every field on one made-up row: a date format, pattern or limit that can never work is found before the data is read.
 * @throws EdaError `precondition` `invalid-schema`
 */
async function assertSchema(table: StagingTable, session: Session): Promise<void> {
  for (const field of table.schema.fields) {
    const input: FieldInput = { field, source: "x", sourceType: "VARCHAR" };
    const rules = table.clean ?? [];
    const checks = checksOf(input, "c", "v").map(({ broken }) => broken);
    const trial =
      `SELECT ${checks.join(", ")} FROM (SELECT c, ${typedSql(input, "c", rules)} AS v ` +
      `FROM (SELECT ${cleanedSql(input, rules, table.schema)} AS c FROM (SELECT 'a' AS x)))`;
    await session.rows(trial).catch((error: unknown) => {
      if (error instanceof EdaError) throw error;
      throw new EdaError(
        "precondition",
        "invalid-schema",
        `Field "${field.name}" of table "${table.name}" cannot work: ${reasonOf(error)}.`,
        {
          todo: "Correct its format, clean rules or constraints in the project file.",
          cause: error,
        },
      );
    });
  }
}
