/** Medians of rounds as Markdown, and the bars that eda is to stay under. */
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import type { Measurement } from "./contender.ts";
import type { Corpus } from "./corpora.ts";

/** Of one contender on one corpus. */
export interface Series {
  readonly contender: string;
  readonly rounds: readonly Measurement[];
}

export interface Bar {
  readonly what: string;
  readonly value: number;
  readonly limit: number;
}

const COLUMNS = ["wall", "again", "client", "server", "peak"] as const;
const TITLES: Readonly<Record<(typeof COLUMNS)[number], string>> = {
  wall: "wall, s",
  again: "unchanged again, s",
  client: "client CPU, s",
  server: "server CPU, s",
  peak: "peak memory, MB",
};

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] as number;
}

export function medianOf(series: Series, column: (typeof COLUMNS)[number]): number | undefined {
  const values = series.rounds.map((round) => round[column]).filter((value) => value !== undefined);
  if (values.length === 0) return undefined;
  return column === "peak" ? Math.max(...values) : median(values);
}

export function table({ name, files, size }: Corpus, all: readonly Series[]): string {
  const columns = COLUMNS.filter((column) => all.some((series) => medianOf(series, column) !== undefined));
  const rows = all.map((series) => {
    const wall = medianOf(series, "wall") as number;
    const cells = columns.map((column) => medianOf(series, column)?.toFixed(column === "peak" ? 0 : 2) ?? "");
    return `| ${[series.contender, ...cells, (files / wall).toFixed(files === 1 ? 2 : 0), ((files * size) / 1e6 / wall).toFixed(0)].join(" | ")} |`;
  });
  const header = ["contender", ...columns.map((column) => TITLES[column]), "files/s", "MB/s"];
  return [`**${name}**`, "", `| ${header.join(" | ")} |`, `|${"---|".repeat(header.length)}`, ...rows].join("\n");
}

export function barLines(bars: readonly Bar[]): string {
  return bars.map(({ what, value, limit }) => `- ${what}: ${value.toFixed(2)} (at most ${limit}) ${value <= limit ? "✓" : "✗"}`).join("\n");
}

/** Puts a section into docs/benchmarks.md, between its marks. @param method with what, and what is made of the rounds */
export function writeSection(
  name: string,
  rounds: number,
  text: string,
  method = `Node ${process.versions.node}, ${rounds} round(s), medians`,
): void {
  const file = join(import.meta.dirname, "../docs/benchmarks.md");
  const mark = new RegExp(`<!-- ${name} -->[\\s\\S]*?<!-- /${name} -->`, "u");
  const before = readFileSync(file, "utf8");
  if (!mark.test(before)) throw new Error(`${file} has no place for ${name}`);
  const machine = `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ${method}`;
  writeFileSync(
    file,
    before.replace(mark, () => `<!-- ${name} -->\n${machine}\n\n${text}\n<!-- /${name} -->`),
  );
}
