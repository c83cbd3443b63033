/** The cells of a notebook, one after the other, on one kernel; the first that raises ends it. */
import { stripVTControlCharacters } from "node:util";
import { EdaError, type Finding } from "../../domain/errors.ts";
import { isMadeByEda } from "../../domain/job/prepare.ts";
import { isCode, type NotebookCell, sourceText } from "../../domain/notebook.ts";
import type { ExecutedNotebook } from "./executed-notebook.ts";
import type { ExecuteOutcome, KernelSession } from "./kernel.ts";
import { CellOutputs, OutputBudget } from "./outputs.ts";

/** Last lines of a frame of the traceback that the error shows; all of it is in `executed.ipynb`. */
const TRACEBACK_LINES = 12;
const MAX_ERROR_CHARS = 500;

/**
 * @param stopped rejects when the job must end now: cancelled, or out of time
 * @throws EdaError `terminal` `notebook-failed` with cell number and traceback, whatever `stopped` rejects with, and the kernel's own
 */
export async function runCells(kernel: KernelSession, notebook: ExecutedNotebook, stopped: Promise<never>): Promise<void> {
  const budget = new OutputBudget();
  const code = notebook.cells.flatMap((cell, position) => (isRunnable(cell) ? [{ cell, position }] : []));
  const total = code.filter(({ cell }) => !isMadeByEda(cell)).length;
  let done = 0;
  await notebook.save();
  for (const { cell, position } of code) {
    const outputs = new CellOutputs(budget);
    let outcome: ExecuteOutcome | undefined;
    try {
      outcome = await Promise.race([kernel.execute(sourceText(cell), (message) => outputs.handle(message)), stopped]);
    } finally {
      await notebook.record(position, outputs.finish(), outcome?.executionCount ?? null);
    }
    if (outcome.status === "error") throw notebookFailed(done + 1, total, outcome);
    if (!isMadeByEda(cell)) done += 1;
  }
}

function isRunnable(cell: NotebookCell): boolean {
  return isCode(cell) && sourceText(cell).trim() !== "";
}

/** Cells are counted as the person sees them: code cells with something in them, without those that eda added. */
function notebookFailed(number: number, total: number, outcome: Extract<ExecuteOutcome, { status: "error" }>): EdaError {
  const raised = `${outcome.name}: ${outcome.value}`.split("\n")[0] as string;
  const findings: Finding[] = tracebackLines(outcome.traceback).map((line) => ({ message: line.slice(0, MAX_ERROR_CHARS) }));
  return new EdaError("terminal", "notebook-failed", `Code cell ${number} of ${total} raised ${raised.slice(0, MAX_ERROR_CHARS)}`, {
    todo: "Correct the notebook and run again.",
    ...(findings.length === 0 ? {} : { findings }),
  });
}

/** The last lines of where the cell stood and of where it broke. IPython gives a heading, frames, and the message, which may be endless. */
function tracebackLines(traceback: readonly string[]): string[] {
  const entries = traceback.map(stripVTControlCharacters);
  const frames = entries.length > 1 ? entries.slice(0, -1) : entries;
  const inCell = frames.findLast((frame) => frame.startsWith("Cell In["));
  const broke = frames.at(-1);
  return [...new Set([inCell, broke])].flatMap((frame) => frame?.split("\n").slice(-TRACEBACK_LINES) ?? []);
}
