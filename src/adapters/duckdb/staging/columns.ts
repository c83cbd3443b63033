/** Matching the columns a file has with the fields the schema declares. */
import { EdaError, type Finding } from "../../../domain/errors.ts";
import { printable } from "../../../domain/printable.ts";
import { nearest } from "../../../domain/nearest.ts";
import type { StagingTable, TableField } from "../../../domain/project.ts";

/** What a field is called in the files. */
export function headerOf(field: TableField): string {
  return field.source ?? field.name;
}

/**
 * Refuses a file whose columns are not those of the schema.
 * @param file raw path, for messages
 * @throws EdaError `terminal` `duplicate-column`, `missing-column`, `extra-column`, with one finding a column
 */
export function assertColumns(table: StagingTable, headers: readonly string[], file: string): void {
  const wanted = table.schema.fields.map(headerOf);
  const extra = headers.filter((header) => !wanted.includes(header));
  const duplicates = [...new Set(headers.filter((header, index) => headers.indexOf(header) !== index))].filter(
    (header) => table.extraColumns === "error" || wanted.includes(header),
  );
  const at = { file, line: 1 };
  const fail = (code: string, what: string, todo: string, columns: readonly string[], describe = quoted): never => {
    const findings: Finding[] = columns.map((column) => ({ message: describe(column), at }));
    throw new EdaError("terminal", code, `${printable(file)} ${what}: ${columns.map(describe).join(", ")}.`, { todo, at, findings });
  };
  if (duplicates.length > 0) fail("duplicate-column", "has two columns of one name", "Rename one of each pair in the file.", duplicates);
  const missing = wanted.filter((header) => !headers.includes(header));
  if (missing.length > 0) {
    const describe = (column: string) => {
      const near = nearest(column, extra);
      return near === undefined ? quoted(column) : `${quoted(column)} (it has ${quoted(near)})`;
    };
    fail(
      "missing-column",
      `lacks ${missing.length === 1 ? "a column" : "columns"} of table "${table.name}"`,
      "Correct the file, or say in the project file what the column is called there (source).",
      missing,
      describe,
    );
  }
  if (extra.length > 0 && table.extraColumns === "error") {
    fail(
      "extra-column",
      `has ${extra.length === 1 ? "a column" : "columns"} that table "${table.name}" does not declare`,
      "Declare them in the schema, or set extraColumns: ignore for the table.",
      extra,
    );
  }
}

function quoted(name: string): string {
  return `"${printable(name)}"`;
}
