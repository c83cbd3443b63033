/** Names of projects, stages and files that cannot be what they are given as. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BadInput, type Bench, RAW } from "./bench.ts";

/** @param name as bytes where it is not text */
function rawFile(bench: Bench, name: string | Buffer): void {
  const path = Buffer.concat([Buffer.from(`${bench.path(RAW)}/`), Buffer.from(name)]);
  writeFileSync(path, "x");
  bench.onUndo(() => rmSync(path));
}

export const NAME_CASES: readonly BadInput[] = [
  {
    name: "a project name climbs out of its folder",
    line: "run capture --project ../etc",
    exit: 2,
    code: "invalid-project-name",
    says: ["lower-case letters"],
  },
  {
    name: "a project name has capitals",
    line: "run capture --project Lojas",
    exit: 2,
    code: "invalid-project-name",
    says: ['"Lojas" is not a project name'],
  },
  {
    name: "a project name carries terminal codes",
    line: "run capture --project x\u001b[2J",
    exit: 2,
    code: "invalid-project-name",
    says: [String.raw`x\u{1b}[2J`],
  },
  { name: "a project does not exist", line: "run capture --project loja", exit: 3, code: "unknown-project", says: ["Did you mean lojas?"] },
  { name: "a stage does not exist", line: "run curate", exit: 2, code: "unknown-stage", says: ["Did you mean curation?"] },
  { name: "an inventory does not exist", line: "inventory models2", exit: 2, code: "unknown-inventory", says: ["Did you mean models?"] },
  { name: "a bucket does not exist", line: "objects ls data-raw", exit: 2, code: "unknown-bucket", says: ["raw-data, staging-data"] },
  { name: "an asset does not exist", line: "lineage raw-data/lojas/nada.csv", exit: 2, code: "unknown-asset", says: ["eda inventory"] },
  {
    name: "two file names differ only in how an accent is encoded",
    arrange: (bench) => {
      rawFile(bench, "ação.txt".normalize("NFC"));
      rawFile(bench, "ação.txt".normalize("NFD"));
    },
    line: "run ingest",
    exit: 1,
    code: "name-collision",
    says: ["NFC and NFD", "ação.txt"],
  },
  {
    name: "a file name is longer than an object key may be",
    arrange: (bench) => {
      const folder = join(RAW, ...Array.from({ length: 5 }, (_, index) => `${index}${"ã".repeat(100)}`));
      mkdirSync(bench.path(folder), { recursive: true });
      bench.onUndo(() => rmSync(bench.path(join(RAW, `0${"ã".repeat(100)}`)), { recursive: true }));
      writeFileSync(bench.path(join(folder, "x.csv")), "x");
    },
    line: "run ingest",
    exit: 1,
    code: "path-too-long",
    says: ["longer than 900 bytes", "Shorten"],
  },
  {
    name: "a file name is not text",
    arrange: (bench) => rawFile(bench, Buffer.from([0x72, 0x65, 0x6c, 0xe7, 0x2e, 0x63, 0x73, 0x76])),
    line: "run ingest",
    exit: 1,
    code: "unreadable-files",
    says: ["nothing was ingested", RAW],
  },
];
