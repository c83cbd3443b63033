/**
 * `npm run bench:inventory -- [--rows 1000000] [--rounds 3] [--write]`: rows registered by a publication (digest of every row, uniqueness of name and of
 * content, one transaction) side by side with a bare `COPY` of the same rows from a file of the server into a table with the same columns, checks and
 * indexes; order alternating, each into an empty table after a checkpoint. Then the publication of 20,000 files with edges and file cache, as stage 2
 * asks for it. `--write` puts the tables into docs/benchmarks.md.
 */
import { createHash } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Pool } from "pg";
import { startEmbeddedPostgres } from "../src/adapters/postgres/embedded.ts";
import { openInventory } from "../src/adapters/postgres/inventory.ts";
import { openPool } from "../src/adapters/postgres/pool.ts";
import { APP_ROLE } from "../src/adapters/postgres/roles.ts";
import type { InventoryRow } from "../src/domain/inventory.ts";
import { requestedRecord } from "../src/domain/run.ts";
import type { Inventory, Items, Publication } from "../src/ports/inventory.ts";
import { residentMegabytes } from "./processes.ts";
import { median, writeSection } from "./report.ts";

const ROOT = join(import.meta.dirname, "..");
const PROJECT = "bench";
const SMALL_RUN = 20_000;
const REGISTERED =
  "projeto, nome, papel, tipo_midia, bucket, chave, versao_id, tamanho, md5, sha256, linhas, apelido_de, detalhes, execucao, commit_antes, resumo";
const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "3" },
    write: { type: "boolean", default: false },
  },
});
const rowCount = Number(values.rows);
const rounds = Number(values.rounds);

const folder = mkdtempSync(join(tmpdir(), "eda-bench-"));
// The server's own user reads and writes the file of the bare COPY.
chmodSync(folder, 0o777);
const server = await startEmbeddedPostgres({ stateFolder: join(folder, "state"), log: () => undefined });
const owner = openPool(server.url, { statementTimeoutMs: 0 });
const working = openPool(server.url, { role: APP_ROLE });
const inventory = openInventory(working, join(ROOT, "sql"));
try {
  await inventory.migrate();
  await owner.query("CREATE TABLE simples (LIKE inventario_dados INCLUDING ALL)");
  const table = [await measureRows(), "", await measureSmallRun()].join("\n");
  console.log(table);
  if (values.write) writeSection("inventory", rounds, table);
} finally {
  await Promise.all([owner.end(), working.end()]);
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function measureRows(): Promise<string> {
  const file = join(folder, "rows.copy");
  const published: number[] = [];
  const replaced: number[] = [];
  const copied: number[] = [];
  // Rows for the bare COPY come from a first publication, which is not measured.
  await publishInto(empty, rowCount, "preparo");
  await owner.query(`COPY (SELECT ${REGISTERED} FROM inventario_dados ORDER BY id) TO '${file}'`);
  resetPeak();
  const before = residentMegabytes(process.pid, "VmRSS");
  for (let round = 0; round < rounds; round += 1) {
    const turns = [
      async () => {
        published.push(await publishInto(empty, rowCount, `vazia-${round}`));
        replaced.push(await publishInto(settle, rowCount, `cheia-${round}`));
      },
      async () => copied.push(await copyInto(file)),
    ];
    for (const turn of round % 2 === 0 ? turns : turns.reverse()) await turn();
    console.error(
      `  round ${round + 1}: publication ${published.at(-1)?.toFixed(1)} s, again ${replaced.at(-1)?.toFixed(1)} s, COPY ${copied.at(-1)?.toFixed(1)} s`,
    );
  }
  const peak = residentMegabytes(process.pid, "VmHWM");
  const perSecond = (seconds: readonly number[]) => Math.round(rowCount / median(seconds));
  const against = (seconds: readonly number[]) => `${(median(copied) / median(seconds)).toFixed(2)} ×`;
  const count = rowCount.toLocaleString("en");
  return [
    `| ${count} rows | seconds | rows/s | of COPY's speed |`,
    "|---|---|---|---|",
    `| publication | ${median(published).toFixed(1)} | ${perSecond(published)} | ${against(published)} |`,
    `| publication in place of as many rows | ${median(replaced).toFixed(1)} | ${perSecond(replaced)} | ${against(replaced)} |`,
    `| bare \`COPY\` | ${median(copied).toFixed(1)} | ${perSecond(copied)} | 1 |`,
    "",
    `Resident memory of the publishing process: ${before.toFixed(0)} MB before, ${peak.toFixed(0)} MB at its peak.`,
  ].join("\n");
}

async function measureSmallRun(): Promise<string> {
  const seconds: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await owner.query("TRUNCATE linhagem, cache_arquivos");
    seconds.push(await publishInto(empty, SMALL_RUN, `pequena-${round}`, true));
  }
  return `${SMALL_RUN.toLocaleString("en")} rows, as many edges and as many entries of the file cache: ${median(seconds).toFixed(2)} s.`;
}

/** @returns seconds */
async function publishInto(prepare: () => Promise<unknown>, count: number, run: string, isWhole = false): Promise<number> {
  await prepare();
  await inventory.recordRequest(
    requestedRecord({ run, project: PROJECT, stage: "ingest", force: false, actor: "bench" }, new Date().toISOString()),
  );
  const files = repeatable(count, (index) => rowOf(index, run));
  const whole: Partial<Publication> = {
    edges: repeatable(count, (index) => ({
      from: `local:eda/raw-data/${nameOf(index)}@${hashOf(index)}`,
      to: `object:raw-data/${nameOf(index)}@1`,
      run,
    })),
    statCache: repeatable(count, (index) => {
      const { size, md5, sha256, name } = rowOf(index, run);
      return { path: name, size, md5, sha256, mtimeNs: "1795608000123456789", ctimeNs: "1795608000987654321", inode: String(index) };
    }),
  };
  return seconds(() => inventory.publish({ ...publicationOf(run, files), ...(isWhole ? whole : {}) }));
}

function publicationOf(run: string, rows: Items<InventoryRow>): Parameters<Inventory["publish"]>[0] {
  return {
    run,
    project: PROJECT,
    stage: "ingest",
    rows,
    retired: [],
    edges: [],
    captured: [],
    statCache: [],
    job: null,
    execution: {},
    audit: { event: "run.published", project: PROJECT, stage: "ingest", run, actor: "bench", at: new Date().toISOString(), payload: {} },
  };
}

/** @returns seconds */
async function copyInto(file: string): Promise<number> {
  await emptied(owner, "simples");
  return seconds(() => owner.query(`COPY simples (${REGISTERED}) FROM '${file}'`));
}

async function empty(): Promise<void> {
  await emptied(owner, "inventario_dados");
}

async function settle(): Promise<void> {
  await owner.query("VACUUM ANALYZE inventario_dados");
  await owner.query("CHECKPOINT");
}

async function emptied(pool: Pool, table: string): Promise<void> {
  await pool.query(`TRUNCATE ${table}`);
  await pool.query("CHECKPOINT");
}

function repeatable<T>(count: number, item: (index: number) => T): Iterable<T> {
  return {
    *[Symbol.iterator]() {
      for (let index = 0; index < count; index += 1) yield item(index);
    },
  };
}

function hashOf(index: number): string {
  return createHash("sha256").update(String(index)).digest("hex");
}

/** A thousand files a folder, in the order in which a walk finds them. */
function nameOf(index: number): string {
  const digits = String(index).padStart(9, "0");
  return `pasta-${digits.slice(0, 6)}/arquivo-${digits}.csv`;
}

function rowOf(index: number, run: string): InventoryRow {
  const [name, sha256] = [nameOf(index), hashOf(index)];
  return {
    inventory: "raw",
    project: PROJECT,
    name,
    role: "data",
    mediaType: "text/csv",
    rows: null,
    aliasOf: null,
    details: { origem: { drive_id: sha256.slice(0, 33), dono: "ana@example.org" } },
    run,
    commitBefore: "0123456789abcdef0123456789abcdef01234567",
    bucket: "raw-data",
    key: `${PROJECT}/${name}`,
    versionId: sha256.slice(32),
    size: 10_000 + index,
    md5: sha256.slice(0, 32),
    sha256,
  };
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** From here on `VmHWM` is the largest since now. */
function resetPeak(): void {
  writeFileSync("/proc/self/clear_refs", "5");
}
