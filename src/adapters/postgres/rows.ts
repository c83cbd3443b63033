/** The five inventories, one table each. */
import { parseAssetUri } from "../../domain/asset.ts";
import { type InventoryRow, rowDigest, type StoredInventoryRow } from "../../domain/inventory.ts";
import type { JsonObject } from "../../domain/json.ts";
import { INVENTORIES, INVENTORY_TABLES, type InventoryId } from "../../domain/stage.ts";
import type { Items, RowFilter } from "../../ports/inventory.ts";
import type { Page } from "../../ports/object-store.ts";
import { batchesOf, type Column, forEachBatch, inserting } from "./bulk.ts";
import { type Database, decodeCursor, encodeCursor, type Queryable, type SqlRow } from "./database.ts";

interface StoredRow extends SqlRow {
  readonly id: number;
  readonly projeto: string;
  readonly nome: string;
  readonly papel: InventoryRow["role"];
  readonly tipo_midia: string;
  readonly linhas: number | null;
  readonly apelido_de: string | null;
  readonly bucket: InventoryRow["bucket"];
  readonly chave: string;
  readonly versao_id: string;
  readonly tamanho: number;
  readonly md5: string;
  readonly sha256: string;
  readonly detalhes: JsonObject;
  readonly execucao: string;
  readonly commit_antes: string;
  readonly resumo: string;
  readonly vigente: boolean;
  readonly registrado_em: string;
}

const WRITTEN: readonly Column<InventoryRow>[] = [
  ["projeto", "text", (row) => row.project],
  ["nome", "text", (row) => row.name],
  ["papel", "text", (row) => row.role],
  ["tipo_midia", "text", (row) => row.mediaType],
  ["linhas", "bigint", (row) => row.rows],
  ["apelido_de", "text", (row) => row.aliasOf],
  ["bucket", "text", (row) => row.bucket],
  ["chave", "text", (row) => row.key],
  ["versao_id", "text", (row) => row.versionId],
  ["tamanho", "bigint", (row) => row.size],
  ["md5", "text", (row) => row.md5],
  ["sha256", "text", (row) => row.sha256],
  ["detalhes", "json", (row) => JSON.stringify(row.details)],
  ["execucao", "text", (row) => row.run],
  ["commit_antes", "text", (row) => row.commitBefore],
  ["resumo", "text", rowDigest],
];
const COLUMNS = ["id", ...WRITTEN.map(([name]) => name), "vigente", "registrado_em"].join(", ");

/** One page, ordered by name (UTF-8 bytes) then registration. */
export async function pageOfRows(database: Queryable, filter: RowFilter): Promise<Page<StoredInventoryRow>> {
  const { inventory, project, name, search, currentOnly = true, limit } = filter;
  const values: unknown[] = [project];
  const value = (next: unknown) => `$${values.push(next)}`;
  const conditions = ["projeto = $1"];
  if (currentOnly) conditions.push("vigente");
  if (name !== undefined) conditions.push(`nome = ${value(name)}`);
  // The column sorts by bytes; letter case is the business of the database's own locale.
  if (search !== undefined) conditions.push(`strpos(lower(nome COLLATE "default"), lower(${value(search.normalize("NFC"))})) > 0`);
  if (filter.cursor !== undefined) {
    const [lastName, lastId] = decodeCursor(filter.cursor, ["string", "number"]);
    conditions.push(`(nome, id) > (${value(lastName)}, ${value(lastId)})`);
  }
  const found = await database.query<StoredRow>(
    `SELECT ${COLUMNS} FROM ${INVENTORY_TABLES[inventory]} WHERE ${conditions.join(" AND ")} ORDER BY nome, id LIMIT ${value(limit + 1)}`,
    values,
  );
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map((row) => fromSql(inventory, row)),
    ...(found.length > limit && last !== undefined ? { cursor: encodeCursor([last.nome, last.id]) } : {}),
  };
}

export async function* streamCurrentRows(
  database: Database,
  inventory: InventoryId,
  project: string,
): AsyncGenerator<StoredInventoryRow, void, undefined> {
  const sql = `SELECT ${COLUMNS} FROM ${INVENTORY_TABLES[inventory]} WHERE projeto = $1 AND vigente ORDER BY nome`;
  for await (const row of database.stream<StoredRow>(sql, [project])) yield fromSql(inventory, row);
}

export async function* streamAllRows(database: Database, project?: string): AsyncGenerator<StoredInventoryRow, void, undefined> {
  for (const inventory of INVENTORIES) {
    const table = INVENTORY_TABLES[inventory];
    const rows =
      project === undefined
        ? database.stream<StoredRow>(`SELECT ${COLUMNS} FROM ${table} ORDER BY id`)
        : database.stream<StoredRow>(`SELECT ${COLUMNS} FROM ${table} WHERE projeto = $1 ORDER BY id`, [project]);
    for await (const row of rows) yield fromSql(inventory, row);
  }
}

export async function findByContent(
  database: Queryable,
  inventory: InventoryId,
  project: string,
  sha256s: readonly string[],
): Promise<ReadonlyMap<string, StoredInventoryRow>> {
  const found = new Map<string, StoredInventoryRow>();
  for await (const batch of batchesOf(sha256s)) {
    const rows = await database.query<StoredRow>(
      `SELECT ${COLUMNS} FROM ${INVENTORY_TABLES[inventory]}
       WHERE projeto = $1 AND vigente AND apelido_de IS NULL AND sha256 = ANY($2) ORDER BY nome DESC`,
      [project, batch],
    );
    for (const row of rows) found.set(row.sha256, fromSql(inventory, row));
  }
  return found;
}

/** Rows of any inventory and project, also superseded, whose name, `bucket/key` or asset URI is the text. */
export async function findAssets(database: Queryable, text: string): Promise<readonly StoredInventoryRow[]> {
  const uri = parseAssetUri(text);
  const path = uri === undefined ? text : uri.kind === "object" ? uri.name : "";
  const slash = path.indexOf("/");
  const select = INVENTORIES.map(
    (id) => `SELECT '${id}' AS inventario, ${COLUMNS} FROM ${INVENTORY_TABLES[id]}
             WHERE (nome = $1 AND $4::text IS NULL) OR (chave = $3 AND bucket = $2 AND ($4::text IS NULL OR versao_id = $4))`,
  );
  const rows = await database.query<StoredRow & { readonly inventario: InventoryId }>(select.join(" UNION ALL "), [
    text,
    path.slice(0, Math.max(slash, 0)),
    path.slice(slash + 1),
    uri?.version ?? null,
  ]);
  return rows.map((row) => fromSql(row.inventario, row));
}

/**
 * Registers rows of a project in place of the current ones of their names: all of these go first, because a content may move from name to
 * name. A project's first rows take no one's place, and are read once.
 */
export async function register(connection: Queryable, project: string, rows: Items<InventoryRow>): Promise<void> {
  if (await hasRows(connection, project)) await retire(connection, project, rows);
  await forEachBatch(rows, (batch) => {
    const sends = [...byInventory(batch)].map(([inventory, members]) =>
      inserting(connection, INVENTORY_TABLES[inventory], WRITTEN)(members),
    );
    return async () => {
      for (const send of sends) await send();
    };
  });
}

/** The names stop being current in the project. */
export async function retire(
  connection: Queryable,
  project: string,
  names: Items<{ readonly inventory: InventoryId; readonly name: string }>,
): Promise<void> {
  for await (const batch of batchesOf(names)) {
    for (const [inventory, members] of byInventory(batch)) {
      await connection.query(
        `UPDATE ${INVENTORY_TABLES[inventory]} SET vigente = false WHERE vigente AND projeto = $1 AND nome = ANY($2)`,
        [project, members.map(({ name }) => name)],
      );
    }
  }
}

async function hasRows(connection: Queryable, project: string): Promise<boolean> {
  const inhabited = INVENTORIES.map((id) => `EXISTS (SELECT FROM ${INVENTORY_TABLES[id]} WHERE vigente AND projeto = $1)`);
  const [found] = await connection.query<{ yes: boolean }>(`SELECT ${inhabited.join(" OR ")} AS yes`, [project]);
  return found?.yes === true;
}

function byInventory<T extends { readonly inventory: InventoryId }>(items: readonly T[]): Map<InventoryId, T[]> {
  return Map.groupBy(items, (item) => item.inventory);
}

function fromSql(inventory: InventoryId, row: StoredRow): StoredInventoryRow {
  return {
    id: String(row.id),
    inventory,
    project: row.projeto,
    name: row.nome,
    role: row.papel,
    mediaType: row.tipo_midia,
    rows: row.linhas,
    aliasOf: row.apelido_de,
    bucket: row.bucket,
    key: row.chave,
    versionId: row.versao_id,
    size: row.tamanho,
    md5: row.md5,
    sha256: row.sha256,
    details: row.detalhes,
    run: row.execucao,
    commitBefore: row.commit_antes,
    digest: row.resumo,
    current: row.vigente,
    registeredAt: row.registrado_em,
  };
}
