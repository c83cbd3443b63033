/** What stages remember from run to run: captured Drive files, local files ingested, training jobs. */
import type { CapturedFile, Items, JobRecord, StatCacheEntry } from "../../ports/inventory.ts";
import { type Column, insertAll } from "./bulk.ts";
import type { Queryable, SqlRow } from "./database.ts";

const CAPTURED: readonly Column<CapturedFile>[] = [
  ["projeto", "text", (file) => file.project],
  ["drive_id", "text", (file) => file.driveId],
  ["drive_versao", "text", (file) => file.driveVersion],
  ["caminho", "text", (file) => file.path],
  ["tamanho", "bigint", (file) => file.size],
  ["sha256", "text", (file) => file.sha256],
  ["modificado_em", "timestamptz", (file) => file.modifiedAt],
  ["dono", "text", (file) => file.owner],
  ["nome_drive", "text", (file) => file.driveName],
  ["execucao", "text", (file) => file.run],
];

export async function rememberCaptured(connection: Queryable, files: Items<CapturedFile>): Promise<void> {
  await insertAll(connection, "capturas", CAPTURED, files, {
    clause: `ON CONFLICT (projeto, (md5(drive_id)::uuid)) DO UPDATE SET ${replacing(CAPTURED, ["projeto"])}`,
    identity: (file) => file.driveId,
  });
}

export async function readCaptured(database: Queryable, project: string): Promise<ReadonlyMap<string, CapturedFile>> {
  const files = await database.query<CapturedFile & SqlRow>(
    `SELECT projeto AS "project", drive_id AS "driveId", drive_versao AS "driveVersion", caminho AS "path", tamanho AS "size", sha256,
            modificado_em AS "modifiedAt", dono AS "owner", nome_drive AS "driveName", execucao AS "run"
     FROM capturas WHERE projeto = $1 ORDER BY caminho`,
    [project],
  );
  return new Map(files.map((file) => [file.driveId, file]));
}

const STAT_CACHE: readonly Column<StatCacheEntry>[] = [
  ["caminho", "text", (file) => file.path],
  ["tamanho", "bigint", (file) => file.size],
  ["mtime_ns", "text", (file) => file.mtimeNs],
  ["ctime_ns", "text", (file) => file.ctimeNs],
  ["inode", "text", (file) => file.inode],
  ["md5", "text", (file) => file.md5],
  ["sha256", "text", (file) => file.sha256],
];

export async function rememberStats(connection: Queryable, project: string, entries: Items<StatCacheEntry>): Promise<void> {
  await insertAll(connection, "cache_arquivos", [["projeto", "text", () => project], ...STAT_CACHE], entries, {
    clause: `ON CONFLICT (projeto, (md5(caminho)::uuid)) DO UPDATE SET ${replacing(STAT_CACHE, ["caminho"])}`,
    identity: (entry) => entry.path,
  });
}

export async function readStats(database: Queryable, project: string): Promise<ReadonlyMap<string, StatCacheEntry>> {
  const entries = await database.query<StatCacheEntry & SqlRow>(
    `SELECT caminho AS "path", tamanho AS "size", mtime_ns AS "mtimeNs", ctime_ns AS "ctimeNs", inode, md5, sha256
     FROM cache_arquivos WHERE projeto = $1`,
    [project],
  );
  return new Map(entries.map((entry) => [entry.path, entry]));
}

const JOB: readonly Column<JobRecord>[] = [
  ["trabalho", "text", (job) => job.job],
  ["projeto", "text", (job) => job.project],
  ["execucao", "text", (job) => job.run],
  ["estado", "text", (job) => job.state],
  ["treinador", "text", (job) => job.trainer],
  ["acelerador", "text", (job) => job.accelerator],
  ["metricas", "json", (job) => JSON.stringify(job.metrics)],
  ["parametros", "json", (job) => JSON.stringify(job.parameters)],
  ["artefatos", "json", (job) => JSON.stringify(job.artefacts)],
  ["tentativa", "text", (job) => job.attempt],
  ["tentativas", "bigint", (job) => job.attempts],
  ["iniciado_em", "timestamptz", (job) => job.startedAt],
  ["terminado_em", "timestamptz", (job) => job.finishedAt],
];
const SELECT_JOB = `SELECT trabalho AS "job", projeto AS "project", execucao AS "run", estado AS "state", treinador AS "trainer",
  acelerador AS "accelerator", metricas AS "metrics", parametros AS "parameters", artefatos AS "artefacts",
  tentativa AS "attempt", tentativas AS "attempts", iniciado_em AS "startedAt", terminado_em AS "finishedAt" FROM trabalhos`;

export async function rememberJob(connection: Queryable, job: JobRecord): Promise<void> {
  await insertAll(connection, "trabalhos", JOB, [job], { clause: `ON CONFLICT (trabalho) DO UPDATE SET ${replacing(JOB, ["trabalho"])}` });
}

export async function readJob(database: Queryable, job: string): Promise<JobRecord | undefined> {
  const [found] = await database.query<JobRecord & SqlRow>(`${SELECT_JOB} WHERE trabalho = $1`, [job]);
  return found;
}

/** Newest first. */
export async function readJobs(database: Queryable, project?: string): Promise<readonly JobRecord[]> {
  return project === undefined
    ? database.query<JobRecord & SqlRow>(`${SELECT_JOB} ORDER BY iniciado_em DESC, trabalho DESC`)
    : database.query<JobRecord & SqlRow>(`${SELECT_JOB} WHERE projeto = $1 ORDER BY iniciado_em DESC, trabalho DESC`, [project]);
}

/** `SET` list that takes every new value, but for the columns that identify the row. */
function replacing<T>(columns: readonly Column<T>[], identity: readonly string[]): string {
  return columns
    .filter(([name]) => !identity.includes(name))
    .map(([name]) => `${name} = excluded.${name}`)
    .join(", ");
}
