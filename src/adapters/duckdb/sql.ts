/** Writing SQL text safely. */

/** A name as SQL, whatever it holds. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as an SQL literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export function list(items: readonly string[]): string {
  return `[${items.join(", ")}]`;
}

export function files(paths: readonly string[]): string {
  return list(paths.map(literal));
}
