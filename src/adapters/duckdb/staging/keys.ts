/** Constraints that need more than one row: references, uniqueness. Each rejects rows of the view `valid` into `rejects`. */
import { EdaError } from "../../../domain/errors.ts";
import { nearest } from "../../../domain/nearest.ts";
import type { StagingTable } from "../../../domain/project.ts";
import type { Session } from "../session.ts";
import { identifier, literal } from "../sql.ts";
import { columnsOf } from "../written-table.ts";

type ForeignKey = NonNullable<StagingTable["schema"]["foreignKeys"]>[number];

/**
 * References first, so that a row that dangles never takes the place of a good one with the same key; then uniqueness, where the
 * first row in order stays; last the references of the table to itself, until none dangles.
 * @returns the number of rows rejected
 */
export async function rejectByKeys(table: StagingTable, references: Readonly<Record<string, string>>, session: Session): Promise<number> {
  const { fields, primaryKey, foreignKeys = [] } = table.schema;
  const typed = (name: string) => `v${fields.findIndex((field) => field.name === name)}`;
  let rejected = 0;
  for (const key of foreignKeys.filter(({ reference }) => reference.table !== table.name)) {
    rejected += await rejectDangling(key, typed, await referredSql(key, references, session), session);
  }
  if (primaryKey !== undefined) {
    for (const name of primaryKey)
      rejected += await reject(`SELECT id, ${literal(`${name}: required`)} FROM valid WHERE ${typed(name)} IS NULL`, session);
    rejected += await rejectRepeated(primaryKey.map(typed), `${primaryKey.join(", ")}: primaryKey`, session);
  }
  for (const { name, constraints } of fields) {
    if (constraints?.unique === true) rejected += await rejectRepeated([typed(name)], `${name}: unique`, session);
  }
  for (const key of foreignKeys.filter(({ reference }) => reference.table === table.name)) {
    const own = `(SELECT ${key.reference.fields.map((name, at) => `${typed(name)} AS r${at}`).join(", ")} FROM valid)`;
    for (let found = -1; found !== 0; rejected += found) found = await rejectDangling(key, typed, own, session);
  }
  return rejected;
}

function rejectRepeated(columns: readonly string[], reason: string, session: Session): Promise<number> {
  const present = columns.map((column) => `${column} IS NOT NULL`).join(" AND ");
  const repeated = `SELECT ${columns.join(", ")}, min(id) AS first FROM valid WHERE ${present} GROUP BY ${columns.join(", ")} HAVING count(*) > 1`;
  return reject(`SELECT id, ${literal(reason)} FROM valid JOIN (${repeated}) USING (${columns.join(", ")}) WHERE id > first`, session);
}

/** @param referred subquery with the columns r0, r1, … */
function rejectDangling(key: ForeignKey, typed: (name: string) => string, referred: string, session: Session): Promise<number> {
  const present = key.fields.map((name) => `${typed(name)} IS NOT NULL`).join(" AND ");
  const equal = key.fields.map((name, at) => `CAST(${typed(name)} AS VARCHAR) = CAST(r${at} AS VARCHAR)`).join(" AND ");
  const reason = `${key.fields.join(", ")}: foreignKey ${key.reference.table}`;
  return reject(
    `SELECT id, ${literal(reason)} FROM valid WHERE ${present} AND NOT EXISTS (SELECT 1 FROM ${referred} WHERE ${equal})`,
    session,
  );
}

async function referredSql(key: ForeignKey, references: Readonly<Record<string, string>>, session: Session): Promise<string> {
  const { table, fields } = key.reference;
  const file = references[table];
  if (file === undefined) throw new TypeError(`no file for the referenced table ${table}`);
  const relation = `read_parquet(${literal(file)})`;
  const known = (await columnsOf(session, `SELECT * FROM ${relation}`)).map(({ name }) => name);
  const missing = fields.find((name) => !known.includes(name));
  if (missing !== undefined) {
    const near = nearest(missing, known);
    throw new EdaError("precondition", "missing-column", `A foreign key refers to "${missing}", which table "${table}" does not have.`, {
      todo: `${near === undefined ? "" : `Did you mean "${near}"? `}Correct foreignKeys in the project file.`,
    });
  }
  return `(SELECT DISTINCT ${fields.map((name, at) => `${identifier(name)} AS r${at}`).join(", ")} FROM ${relation})`;
}

/** @returns the number of rows rejected */
async function reject(query: string, session: Session): Promise<number> {
  const [before] = await session.rows<{ rows: bigint }>("SELECT count(*) AS rows FROM rejects");
  await session.run(`INSERT INTO rejects SELECT * FROM (${query})`);
  const [after] = await session.rows<{ rows: bigint }>("SELECT count(*) AS rows FROM rejects");
  return Number((after?.rows ?? 0n) - (before?.rows ?? 0n));
}
