/** Object versions that moved to another store, on table `versoes_migradas`: the recorded id stays their name, and this says where they are. */
import type { Pool } from "pg";
import type { ObjectRef } from "../../domain/asset.ts";
import { type Column, insertAll } from "./bulk.ts";
import { openDatabase, type SqlRow } from "./database.ts";
import type { PatienceOptions } from "./patience.ts";

/** @property versionId as it was recorded. */
export interface MigratedVersion extends ObjectRef {
  /** The id that the present store gave it. */
  readonly storedId: string;
}

export interface MigratedVersions {
  isEmpty(): Promise<boolean>;
  /** The present store's id of a recorded version: the same one when it never moved. */
  storedId(ref: ObjectRef): Promise<string>;
  /** The recorded ids of versions as the present store names them, in their order. */
  recordedIds(refs: readonly ObjectRef[]): Promise<readonly string[]>;
  /** By who owns the database. Idempotent; a version that was moved anew lies where it was moved to last. */
  record(versions: readonly MigratedVersion[]): Promise<void>;
}

const WRITTEN: readonly Column<MigratedVersion>[] = [
  ["bucket", "text", ({ bucket }) => bucket],
  ["chave", "text", ({ key }) => key],
  ["versao_id", "text", ({ versionId }) => versionId],
  ["versao_atual", "text", ({ storedId }) => storedId],
];
const AGAIN = "ON CONFLICT (bucket, chave, versao_id) DO UPDATE SET versao_atual = excluded.versao_atual";

export function openMigratedVersions(pool: Pool, patience: PatienceOptions = {}): MigratedVersions {
  const database = openDatabase(pool, patience);
  return {
    async isEmpty() {
      const [found] = await database.query<{ some: boolean }>("SELECT EXISTS (SELECT FROM versoes_migradas) AS some");
      return found?.some !== true;
    },
    async storedId({ bucket, key, versionId }) {
      const [found] = await database.query<{ id: string }>(
        "SELECT versao_atual AS id FROM versoes_migradas WHERE bucket = $1 AND chave = $2 AND versao_id = $3",
        [bucket, key, versionId],
      );
      return found?.id ?? versionId;
    },
    async recordedIds(refs) {
      if (refs.length === 0) return [];
      const rows = await database.query<{ place: number; id: string } & SqlRow>(
        `SELECT place, min(versao_id) AS id
         FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS asked (bucket, chave, versao_atual, place)
         JOIN versoes_migradas USING (bucket, chave, versao_atual) GROUP BY place`,
        [refs.map(({ bucket }) => bucket), refs.map(({ key }) => key), refs.map(({ versionId }) => versionId)],
      );
      const found = new Map(rows.map(({ place, id }) => [place - 1, id]));
      return refs.map(({ versionId }, index) => found.get(index) ?? versionId);
    },
    record: (versions) =>
      database.asOwner((connection) =>
        insertAll(connection, "versoes_migradas", WRITTEN, versions, {
          clause: AGAIN,
          identity: ({ bucket, key, versionId }) => `${bucket}/${key}@${versionId}`,
        }),
      ),
  };
}
