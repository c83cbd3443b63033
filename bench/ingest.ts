/**
 * `npm run bench:ingest -- [--rounds 3] [--scale 1] [--write]`: stage 2 into the folder store (both hashes, uniqueness, verified copy, registration, two
 * commits) side by side with `dvc add` (one hash, copy into its cache), order alternating, medians. `--write` puts the table into docs/benchmarks.md.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Corpus, corpora, writeCorpus } from "./corpora.ts";
import { ensureDvc } from "./dvc.ts";

const ROOT = join(import.meta.dirname, "..");
const PROJECT = "bench";
const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    scale: { type: "string", default: "1" },
    write: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds);
const dvc = ensureDvc(join(ROOT, ".cache"));

interface Round {
  /** Seconds. */
  readonly wall: number;
  /** Seconds of a second run over unchanged files. */
  readonly again: number;
  /** Peak resident memory of the host, MB. */
  readonly peak: number;
}

const rows = corpora(Number(values.scale)).map(measure);
const table = [
  "| corpus | eda | files/s | MB/s | peak memory | unchanged again | dvc add | eda / dvc |",
  "|---|---|---|---|---|---|---|---|",
  ...rows,
].join("\n");
console.log(table);
if (values.write) writeResults(table);

function measure(corpus: Corpus): string {
  const folder = mkdtempSync(join(tmpdir(), "eda-bench-"));
  try {
    console.error(`· ${corpus.name}: writing`);
    writeCorpus(corpus, join(folder, "corpus"));
    const ours: Round[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const turns = [() => ours.push(runEda(folder)), () => theirs.push(runDvc(folder))];
      for (const turn of round % 2 === 0 ? turns : turns.reverse()) turn();
      console.error(`  round ${round + 1}: eda ${ours.at(-1)?.wall.toFixed(1)} s, dvc ${theirs.at(-1)?.toFixed(1)} s`);
    }
    const wall = median(ours.map((each) => each.wall));
    const megabytes = (corpus.files * corpus.size) / 1e6;
    const cells = [
      corpus.name,
      `${wall.toFixed(1)} s`,
      (corpus.files / wall).toFixed(corpus.files === 1 ? 2 : 0),
      (megabytes / wall).toFixed(0),
      `${Math.max(...ours.map((each) => each.peak)).toFixed(0)} MB`,
      `${median(ours.map((each) => each.again)).toFixed(2)} s`,
      `${median(theirs).toFixed(1)} s`,
      (wall / median(theirs)).toFixed(2),
    ];
    return `| ${cells.join(" | ")} |`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runEda(folder: string): Round {
  const workspace = join(folder, "eda");
  repository(workspace);
  eda(workspace, "init", "--project", PROJECT);
  cpSync(join(folder, "corpus"), join(workspace, "eda", "raw-data", PROJECT), { recursive: true });
  eda(workspace, "host", "start");
  try {
    const wall = seconds(() => eda(workspace, "run", "ingest", "--project", PROJECT));
    const again = seconds(() => eda(workspace, "run", "ingest", "--project", PROJECT));
    const { pid } = JSON.parse(eda(workspace, "host", "status", "--json")) as { readonly pid: number };
    const peak = Number(/VmHWM:\s+(\d+)/u.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1000;
    return { wall, again, peak };
  } finally {
    eda(workspace, "host", "stop");
    rmSync(workspace, { recursive: true, force: true });
  }
}

/** @returns seconds */
function runDvc(folder: string): number {
  const workspace = join(folder, "dvc");
  repository(workspace);
  execFileSync(dvc, ["init", "--quiet"], { cwd: workspace });
  cpSync(join(folder, "corpus"), join(workspace, "data"), { recursive: true });
  const wall = seconds(() => execFileSync(dvc, ["add", "--quiet", "data"], { cwd: workspace, stdio: "ignore" }));
  rmSync(workspace, { recursive: true, force: true });
  return wall;
}

function repository(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const args of [
    ["init", "--quiet"],
    ["config", "user.name", "Bench"],
    ["config", "user.email", "bench@example.org"],
  ]) {
    execFileSync("git", args, { cwd: folder });
  }
}

function eda(workspace: string, ...args: string[]): string {
  const result = spawnSync(process.execPath, [join(ROOT, "dist", "cli", "main.js"), ...args, "--workspace", workspace], {
    encoding: "utf8",
  });
  if (result.status !== 0) throw new Error(`eda ${args.join(" ")} ended with ${result.status}: ${result.stderr}`);
  return result.stdout;
}

function seconds(work: () => unknown): number {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] as number;
}

function writeResults(results: string): void {
  const file = join(ROOT, "docs", "benchmarks.md");
  const marker = /<!-- ingest -->[\s\S]*?<!-- \/ingest -->/u;
  const machine = `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}, ${rounds} round(s), medians`;
  const section = `<!-- ingest -->\n${machine}\n\n${results}\n<!-- /ingest -->`;
  const before = existsSync(file) ? readFileSync(file, "utf8") : "";
  if (!marker.test(before)) throw new Error(`${file} has no place for the ingest table`);
  writeFileSync(file, before.replace(marker, section));
}
