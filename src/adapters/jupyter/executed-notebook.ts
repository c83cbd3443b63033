/** `executed.ipynb`: the notebook with what its cells put out so far, on disk in every case, also when a cell fails. */
import { rename, writeFile } from "node:fs/promises";
import { isCode, type Notebook, notebookText } from "../../domain/notebook.ts";
import type { NotebookOutput } from "./outputs.ts";

/** Between two writes while cells run: a notebook with large outputs is not written after each cell. */
const SAVE_INTERVAL_MS = 5_000;

export class ExecutedNotebook {
  readonly #file: string;
  #notebook: Notebook;
  #savedAt = 0;

  /** @param file where it is written; outputs that the notebook came with are dropped */
  constructor(notebook: Notebook, file: string) {
    const cells = notebook.cells.map((cell) => (isCode(cell) ? { ...cell, outputs: [], execution_count: null } : cell));
    this.#notebook = { ...notebook, cells };
    this.#file = file;
  }

  get cells(): Notebook["cells"] {
    return this.#notebook.cells;
  }

  /** Outputs of one cell, by its position in the notebook; written when the last write is some seconds ago. */
  async record(position: number, outputs: readonly NotebookOutput[], executionCount: number | null): Promise<void> {
    const cells = this.#notebook.cells.map((cell, index) =>
      index === position ? { ...cell, outputs, execution_count: executionCount } : cell,
    );
    this.#notebook = { ...this.#notebook, cells };
    if (performance.now() - this.#savedAt >= SAVE_INTERVAL_MS) await this.save();
  }

  /** Written whole or not at all: a reader never meets half a notebook. */
  async save(): Promise<void> {
    const partial = `${this.#file}.partial`;
    await writeFile(partial, notebookText(this.#notebook));
    await rename(partial, this.#file);
    this.#savedAt = performance.now();
  }
}
