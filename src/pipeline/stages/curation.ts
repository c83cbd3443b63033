/** Stage 4: the project's SELECT files over staging and curated tables, in the order that what they read imposes. */
import { basename } from "node:path";
import { objectUri } from "../../domain/asset.ts";
import { EdaError, type Finding } from "../../domain/errors.ts";
import { sha256Hex } from "../../domain/json.ts";
import { nearest } from "../../domain/nearest.ts";
import { dependencyOrder } from "../dependency-order.ts";
import type { StageContext, StageDefinition, Unit } from "../stage-definition.ts";
import {
  codeFileUri,
  columnDetails,
  currentTables,
  edgesBetween,
  engineContext,
  inputAsset,
  madeEarlier,
  materialize,
  namesNoLongerMade,
  PARQUET,
  storeTable,
  type UnitInput,
  unitInput,
  upstreamMissing,
} from "../tables.ts";

interface Query {
  /** The table it makes: the file's name. */
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
  readonly reads: readonly string[];
}

export const curationStage: StageDefinition = {
  id: "curation",

  async plan(context) {
    const staged = await currentTables("staging", context);
    if (staged.length === 0) throw upstreamMissing(context);
    const tables = new Map(staged.map((row) => [row.name, unitInput(row)]));
    const queries = await queriesOf(context);
    refuseTakenNames(queries, tables);
    refuseUnknownTables(queries, [...tables.keys()]);
    const used = new Set(queries.flatMap(({ reads }) => reads));
    return {
      inputs: [...tables.values()].filter(({ name }) => used.has(name)).map(inputAsset),
      code: queries.map(({ path, sha256 }) => ({ path, sha256 })),
      config: {},
      units: inReadingOrder(queries).map(
        ({ name, path, reads }): Unit => ({
          id: name,
          label: path,
          data: {
            path,
            staged: reads.filter((read) => tables.has(read)).map((read) => ({ ...(tables.get(read) as UnitInput) })),
            curated: reads.filter((read) => !tables.has(read)),
          },
        }),
      ),
    };
  },

  async execute(unit, earlier, context) {
    const path = unit.data.path as string;
    const staged = unit.data.staged as unknown as UnitInput[];
    const curated = (unit.data.curated as string[]).map((name) => madeEarlier(name, earlier));
    const read = [...staged, ...curated];
    const inputs: Record<string, string> = {};
    for (const input of read) inputs[input.name] = await materialize(input, context);
    const sql = await context.readCode(path);
    const made = await context.services.engine.curate(
      { sql, path, inputs, outputName: unit.id },
      await engineContext(`rows of ${unit.id}`, 0, context),
    );
    const { row, written } = await storeTable(
      {
        bucket: "curated-data",
        inventory: "curated",
        name: unit.id,
        path: `${unit.id}.parquet`,
        role: "data",
        mediaType: PARQUET,
        file: made.file,
        rows: made.rows,
        details: { colunas: columnDetails(made), consulta: path, le: read.map(({ name }) => name) },
      },
      context,
    );
    if (made.rows === 0) context.log("warn", `${unit.id}: the query gives no row`);
    return {
      written,
      rows: [row],
      edges: edgesBetween([...read.map(objectUri), await codeFileUri(path, context)], [objectUri(row)]),
      details: { tables: { [unit.id]: { rows: made.rows, reads: read.map(({ name }) => name) } } },
    };
  },

  retired: (results, context) => namesNoLongerMade("curated", results, context),
};

async function queriesOf(context: StageContext): Promise<Query[]> {
  const folder = `sql/${context.request.project}/curated`;
  const paths = (await context.listCode(folder)).filter((path) => path.endsWith(".sql"));
  if (paths.length === 0) {
    throw new EdaError("precondition", "stage-not-configured", `There is no query in ${folder}.`, {
      todo: `Write one SELECT a file there: ${folder}/name.sql makes the curated table "name".`,
    });
  }
  const queries: Query[] = [];
  for (const path of paths) {
    const name = basename(path, ".sql");
    if (!/^[a-z][a-z0-9_]{0,62}$/u.test(name) || path !== `${folder}/${name}.sql`) {
      throw new EdaError("precondition", "invalid-table-name", `${path} cannot name a table.`, {
        todo: `Put it directly into ${folder}, under a name of lower-case letters, digits and '_', starting with a letter.`,
        at: { file: path },
      });
    }
    const sql = await context.readCode(path);
    const { reads } = await context.services.engine.inspectSelect(sql, path);
    queries.push({ name, path, sha256: sha256Hex(sql), reads });
  }
  return queries;
}

function refuseTakenNames(queries: readonly Query[], tables: ReadonlyMap<string, UnitInput>): void {
  const taken = queries.find(({ name }) => tables.has(name));
  if (taken === undefined) return;
  throw new EdaError("precondition", "duplicate-table", `${taken.path} makes "${taken.name}", which is a staging table already.`, {
    todo: "Rename the file: a name must mean one table.",
    at: { file: taken.path },
  });
}

function refuseUnknownTables(queries: readonly Query[], staged: readonly string[]): void {
  const known = [...staged, ...queries.map(({ name }) => name)];
  const findings = queries.flatMap(({ path, reads }) =>
    reads
      .filter((read) => !known.includes(read))
      .map((read): Finding => {
        const near = nearest(read, known);
        return {
          message: `${path} reads "${read}", which is not a table.${near === undefined ? "" : ` Did you mean ${near}?`}`,
          at: { file: path },
        };
      }),
  );
  const [first] = findings;
  if (first === undefined) return;
  throw new EdaError("terminal", "unknown-table", first.message, {
    todo: `Correct the query, or declare the table. Tables: ${known.join(", ")}.`,
    ...(first.at === undefined ? {} : { at: first.at }),
    findings,
  });
}

function inReadingOrder(queries: readonly Query[]): Query[] {
  const byName = new Map(queries.map((query) => [query.name, query]));
  const found = dependencyOrder([...byName.keys()], (name) => byName.get(name)?.reads ?? []);
  if ("order" in found) return found.order.map((name) => byName.get(name) as Query);
  throw new EdaError("terminal", "sql-cycle", `Curated tables read each other in a circle: ${found.cycle.join(" → ")}.`, {
    todo: "Break the circle: move what both need into a table of its own.",
    at: { file: byName.get(found.cycle[0] as string)?.path as string },
  });
}
