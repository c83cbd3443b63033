/**
 * Notebooks as they lie in Git: nbformat 4 JSON (https://nbformat.readthedocs.io/en/latest/format_description.html), read without
 * trusting it, and given parameters the way papermill does (https://papermill.readthedocs.io/en/latest/usage-parameterize.html).
 */
import { parseDocument } from "yaml";
import { z } from "zod";
import { EdaError, type SourceLocation } from "./errors.ts";
import type { Json, JsonObject } from "./json.ts";

const multiline = z.union([z.string(), z.array(z.string())]);

const cellSchema = z.looseObject({
  id: z.string().optional(),
  cell_type: z.enum(["code", "markdown", "raw"]),
  metadata: z.looseObject({ tags: z.array(z.string()).optional() }),
  source: multiline,
});

const notebookSchema = z.looseObject({
  nbformat: z.literal(4, { error: "only nbformat 4 is understood" }),
  nbformat_minor: z.int().nonnegative(),
  metadata: z.looseObject({
    kernelspec: z.looseObject({ name: z.string(), language: z.string().optional() }).optional(),
    language_info: z.looseObject({ name: z.string() }).optional(),
  }),
  cells: z.array(cellSchema),
});

export type Notebook = z.infer<typeof notebookSchema>;
export type NotebookCell = z.infer<typeof cellSchema>;

const PARAMETERS_TAG = "parameters";
/** The cell that {@link injectParameters} adds carries it. */
export const INJECTED_TAG = "injected-parameters";
/** From this minor version on, each cell has an id. */
const MINOR_WITH_CELL_IDS = 5;

/**
 * @param path governed path, for messages
 * @throws EdaError `precondition` `invalid-notebook`, located, when it is not JSON, not nbformat 4, or not Python
 */
export function parseNotebook(path: string, text: string): Notebook {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw invalid(path, `is not JSON (${(error as Error).message})`, jsonErrorLocation(path, text, error as Error), error);
  }
  const parsed = notebookSchema.safeParse(document);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue === undefined || issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
    throw invalid(path, `is not a notebook (${where}${issue?.message ?? "unknown"})`, { file: path, line: 1 }, parsed.error);
  }
  const language = parsed.data.metadata.kernelspec?.language ?? parsed.data.metadata.language_info?.name ?? "python";
  if (language.toLowerCase() !== "python") {
    throw invalid(path, `is written in ${language}, and only Python notebooks are run`, { file: path, line: 1 });
  }
  if (!parsed.data.cells.some(isCode)) throw invalid(path, "has no code cell", { file: path, line: 1 });
  return parsed.data;
}

export function isCode(cell: NotebookCell): boolean {
  return cell.cell_type === "code";
}

export function hasTag(cell: NotebookCell, tag: string): boolean {
  return cell.metadata.tags?.includes(tag) ?? false;
}

export function sourceText(cell: NotebookCell): string {
  return typeof cell.source === "string" ? cell.source : cell.source.join("");
}

/** Text as nbformat keeps it on disk: a list of lines, each with its line feed, so that notebooks diff well. */
export function sourceLines(text: string): string[] {
  return text === "" ? [] : text.split(/(?<=\n)/u);
}

/**
 * The notebook with its parameters in a cell of their own: in the place of an earlier injected cell, else after the cell tagged
 * `parameters`, else at the top. The notebook handed in is left as it was.
 */
export function injectParameters(notebook: Notebook, parameters: JsonObject): Notebook {
  const lines = Object.entries(parameters)
    .filter((entry): entry is [string, Json] => entry[1] !== undefined)
    .map(([name, value]) => `${name} = ${pythonLiteral(value)}`);
  const injected = codeCell(notebook, INJECTED_TAG, ["# Parameters", ...lines].join("\n"));
  const cells = [...notebook.cells];
  const earlier = cells.findIndex((cell) => hasTag(cell, INJECTED_TAG));
  const defaults = cells.findIndex((cell) => hasTag(cell, PARAMETERS_TAG));
  if (earlier >= 0) cells.splice(earlier, 1, injected);
  else cells.splice(defaults + 1, 0, injected);
  return { ...notebook, cells };
}

/** A JSON value as a Python expression. @throws TypeError for numbers that JSON does not know either */
export function pythonLiteral(value: Json): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  // Every escape that JSON writes means the same in a Python string.
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError(`not a JSON number: ${value}`);
    return String(value);
  }
  if (Array.isArray(value)) return `[${value.map(pythonLiteral).join(", ")}]`;
  const entries = Object.entries(value).filter((entry): entry is [string, Json] => entry[1] !== undefined);
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}: ${pythonLiteral(item)}`).join(", ")}}`;
}

/** The text of a notebook file: one-space indentation and a final line feed, as Jupyter saves it. */
export function notebookText(notebook: Notebook): string {
  return `${JSON.stringify(notebook, null, 1)}\n`;
}

/** A code cell that no person wrote, marked by its tag, which is its id as well where the notebook has ids. */
export function codeCell(notebook: Notebook, tag: string, source: string): NotebookCell {
  const withId = notebook.nbformat_minor >= MINOR_WITH_CELL_IDS;
  const taken = new Set(notebook.cells.filter((cell) => !hasTag(cell, tag)).map((cell) => cell.id));
  let id = tag;
  for (let number = 2; taken.has(id); number += 1) id = `${tag}-${number}`;
  return {
    ...(withId ? { id } : {}),
    cell_type: "code",
    metadata: { tags: [tag] },
    source: sourceLines(source),
    outputs: [],
    execution_count: null,
  };
}

function invalid(path: string, problem: string, at: SourceLocation, cause?: unknown): EdaError {
  return new EdaError("precondition", "invalid-notebook", `${path} ${problem}.`, {
    todo: "Save it from Jupyter or VS Code as a Python notebook (nbformat 4) and run again.",
    at,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** V8 names the character offset of a JSON mistake, mostly; YAML, of which JSON is a part, always does. */
function jsonErrorLocation(path: string, text: string, error: Error): SourceLocation {
  const named = /position (\d+)/u.exec(error.message)?.[1];
  const offset = named === undefined ? (parseDocument(text, { prettyErrors: false }).errors[0]?.pos[0] ?? 0) : Number(named);
  const before = text.slice(0, offset).split("\n");
  return { file: path, line: before.length, column: (before.at(-1) as string).length + 1 };
}
