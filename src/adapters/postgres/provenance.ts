/** Where things came from: lineage edges, captured Drive files, and the cache of local files already read. */
import type { Pool, PoolClient } from "pg";
import type { LineageEdge, LineageGraph, LineageRun } from "../../domain/lineage.ts";
import type { StageId } from "../../domain/stage.ts";
import type { CapturedFile, StatCacheEntry } from "../../ports/inventory.ts";
import { query } from "./pool.ts";
import { iso, isoOrNull } from "./values.ts";

const BATCH = 5_000;

interface RunRow {
  readonly execucao: string;
  readonly projeto: string;
  readonly etapa: StageId;
  readonly commit_antes: string | null;
  readonly commit_depois: string | null;
  readonly terminado_em: Date | null;
}

export async function insertEdges(client: PoolClient, edges: readonly LineageEdge[]): Promise<void> {
  for (const batch of batches(edges)) {
    await query(
      client,
      "INSERT INTO linhagem (de, para, execucao) SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) ON CONFLICT DO NOTHING",
      [batch.map((edge) => edge.from), batch.map((edge) => edge.to), batch.map((edge) => edge.run)],
    );
  }
}

/** Every edge reachable upstream; a graph with a cycle ends as well, because UNION keeps each asset once. */
export async function upstream(pool: Pool, root: string): Promise<LineageGraph> {
  const edges = await query<LineageEdge>(
    pool,
    `WITH RECURSIVE acima (uri) AS (
       SELECT $1::text
       UNION
       SELECT l.de FROM linhagem l JOIN acima a ON md5(l.para) = md5(a.uri) AND l.para = a.uri
     )
     SELECT l.de AS "from", l.para AS "to", l.execucao AS run
     FROM linhagem l JOIN acima a ON md5(l.para) = md5(a.uri) AND l.para = a.uri
     ORDER BY l.para, l.de, l.execucao`,
    [root],
  );
  const rows = await query<RunRow>(
    pool,
    `SELECT execucao, projeto, etapa, commit_antes, commit_depois, terminado_em FROM execucoes
     WHERE execucao = ANY($1::text[]) ORDER BY pedido_em, execucao`,
    [[...new Set(edges.map((edge) => edge.run))]],
  );
  const runs = rows.map(
    (row): LineageRun => ({
      run: row.execucao,
      project: row.projeto,
      stage: row.etapa,
      commitBefore: row.commit_antes,
      commitAfter: row.commit_depois,
      finishedAt: isoOrNull(row.terminado_em),
    }),
  );
  return { root, edges, runs };
}

interface CapturedRow {
  readonly projeto: string;
  readonly drive_id: string;
  readonly drive_versao: string;
  readonly caminho: string;
  readonly tamanho: number;
  readonly sha256: string;
  readonly modificado_em: Date;
  readonly dono: string | null;
  readonly nome_drive: string;
  readonly execucao: string;
}

export async function saveCaptured(client: PoolClient, files: readonly CapturedFile[]): Promise<void> {
  for (const batch of batches(files)) {
    await query(
      client,
      `INSERT INTO capturas (projeto, drive_id, drive_versao, caminho, tamanho, sha256, modificado_em, dono, nome_drive, execucao)
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::timestamptz[], $8::text[],
                            $9::text[], $10::text[])
       ON CONFLICT (projeto, md5(drive_id)) DO UPDATE SET drive_versao = EXCLUDED.drive_versao, caminho = EXCLUDED.caminho,
         tamanho = EXCLUDED.tamanho, sha256 = EXCLUDED.sha256, modificado_em = EXCLUDED.modificado_em, dono = EXCLUDED.dono,
         nome_drive = EXCLUDED.nome_drive, execucao = EXCLUDED.execucao`,
      [
        batch.map((file) => file.project),
        batch.map((file) => file.driveId),
        batch.map((file) => file.driveVersion),
        batch.map((file) => file.path),
        batch.map((file) => file.size),
        batch.map((file) => file.sha256),
        batch.map((file) => file.modifiedAt),
        batch.map((file) => file.owner),
        batch.map((file) => file.driveName),
        batch.map((file) => file.run),
      ],
    );
  }
}

/** By Drive id. */
export async function selectCaptured(pool: Pool, project: string): Promise<ReadonlyMap<string, CapturedFile>> {
  const rows = await query<CapturedRow>(pool, "SELECT * FROM capturas WHERE projeto = $1 ORDER BY caminho", [project]);
  return new Map(
    rows.map((row) => [
      row.drive_id,
      {
        project: row.projeto,
        driveId: row.drive_id,
        driveVersion: row.drive_versao,
        path: row.caminho,
        size: row.tamanho,
        sha256: row.sha256,
        modifiedAt: iso(row.modificado_em),
        owner: row.dono,
        driveName: row.nome_drive,
        run: row.execucao,
      },
    ]),
  );
}

interface StatRow {
  readonly caminho: string;
  readonly tamanho: number;
  readonly mtime_ns: string;
  readonly ctime_ns: string;
  readonly inode: string;
  readonly md5: string;
  readonly sha256: string;
}

export async function saveStats(client: PoolClient, project: string, entries: readonly StatCacheEntry[]): Promise<void> {
  for (const batch of batches(entries)) {
    await query(
      client,
      `INSERT INTO cache_arquivos (projeto, caminho, tamanho, mtime_ns, ctime_ns, inode, md5, sha256)
       SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
       ON CONFLICT (projeto, md5(caminho)) DO UPDATE SET tamanho = EXCLUDED.tamanho, mtime_ns = EXCLUDED.mtime_ns, ctime_ns = EXCLUDED.ctime_ns,
         inode = EXCLUDED.inode, md5 = EXCLUDED.md5, sha256 = EXCLUDED.sha256`,
      [
        project,
        batch.map((entry) => entry.path),
        batch.map((entry) => entry.size),
        batch.map((entry) => entry.mtimeNs),
        batch.map((entry) => entry.ctimeNs),
        batch.map((entry) => entry.inode),
        batch.map((entry) => entry.md5),
        batch.map((entry) => entry.sha256),
      ],
    );
  }
}

/** By path. */
export async function selectStats(pool: Pool, project: string): Promise<ReadonlyMap<string, StatCacheEntry>> {
  const sql = "SELECT caminho, tamanho, mtime_ns, ctime_ns, inode, md5, sha256 FROM cache_arquivos WHERE projeto = $1";
  const rows = await query<StatRow>(pool, sql, [project]);
  return new Map(
    rows.map((row) => [
      row.caminho,
      { path: row.caminho, size: row.tamanho, mtimeNs: row.mtime_ns, ctimeNs: row.ctime_ns, inode: row.inode, md5: row.md5, sha256: row.sha256 },
    ]),
  );
}

function* batches<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += BATCH) yield items.slice(start, start + BATCH);
}
