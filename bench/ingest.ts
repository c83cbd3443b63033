/**
 * `npm run bench:ingest -- [--store folder|s3] [--rounds 3] [--scale 1] [--only 1,2,3] [--write]`: stage 2 (both hashes, uniqueness, verified storing,
 * registration, two commits) side by side with others in the same run, order shuffled by round, medians. Into the folder store: `dvc add`.
 * Into a MinIO of its own: `mc mirror`, `s5cmd cp`, `dvc add` and `dvc push`. `--write` puts the tables into docs/benchmarks.md.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Contender } from "./contender.ts";
import { type Corpus, corpora, writeCorpus } from "./corpora.ts";
import { edaContender } from "./eda.ts";
import { dvcAdd } from "./peers.ts";
import { ensurePythonPeer } from "./python-peers.ts";
import { type Bar, barLines, medianOf, type Series, table, writeSection } from "./report.ts";
import { openS3Field } from "./s3-field.ts";

const CACHE = join(import.meta.dirname, "../.cache");
const { values } = parseArgs({
  options: {
    store: { type: "string", default: "folder" },
    rounds: { type: "string", default: "3" },
    scale: { type: "string", default: "1" },
    /** Which corpora, by their place. */
    only: { type: "string", default: "1,2,3" },
    write: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds);
const isS3 = values.store === "s3";
const field = isS3 ? await openS3Field(CACHE) : undefined;

try {
  const contenders = field?.contenders ?? [edaContender(), dvcAdd(ensurePythonPeer(CACHE, "dvc"))];
  const wanted = new Set(values.only.split(",").map(Number));
  const sections = corpora(Number(values.scale))
    .map((corpus, index) => ({ corpus, place: index + 1 }))
    .filter(({ place }) => wanted.has(place))
    .map(({ corpus, place }) => section(corpus, place, contenders));
  const text = sections.join("\n\n");
  console.log(text);
  if (values.write) writeSection(isS3 ? "ingest-s3" : "ingest", rounds, text);
} finally {
  await field?.close();
}

function section(corpus: Corpus, place: number, contenders: readonly Contender[]): string {
  const all = measure(corpus, contenders);
  const bars = isS3 ? s3Bars(place, all) : [];
  return bars.length === 0 ? table(corpus, all) : `${table(corpus, all)}\n\n${barLines(bars)}`;
}

function measure(corpus: Corpus, contenders: readonly Contender[]): Series[] {
  const folder = mkdtempSync(join(tmpdir(), "eda-bench-"));
  try {
    console.error(`· ${corpus.name}: writing`);
    writeCorpus(corpus, join(folder, "corpus"));
    const all = contenders.map(({ name }) => ({ contender: name, rounds: [] as Series["rounds"][number][] }));
    for (let round = 1; round <= rounds; round += 1) {
      for (const index of shuffled(contenders.map((_, place) => place))) {
        const contender = contenders[index] as Contender;
        const own = join(folder, `turn-${round}-${index}`);
        mkdirSync(own);
        const measurement = contender.run(own, corpus);
        all[index]?.rounds.push(measurement);
        console.error(`  round ${round}: ${contender.name} ${measurement.wall.toFixed(1)} s`);
        rmSync(own, { recursive: true, force: true });
      }
    }
    return all;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What issue and documentation promise, by corpus. */
function s3Bars(place: number, all: readonly Series[]): Bar[] {
  const of = (name: string, column: "wall" | "again" | "peak") => {
    const series = all.find(({ contender }) => contender === name);
    return (series === undefined ? undefined : medianOf(series, column)) ?? Number.NaN;
  };
  const faster = Math.min(of("mc mirror", "wall"), of("s5cmd cp", "wall"));
  const limits = { 1: [1.15, 0.35], 2: [1.2, 0.55], 3: [1.15, 0.7] }[place] as [number, number];
  return [
    { what: "eda / the faster of mc and s5cmd", value: of("eda", "wall") / faster, limit: limits[0] },
    { what: "eda / dvc add + push", value: of("eda", "wall") / of("dvc add + push", "wall"), limit: limits[1] },
    { what: "peak memory, MB", value: of("eda", "peak"), limit: 256 },
    ...(place === 3 ? [{ what: "unchanged again / mc mirror's", value: of("eda", "again") / of("mc mirror", "again"), limit: 0.5 }] : []),
  ];
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
