/** Reading governed YAML: a mistake gets file, line, column and what was expected. */
import { isMap, isScalar, LineCounter, parseDocument, type Document, type Node, visit } from "yaml";
import type { z } from "zod";
import { EdaError, type Finding, type SourceLocation } from "./errors.ts";
import { projectFilePath } from "./governed.ts";
import { type ProjectFile, projectSchema } from "./project.ts";
import { secretKeyAdvice } from "./secret-keys.ts";

/** Deepest useful nesting is far below this; it stops alias bombs. */
const MAX_ALIASES = 100;

/**
 * Parses and validates a YAML text.
 * @throws EdaError `precondition`, code `invalid-config`, with one finding a mistake, located.
 */
export function parseConfig<Schema extends z.ZodType>(schema: Schema, file: string, text: string): z.output<Schema> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  // A warning is a tag that nobody understands: what it stands for would be lost.
  const findings: Finding[] = [...document.errors, ...document.warnings].map(({ code, message, pos }) => ({
    message: code === "MULTIPLE_DOCS" ? "more than one YAML document" : (message.split("\n")[0] as string),
    at: locate(file, lines, pos[0]),
  }));
  if (findings.length === 0) findings.push(...unusableAliases(file, lines, document));
  if (findings.length === 0) {
    const parsed = schema.safeParse(document.toJS({ maxAliasCount: MAX_ALIASES }) ?? {}, { error: describeMissing });
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) {
      findings.push(...expandIssue(issue).map(({ path, message }) => ({ message, at: locateNode(file, lines, document, path) })));
    }
  }
  const first = findings[0] as Finding;
  throw new EdaError("precondition", "invalid-config", `${file} is not valid: ${first.message}`, {
    todo: "Correct the file and run again.",
    ...(first.at === undefined ? {} : { at: first.at }),
    findings,
  });
}

/** @throws EdaError `precondition` when invalid, or when the file names another project than it is called after. */
export function parseProjectFile(project: string, text: string): ProjectFile {
  const named = projectSchema.refine((file) => file.project === project, {
    path: ["project"],
    error: ({ input }) => `names project "${(input as ProjectFile).project}", its file name says "${project}"`,
  });
  return parseConfig(named, projectFilePath(project), text);
}

/** Aliases without an anchor, and so many of one anchor that a small file would become a huge one. */
function unusableAliases(file: string, lines: LineCounter, document: Document): Finding[] {
  try {
    document.toJS({ maxAliasCount: MAX_ALIASES });
    return [];
  } catch (error) {
    let at: SourceLocation = { file, line: 1, column: 1 };
    visit(document, {
      Alias: (_, alias) => {
        if (alias.range) at = locate(file, lines, alias.range[0]);
        return alias.resolve(document) === undefined ? visit.BREAK : undefined;
      },
    });
    return [{ message: (error as Error).message, at }];
  }
}

function describeMissing(issue: {
  readonly code?: string | undefined;
  readonly input?: unknown;
  readonly expected?: unknown;
}): string | undefined {
  return issue.code === "invalid_type" && issue.input === undefined ? `is missing (expected ${String(issue.expected)})` : undefined;
}

interface PlainIssue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

function expandIssue(issue: z.core.$ZodIssue): PlainIssue[] {
  const where = issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
  if (issue.code === "unrecognized_keys") {
    const section = issue.path.join(".");
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      message: `${where}${secretKeyAdvice(section, key) ?? `unknown key "${key}"`}`,
    }));
  }
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    return [{ path: issue.path, message: `${where}${issue.errors.map(describeFirst).join(", or ")}` }];
  }
  return [{ path: issue.path, message: `${where}${issue.message}` }];
}

function describeFirst([issue]: readonly z.core.$ZodIssue[]): string {
  return issue === undefined ? "" : [...issue.path, issue.message].join(": ");
}

function locate(file: string, lines: LineCounter, offset: number): SourceLocation {
  const { line, col } = lines.linePos(offset);
  return { file, line, column: col };
}

/** The deepest node of the path that exists: a missing key is reported at its parent. */
function locateNode(file: string, lines: LineCounter, document: Document, path: readonly PropertyKey[]): SourceLocation {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const parent = depth === 1 ? document.contents : document.getIn(path.slice(0, depth - 1), true);
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isScalar(item.key) && String(item.key.value) === String(path[depth - 1]));
      const range = (pair?.key as Node | undefined)?.range;
      if (range !== undefined && range !== null) return locate(file, lines, range[0]);
    }
    const node = document.getIn(path.slice(0, depth), true) as Node | undefined;
    if (node?.range) return locate(file, lines, node.range[0]);
  }
  return { file, line: 1, column: 1 };
}
