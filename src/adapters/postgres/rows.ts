/** Inventory rows: five tables of one shape. */
import type { Pool, PoolClient } from "pg";
import type { OutputRole } from "../../domain/asset.ts";
import { parseAssetUri } from "../../domain/asset.ts";
import { EdaError } from "../../domain/errors.ts";
import { type InventoryRow, rowDigest, type StoredInventoryRow } from "../../domain/inventory.ts";
import type { JsonObject } from "../../domain/json.ts";
import { type BucketName, INVENTORIES, INVENTORY_TABLES, type InventoryId } from "../../domain/stage.ts";
import type { RowFilter } from "../../ports/inventory.ts";
import type { Page } from "../../ports/object-store.ts";
import { query } from "./pool.ts";
import { decodeCursor, encodeCursor, iso, jsonText, likePattern } from "./values.ts";

/** Rows a statement carries: few round trips, and arrays of a few megabytes at most. */
const BATCH = 5_000;

interface Row {
  readonly id: number;
  readonly projeto: string;
  readonly nome: string;
  readonly papel: OutputRole;
  readonly tipo_midia: string;
  readonly bucket: BucketName;
  readonly chave: string;
  readonly versao_id: string;
  readonly tamanho: number;
  readonly md5: string;
  readonly sha256: string;
  readonly linhas: number | null;
  readonly apelido_de: string | null;
  readonly detalhes: JsonObject;
  readonly execucao: string;
  readonly commit_antes: string;
  readonly vigente: boolean;
  readonly registrado_em: Date;
  readonly resumo: string;
}

function toStored(inventory: InventoryId, row: Row): StoredInventoryRow {
  return {
    inventory,
    id: String(row.id),
    project: row.projeto,
    name: row.nome,
    role: row.papel,
    mediaType: row.tipo_midia,
    bucket: row.bucket,
    key: row.chave,
    versionId: row.versao_id,
    size: row.tamanho,
    md5: row.md5,
    sha256: row.sha256,
    rows: row.linhas,
    aliasOf: row.apelido_de,
    details: row.detalhes,
    run: row.execucao,
    commitBefore: row.commit_antes,
    current: row.vigente,
    registeredAt: iso(row.registrado_em),
    digest: row.resumo,
  };
}

/** The rows of one table that meet the conditions, after a place, ordered by name and registration. */
async function select(
  pool: Pool,
  inventory: InventoryId,
  conditions: readonly string[],
  values: readonly unknown[],
  limit: number,
): Promise<StoredInventoryRow[]> {
  const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  const sql = `SELECT * FROM ${INVENTORY_TABLES[inventory]} ${where} ORDER BY nome, id LIMIT ${limit}`;
  return (await query<Row>(pool, sql, values)).map((row) => toStored(inventory, row));
}

export async function pageOfRows(pool: Pool, filter: RowFilter): Promise<Page<StoredInventoryRow>> {
  const conditions = ["projeto = $1"];
  const values: unknown[] = [filter.project];
  const add = (condition: (place: string) => string, value: unknown) => conditions.push(condition(`$${values.push(value)}`));
  if (filter.currentOnly ?? true) conditions.push("vigente");
  if (filter.name !== undefined) add((place) => `nome = ${place}`, filter.name);
  if (filter.search !== undefined && filter.search !== "") add((place) => `nome ILIKE ${place}`, likePattern(filter.search));
  if (filter.cursor !== undefined) {
    const [name, id] = decodeCursor(filter.cursor) ?? [];
    if (typeof name !== "string" || typeof id !== "number") throw new EdaError("usage", "invalid-cursor", "That is no place in this list.");
    conditions.push(`(nome, id) > ($${values.push(name)}, $${values.push(id)}::bigint)`);
  }
  const rows = await select(pool, filter.inventory, conditions, values, filter.limit + 1);
  const items = rows.slice(0, filter.limit);
  const last = items.at(-1);
  return rows.length > filter.limit && last !== undefined ? { items, cursor: encodeCursor([last.name, Number(last.id)]) } : { items };
}

/** Page after page, so that a table of millions is never held whole. */
export async function* streamRows(
  pool: Pool,
  inventory: InventoryId,
  conditions: readonly string[],
  values: readonly unknown[],
): AsyncGenerator<StoredInventoryRow> {
  let place: readonly [string, number] | undefined;
  for (;;) {
    const bounds = place === undefined ? [] : [`(nome, id) > ($${values.length + 1}, $${values.length + 2}::bigint)`];
    const rows = await select(pool, inventory, [...conditions, ...bounds], [...values, ...(place ?? [])], BATCH);
    yield* rows;
    const last = rows.at(-1);
    if (rows.length < BATCH || last === undefined) return;
    place = [last.name, Number(last.id)];
  }
}

export async function rowsByContent(
  pool: Pool,
  inventory: InventoryId,
  project: string,
  sha256s: readonly string[],
): Promise<ReadonlyMap<string, StoredInventoryRow>> {
  if (sha256s.length === 0) return new Map();
  const sql = `
    SELECT DISTINCT ON (sha256) * FROM ${INVENTORY_TABLES[inventory]}
    WHERE projeto = $1 AND sha256 = ANY($2::text[]) AND vigente AND apelido_de IS NULL ORDER BY sha256, id`;
  const rows = await query<Row>(pool, sql, [project, sha256s]);
  return new Map(rows.map((row) => [row.sha256, toStored(inventory, row)]));
}

/** What a person may type for an asset: a name, `bucket/key`, or an object's URI. */
export async function rowsByAsset(pool: Pool, text: string): Promise<StoredInventoryRow[]> {
  const uri = parseAssetUri(text);
  const [bucket, ...rest] = (uri?.kind === "object" ? uri.name : text).split("/");
  const key = rest.join("/");
  const conditions = uri?.kind === "object" ? ["bucket = $1 AND chave = $2 AND versao_id = $3"] : ["(nome = $3 OR (bucket = $1 AND chave = $2))"];
  const values = [bucket, key, uri?.kind === "object" ? uri.version : text];
  const found = await Promise.all(INVENTORIES.map((inventory) => select(pool, inventory, conditions, values, 1_000)));
  return found.flat();
}

/** Registers rows, each in the place of the current one of its name. */
export async function insertRows(client: PoolClient, rows: readonly InventoryRow[]): Promise<void> {
  for (const inventory of INVENTORIES) {
    const mine = rows.filter((row) => row.inventory === inventory);
    for (let start = 0; start < mine.length; start += BATCH) await insertBatch(client, inventory, mine.slice(start, start + BATCH));
  }
}

async function insertBatch(client: PoolClient, inventory: InventoryId, rows: readonly InventoryRow[]): Promise<void> {
  const table = INVENTORY_TABLES[inventory];
  await supersede(client, inventory, rows);
  await query(
    client,
    `INSERT INTO ${table} (projeto, nome, papel, tipo_midia, bucket, chave, versao_id, tamanho, md5, sha256, linhas, apelido_de, detalhes,
                           execucao, commit_antes, resumo)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[],
                          $10::text[], $11::bigint[], $12::text[], $13::jsonb[], $14::text[], $15::text[], $16::text[])`,
    [
      rows.map((row) => row.project),
      rows.map((row) => row.name),
      rows.map((row) => row.role),
      rows.map((row) => row.mediaType),
      rows.map((row) => row.bucket),
      rows.map((row) => row.key),
      rows.map((row) => row.versionId),
      rows.map((row) => row.size),
      rows.map((row) => row.md5),
      rows.map((row) => row.sha256),
      rows.map((row) => row.rows),
      rows.map((row) => row.aliasOf),
      rows.map((row) => jsonText(row.details)),
      rows.map((row) => row.run),
      rows.map((row) => row.commitBefore),
      rows.map(rowDigest),
    ],
  );
}

/** The current rows of these names stop being current. */
export async function supersede(
  client: PoolClient,
  inventory: InventoryId,
  rows: readonly { readonly project: string; readonly name: string }[],
): Promise<void> {
  const table = INVENTORY_TABLES[inventory];
  await query(
    client,
    `UPDATE ${table} AS atual SET vigente = false
     FROM unnest($1::text[], $2::text[]) AS nova (projeto, nome)
     WHERE atual.vigente AND atual.projeto = nova.projeto AND atual.nome = nova.nome`,
    [rows.map((row) => row.project), rows.map((row) => row.name)],
  );
}
