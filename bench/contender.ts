/** Who is measured, and what is measured of them. */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import type { Corpus } from "./corpora.ts";

export interface Measurement {
  /** Seconds of the whole command. */
  readonly wall: number;
  /** Seconds of the command again, with nothing changed. */
  readonly again?: number;
  /** CPU seconds of all of the contender's processes, the server's apart. */
  readonly client: number;
  /** CPU seconds of the object store, when there is one. */
  readonly server?: number;
  /** Peak resident memory, MB. */
  readonly peak?: number;
}

export interface Contender {
  readonly name: string;
  /** @param folder a scratch folder of this turn alone; `corpus` in its parent is what is taken in */
  run(folder: string, corpus: Corpus): Measurement;
}

export function seconds(work: () => unknown): number {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
}

/** What others left to be written is not this turn's work. */
export function settleDisk(): void {
  execFileSync("sync");
}

export function gitRepository(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const args of [
    ["init", "--quiet"],
    ["config", "user.name", "Bench"],
    ["config", "user.email", "bench@example.org"],
  ]) {
    execFileSync("git", args, { cwd: folder });
  }
}
