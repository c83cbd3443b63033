/** The rows of the raw inventory: what they say of a file, where it came from, and which of equal files holds the content. */
import { extname } from "node:path";
import mime from "mime-types";
import type { OutputObject } from "../domain/asset.ts";
import type { StoredInventoryRow } from "../domain/inventory.ts";
import type { JsonObject } from "../domain/json.ts";
import { printable } from "../domain/printable.ts";
import type { CapturedFile } from "../ports/inventory.ts";
import { objectFields } from "./outputs.ts";
import type { RawFile } from "./raw-folder.ts";
import type { StageContext, UnitResult } from "./stage-definition.ts";

export type RawRow = UnitResult["rows"][number];

/**
 * One row of equal content holds the object, the others are its aliases: an untouched row that holds it already, else the first by
 * name. Untouched aliases whose holder moved on to other content are registered again.
 */
export function assignHolders(rows: readonly RawRow[], untouched: readonly StoredInventoryRow[]): RawRow[] {
  const holders = new Map<string, string>();
  for (const row of untouched) if (row.aliasOf === null) holders.set(row.sha256, row.name);
  const orphaned = untouched.filter((row) => row.aliasOf !== null && holders.get(row.sha256) !== row.aliasOf);
  const candidates = [...rows, ...orphaned.map(withoutHistory)].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const row of candidates) if (!holders.has(row.sha256)) holders.set(row.sha256, row.name);
  return candidates.map((row) => {
    const holder = holders.get(row.sha256) as string;
    return { ...row, aliasOf: holder === row.name ? null : holder };
  });
}

function withoutHistory({ inventory, name, role, mediaType, rows, aliasOf, details, ...content }: StoredInventoryRow): RawRow {
  return { ...objectFields(content), inventory, name, role, mediaType, rows, aliasOf, details };
}

export function rawRow(file: RawFile, object: OutputObject): RawRow {
  return {
    ...objectFields(object),
    inventory: "raw",
    name: file.path,
    role: "data",
    mediaType: mediaTypeOf(file.path),
    rows: null,
    aliasOf: null,
    details: { modificado_em: new Date(Number(BigInt(file.mtimeNs) / 1_000_000n)).toISOString() },
  };
}

/** Adds where in Drive each file came from. One changed here after its capture did not come from there as it is. */
export async function withOrigins(rows: readonly RawRow[], context: StageContext): Promise<RawRow[]> {
  const captured = await context.services.inventory.captured(context.request.project);
  const byPath = new Map([...captured.values()].map((file) => [file.path, file]));
  return rows.map((row) => {
    const origin = byPath.get(row.name);
    const isClaimed = origin !== undefined && origin.sha256 === row.sha256;
    if (origin !== undefined && !isClaimed) {
      context.log("warn", `${printable(row.name)} was changed here after it was captured: its Drive origin is not claimed`);
    }
    return { ...row, details: { ...row.details, origem: isClaimed ? driveOrigin(origin) : null } };
  });
}

function driveOrigin(file: CapturedFile): JsonObject {
  return {
    drive_id: file.driveId,
    versao: file.driveVersion,
    dono: file.owner,
    nome: file.driveName,
    modificado_em: file.modifiedAt,
    captura: file.run,
  };
}

export function mediaTypeOf(path: string): string {
  if (path.endsWith(".parquet")) return "application/vnd.apache.parquet";
  // Of the ending only: a file named "c" is no C source.
  return mime.lookup(extname(path)) || "application/octet-stream";
}
