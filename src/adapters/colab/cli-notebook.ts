/** What the `colab` program wrote of the cells' outputs: it goes on after a cell that raises and answers 0, so only there is the mistake told. */
import { stripVTControlCharacters } from "node:util";
import { z } from "zod";
import { EdaError } from "../../domain/errors.ts";
import { isMadeByEda } from "../../domain/job/prepare.ts";
import { isCode, type NotebookCell, parseNotebook, sourceText } from "../../domain/notebook.ts";
import { printable } from "../../domain/printable.ts";

const TRACEBACK_LINES = 12;
const MAX_LINE = 500;

const raisedSchema = z.looseObject({
  output_type: z.literal("error"),
  ename: z.string(),
  evalue: z.string(),
  traceback: z.array(z.string()).default([]),
});

/** @param text of the notebook with outputs @returns undefined when no cell raised, or it cannot be told */
export function notebookFailure(text: string): EdaError | undefined {
  let cells: readonly NotebookCell[];
  try {
    cells = parseNotebook("executed.ipynb", text).cells.filter((cell) => isCode(cell) && sourceText(cell).trim() !== "");
  } catch {
    return undefined;
  }
  const failed = cells.findIndex((cell) => raisedIn(cell) !== undefined);
  const raised = cells[failed] === undefined ? undefined : raisedIn(cells[failed]);
  if (raised === undefined) return undefined;
  // Counted as the person sees them.
  const isOwn = (cell: NotebookCell) => !isMadeByEda(cell);
  const number = cells.slice(0, failed).filter(isOwn).length + 1;
  const what = line(`${raised.ename}: ${raised.evalue}`.split("\n")[0] as string);
  const traceback = raised.traceback
    .flatMap((part) => stripVTControlCharacters(part).split("\n"))
    .filter((text) => /\w/u.test(text))
    .slice(-TRACEBACK_LINES);
  return new EdaError("terminal", "notebook-failed", `Code cell ${number} of ${cells.filter(isOwn).length} raised ${what}`, {
    todo: "Correct the notebook and run again.",
    ...(traceback.length === 0 ? {} : { findings: traceback.map((message) => ({ message: line(message) })) }),
  });
}

function raisedIn(cell: NotebookCell) {
  const outputs = z.array(z.unknown()).safeParse(cell.outputs).data ?? [];
  return outputs.map((output) => raisedSchema.safeParse(output).data).find((output) => output !== undefined);
}

function line(text: string): string {
  return printable(text).slice(0, MAX_LINE);
}
