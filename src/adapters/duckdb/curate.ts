/** Running a person's SELECT where it can read its inputs and nothing else. */
import { join } from "node:path";
import { EdaError } from "../../domain/errors.ts";
import { nearest } from "../../domain/nearest.ts";
import type { CurateRequest, EngineContext, WrittenTable } from "../../ports/engine.ts";
import { sqlError } from "./failure.ts";
import { inspectSelect } from "./select/inspect.ts";
import { totallyOrdered, withoutEnd } from "./select/total-order.ts";
import { confine, type Session } from "./session.ts";
import { identifier, literal } from "./sql.ts";
import { columnsOf, writeTable } from "./written-table.ts";

/**
 * The session must have one thread: with several, sums and averages of floating-point numbers add in an order that changes from run
 * to run, and so do first(), list() and row_number() among ties.
 */
export async function curate(request: CurateRequest, session: Session, context: EngineContext): Promise<WrittenTable> {
  const { sql, path, inputs, outputName } = request;
  const { node, reads } = await inspectSelect(sql, path, session);
  for (const name of reads) assertKnown(name, Object.keys(inputs), path);
  for (const [name, file] of Object.entries(inputs)) {
    await session.run(`CREATE VIEW ${identifier(name)} AS SELECT * FROM read_parquet(${literal(file)})`);
  }
  await confine(session, Object.values(inputs), context.workDir);
  try {
    await session.connection.prepare(sql);
    const columns = (await columnsOf(session, withoutEnd(sql))).map(({ name }) => name);
    assertNamedOnce(columns, path);
    return await writeTable(session, await totallyOrdered(node, sql, columns, session), join(context.workDir, `${outputName}.parquet`));
  } catch (error) {
    throw sqlError(error, path);
  }
}

function assertKnown(name: string, known: readonly string[], path: string): void {
  if (known.includes(name)) return;
  const near = nearest(name, known);
  throw new EdaError("terminal", "sql-error", `${path} reads "${name}", which is not a table.`, {
    todo: `${near === undefined ? "" : `Did you mean ${near}? `}Tables: ${known.join(", ")}.`,
    at: { file: path },
  });
}

function assertNamedOnce(columns: readonly string[], path: string): void {
  const lower = columns.map((name) => name.toLowerCase());
  const twice = columns.find((_, at) => lower.indexOf(lower[at] as string) !== at);
  if (twice === undefined) return;
  throw new EdaError("terminal", "sql-error", `${path}: two columns are called "${twice}".`, {
    todo: "Name one of them with AS.",
    at: { file: path },
  });
}
