/** Aligned columns that fit a terminal, whatever the script of the text in them. */
import cliTruncate from "cli-truncate";
import type { Colors } from "picocolors/types";
import stringWidth from "string-width";
import { printable } from "../../domain/names.ts";

export interface Column<T> {
  readonly header: string;
  /** Untrusted text is welcome: control characters are shown as escapes. */
  readonly value: (row: T) => string;
  readonly align?: "left" | "right";
  /** May lose characters when the terminal is too narrow; the place they are taken from. */
  readonly shrink?: "start" | "middle" | "end";
  /** Colour of the finished cell. */
  readonly paint?: (cell: string, row: T) => string;
}

const GAP = "  ";
const MIN_SHRUNK = 8;

/** @param width columns available; `Infinity` for a pipe. @returns lines without a final newline, header first. */
export function renderTable<T>(columns: readonly Column<T>[], rows: readonly T[], width: number, colours: Colors): string {
  const cells = rows.map((row) => columns.map((column) => printable(column.value(row))));
  const widths = fitWidths(columns, cells, width);
  const line = (texts: readonly string[], paint: (cell: string, index: number) => string): string =>
    texts
      .map((text, index) => paint(pad(text, widths[index] as number, columns[index] as Column<T>), index))
      .join(GAP)
      .trimEnd();
  const header = line(
    columns.map((column) => column.header),
    (cell) => colours.dim(cell),
  );
  const body = cells.map((texts, position) => line(texts, (cell, index) => columns[index]?.paint?.(cell, rows[position] as T) ?? cell));
  return [header, ...body].join("\n");
}

function fitWidths<T>(columns: readonly Column<T>[], cells: readonly (readonly string[])[], width: number): number[] {
  const widths = columns.map((column, index) =>
    cells.reduce((most, texts) => Math.max(most, stringWidth(texts[index] as string)), stringWidth(column.header)),
  );
  let excess = widths.reduce((sum, each) => sum + each, GAP.length * (columns.length - 1)) - width;
  while (excess > 0) {
    const widest = columns.reduce(
      (best, column, index) =>
        column.shrink !== undefined && (widths[index] as number) > Math.max(MIN_SHRUNK, widths[best] ?? 0) ? index : best,
      -1,
    );
    if (widest === -1) break;
    widths[widest] = (widths[widest] as number) - 1;
    excess -= 1;
  }
  return widths;
}

function pad<T>(text: string, width: number, column: Column<T>): string {
  const fitted = stringWidth(text) > width ? cliTruncate(text, width, { position: column.shrink ?? "end" }) : text;
  const blank = " ".repeat(Math.max(0, width - stringWidth(fitted)));
  return column.align === "right" ? blank + fitted : fitted + blank;
}

/** `name  value` lines, names aligned. */
export function renderPairs(pairs: readonly (readonly [string, string])[], colours: Colors): string {
  const widest = pairs.reduce((most, [name]) => Math.max(most, stringWidth(name)), 0);
  return pairs.map(([name, value]) => `${colours.dim(name + " ".repeat(widest - stringWidth(name)))}${GAP}${value}`).join("\n");
}
