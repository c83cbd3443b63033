/** Aligned columns that fit a terminal, whatever the script of the text in them. */
import cliTruncate from "cli-truncate";
import type { Colors } from "picocolors/types";
import stringWidth from "string-width";
import { printable } from "../../domain/printable.ts";

export interface Column<T> {
  readonly header: string;
  /** Untrusted text is welcome: control characters are shown as escapes. */
  readonly value: (row: T) => string;
  readonly align?: "left" | "right";
  /** May lose characters when the terminal is too narrow; the place they are taken from. */
  readonly shrink?: "start" | "middle" | "end";
  /** Is left out when the terminal is too narrow for what must be read; the lowest number goes first. */
  readonly drop?: number;
  /** Colour of the finished cell. */
  readonly paint?: (cell: string, row: T) => string;
}

const GAP = "  ";
const MIN_SHRUNK = 8;
/** A shrunk column narrower than this says too little to be worth its neighbours. */
const READABLE = 28;

/** @param width columns available; `Infinity` for a pipe. @returns lines without a final newline, header first. */
export function renderTable<T>(columns: readonly Column<T>[], rows: readonly T[], width: number, colours: Colors): string {
  const shown = shownColumns(
    columns.map((column) => measured(column, rows)),
    width,
  );
  const widths = fitWidths(shown, width);
  const line = (cellOf: (column: MeasuredColumn<T>) => string, paint: (cell: string, column: Column<T>) => string): string =>
    shown
      .map((each, index) => paint(pad(cellOf(each), widths[index] as number, each.column), each.column))
      .join(GAP)
      .trimEnd();
  const header = line(
    ({ column }) => column.header,
    (cell) => colours.dim(cell),
  );
  const body = rows.map((row, position) =>
    line(
      ({ cells }) => cells[position] as string,
      (cell, column) => column.paint?.(cell, row) ?? cell,
    ),
  );
  return [header, ...body].join("\n");
}

interface MeasuredColumn<T> {
  readonly column: Column<T>;
  readonly cells: readonly string[];
  /** Width of its widest text. */
  readonly width: number;
}

function measured<T>(column: Column<T>, rows: readonly T[]): MeasuredColumn<T> {
  const cells = rows.map((row) => printable(column.value(row)));
  return { column, cells, width: cells.reduce((most, cell) => Math.max(most, stringWidth(cell)), stringWidth(column.header)) };
}

function shownColumns<T>(columns: readonly MeasuredColumn<T>[], width: number): readonly MeasuredColumn<T>[] {
  const needed = columns.map((each) => (each.column.shrink === undefined ? each.width : Math.min(each.width, READABLE)));
  const droppable = columns.filter(({ column }) => column.drop !== undefined).sort((a, b) => (a.column.drop ?? 0) - (b.column.drop ?? 0));
  const [first] = droppable;
  if (first === undefined || lineWidth(needed) <= width) return columns;
  return shownColumns(
    columns.filter((each) => each !== first),
    width,
  );
}

function fitWidths<T>(columns: readonly MeasuredColumn<T>[], width: number): number[] {
  const widths = columns.map((each) => each.width);
  for (let excess = lineWidth(widths) - width; excess > 0; excess -= 1) {
    const widest = columns.reduce(
      (best, { column }, index) =>
        column.shrink !== undefined && (widths[index] as number) > Math.max(MIN_SHRUNK, widths[best] ?? 0) ? index : best,
      -1,
    );
    if (widest === -1) break;
    widths[widest] = (widths[widest] as number) - 1;
  }
  return widths;
}

function lineWidth(widths: readonly number[]): number {
  return widths.reduce((sum, each) => sum + each, GAP.length * (widths.length - 1));
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
