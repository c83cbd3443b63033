/** Small notebooks for tests, as their code cells. */

export interface TestCell {
  readonly source: string;
  readonly tags?: readonly string[];
}

/** nbformat 4.5 text of a Python notebook. */
export function notebookOf(...cells: readonly (string | TestCell)[]): string {
  return `${JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: "python3", display_name: "Python 3", language: "python" } },
    cells: cells.map((cell, index) => {
      const { source, tags } = typeof cell === "string" ? { source: cell, tags: undefined } : cell;
      return {
        id: `cell-${index}`,
        cell_type: "code",
        metadata: tags === undefined ? {} : { tags },
        source,
        outputs: [],
        execution_count: null,
      };
    }),
  })}\n`;
}

/** Ends a notebook that trains nothing. */
export const WRITE_METRICS = 'import json; json.dump({"auc": 0.5}, open("results/metrics.json", "w"))';
