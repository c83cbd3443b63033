/** An error as people read it: what happened, where, what else was found, what to do. */
import type { Colors } from "picocolors/types";
import { type ErrorDocument, formatLocation } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";

const MAX_FINDINGS = 20;

export function renderError(error: ErrorDocument, colours: Colors): string {
  const lines = [`${colours.red(colours.bold("error"))} ${printableLines(error.message)} ${colours.dim(`[${error.code}]`)}`];
  if (error.at !== undefined) lines.push(`  at ${colours.cyan(printable(formatLocation(error.at)))}`);
  const findings = error.findings ?? [];
  for (const finding of findings.slice(0, MAX_FINDINGS)) {
    const place = finding.at === undefined ? "" : `${colours.cyan(printable(formatLocation(finding.at)))} `;
    lines.push(`  - ${place}${printableLines(finding.message)}`);
  }
  if (findings.length > MAX_FINDINGS) lines.push(`  … and ${findings.length - MAX_FINDINGS} more; --json lists them all`);
  if (error.todo !== undefined) lines.push(`  ${colours.yellow("→")} ${printableLines(error.todo)}`);
  return lines.join("\n");
}

/** Control characters as escapes, line breaks kept and indented: a traceback stays readable. */
export function printableLines(text: string): string {
  return text.split(/\r?\n/u).map(printable).join("\n    ");
}
