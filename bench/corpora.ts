/** Folders of random files: nothing compresses, nothing is there twice. */
import { randomFillSync } from "node:crypto";
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";

export interface Corpus {
  readonly name: string;
  readonly files: number;
  /** Bytes of each file. */
  readonly size: number;
}

const MIB = 1024 * 1024;
const BLOCK = 4 * MIB;

/** @param scale share of the full corpora, 0 to 1: fewer files, and a smaller large one */
export function corpora(scale: number): Corpus[] {
  return [
    { name: "1 × 2 GiB", files: 1, size: Math.ceil(2048 * scale) * MIB },
    { name: "2,000 × 1 MiB", files: Math.ceil(2000 * scale), size: MIB },
    { name: "20,000 × 10 KiB", files: Math.ceil(20_000 * scale), size: 10 * 1024 },
  ];
}

export function writeCorpus({ files, size }: Corpus, folder: string): void {
  const block = Buffer.alloc(Math.min(size, BLOCK));
  for (let index = 0; index < files; index += 1) {
    const group = join(folder, `d${String(Math.floor(index / 500)).padStart(3, "0")}`);
    if (index % 500 === 0) mkdirSync(group, { recursive: true });
    const file = openSync(join(group, `f${String(index).padStart(5, "0")}.bin`), "w");
    for (let written = 0; written < size; written += block.length) {
      randomFillSync(block);
      writeSync(file, block, 0, Math.min(block.length, size - written));
    }
    closeSync(file);
  }
}
