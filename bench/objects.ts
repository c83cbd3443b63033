/**
 * `npm run bench:objects -- [--scale 1] [--rounds 3] [--folder DIR] [--write]`: what the tree of buckets asks of the host for a prefix with a
 * million objects on a MinIO of its own, in one folder and in a thousand; side by side with `mc ls`. The server is started anew before every
 * cold reading: it keeps listings. `--write` puts the table into docs/benchmarks.md.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type ListedObjects, ListObjects, type ListObjectsParams } from "../src/protocol/messages.ts";
import { openTestHost, type TestHost } from "../test/support/host.ts";
import { minioProgram, type S3Server, startMinio } from "../test/support/servers/minio.ts";
import { findProgram } from "../test/support/servers/program.ts";
import { gitRepository } from "./contender.ts";
import { BUCKET, fill, removeAll } from "./million.ts";
import { residentMegabytes } from "./processes.ts";
import { type Bar, barLines, median, writeSection } from "./report.ts";

/** What the tree asks for at once when nobody changes the setting. */
const PAGE = 200;
const LIMIT_MS = 300;
const { values } = parseArgs({
  options: {
    scale: { type: "string", default: "1" },
    rounds: { type: "string", default: "3" },
    /** Where the objects lie: over 4 GB on most file systems. */
    folder: { type: "string", default: tmpdir() },
    write: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds);
const folders = Math.round(1000 * Number(values.scale));

interface Layout {
  readonly name: string;
  readonly prefix: string;
  readonly keyOf: (folder: number, file: number) => string;
}

const LAYOUTS: readonly Layout[] = [
  { name: "in one folder", prefix: "flat/", keyOf: (folder, file) => `flat/f${digits(folder)}${digits(file)}.csv` },
  { name: `in ${folders} folders`, prefix: "parts/", keyOf: (folder, file) => `parts/d${digits(folder)}/f${digits(file)}.csv` },
];

const COLUMNS = ["cold", "second", "third", "remembered", "nextHost", "mc"] as const;
type Times = Record<(typeof COLUMNS)[number], number[]>;

const mc = findProgram("mc", "EDA_MC");
if (mc === undefined || minioProgram === undefined) throw new Error("minio and mc are needed: npm run bench:objects builds them");

const scratch = mkdtempSync(join(values.folder, "eda-bench-"));
try {
  const rows: string[] = [];
  const bars: Bar[] = [];
  const memory: string[] = [];
  for (const layout of LAYOUTS) {
    const { times, before, peak } = await measureLayout(layout);
    rows.push(
      `| ${layout.name} | ${COLUMNS.map((column) => (times[column].length === 0 ? "" : median(times[column]).toFixed(0))).join(" | ")} |`,
    );
    memory.push(`${layout.name}: ${before.toFixed(0)} MB before, ${peak.toFixed(0)} MB at most`);
    bars.push({ what: `first page ${layout.name}, cold, ms`, value: median(times.cold), limit: LIMIT_MS });
    bars.push({
      what: `first page ${layout.name}, remembered, ms`,
      value: median([...times.remembered, ...times.nextHost]),
      limit: LIMIT_MS,
    });
  }
  const text = [
    `| ${(folders * 1000).toLocaleString("en")} objects | first page cold, ms | second page, ms | third page, ms | first page remembered, ms | remembered by an earlier host, ms | \`mc ls\`, first line, ms |`,
    "|---|---|---|---|---|---|---|",
    ...rows,
    "",
    barLines(bars),
    "",
    `Resident memory of the host, ${memory.join("; ")}.`,
  ].join("\n");
  console.log(text);
  if (values.write) writeSection("objects", rounds, text);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function measureLayout(layout: Layout): Promise<{ readonly times: Times; readonly before: number; readonly peak: number }> {
  const server = await startMinio({ parent: scratch });
  const workspace = join(scratch, `workspace-${layout.prefix}`);
  try {
    console.error(`· ${layout.name}: making the objects`);
    await fill(server, scratch, keysOf(layout));
    gitRepository(workspace);
    return await measureOn(server, workspace, layout);
  } finally {
    await removeAll(server);
    rmSync(workspace, { recursive: true, force: true });
  }
}

async function measureOn(server: S3Server, workspace: string, { prefix }: Layout) {
  const { endpoint, accessKey, secretKey, region } = server.access;
  const env = { EDA_S3_ENDPOINT: endpoint, EDA_S3_REGION: region, EDA_S3_ACCESS_KEY: accessKey, EDA_S3_SECRET_KEY: secretKey };
  const times: Times = { cold: [], second: [], third: [], remembered: [], nextHost: [], mc: [] };
  let host = await openTestHost(workspace, { env });
  const timed = async (column: keyof Times, params: Partial<ListObjectsParams>): Promise<ListedObjects> => {
    const start = performance.now();
    const listed = await host.rpc.sendRequest(ListObjects, { bucket: BUCKET, prefix, limit: PAGE, ...params });
    times[column].push(performance.now() - start);
    if (listed.items.length !== Math.min(PAGE, prefix === "flat/" ? PAGE : folders)) throw new Error(`a page of ${listed.items.length}`);
    return listed;
  };
  try {
    const before = residentMegabytes(host.status.pid, "VmRSS");
    let peak = before;
    for (let round = 1; round <= rounds; round += 1) {
      await anew(server, host);
      const { cursor } = await timed("cold", { firstPage: "anew" });
      const { cursor: next } = cursor === undefined ? {} : await timed("second", { cursor });
      if (next !== undefined) await timed("third", { cursor: next });
      await timed("remembered", { firstPage: "remembered" });
      peak = Math.max(peak, residentMegabytes(host.status.pid, "VmHWM"));
      await host.stop();
      host = await openTestHost(workspace, { env });
      await timed("nextHost", { firstPage: "remembered" });
      await anew(server, host);
      times.mc.push(await firstLine(server, prefix));
      console.error(`  round ${round}: ${COLUMNS.map((column) => `${column} ${times[column].at(-1)?.toFixed(0) ?? "–"} ms`).join(", ")}`);
    }
    return { times, before, peak };
  } finally {
    await host.stop();
  }
}

/** The server has no listing of its own any more; both sides have a connection. */
async function anew(server: S3Server, host: TestHost): Promise<void> {
  await server.kill();
  await server.restart();
  await host.rpc.sendRequest(ListObjects, { bucket: "models", prefix: "", limit: 1 });
}

/** Milliseconds until it says something. */
async function firstLine({ access }: S3Server, prefix: string): Promise<number> {
  const settings = join(scratch, "mc");
  mkdirSync(settings, { recursive: true });
  const alias = access.endpoint.replace("://", `://${access.accessKey}:${access.secretKey}@`);
  const env = { ...process.env, MC_CONFIG_DIR: settings, MC_HOST_bench: alias };
  // Its first start makes its settings.
  execFileSync(mc as string, ["--quiet", "ls", "bench"], { env, stdio: "ignore" });
  const start = performance.now();
  const child = spawn(mc as string, ["--quiet", "ls", `bench/${BUCKET}/${prefix}`], { env, stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  await once(child.stdout, "data");
  const milliseconds = performance.now() - start;
  child.kill();
  await exited;
  return milliseconds;
}

function* keysOf({ keyOf }: Layout): Generator<string> {
  for (let folder = 0; folder < folders; folder += 1) {
    for (let file = 0; file < 1000; file += 1) yield keyOf(folder, file);
  }
}

function digits(number: number): string {
  return String(number).padStart(3, "0");
}
