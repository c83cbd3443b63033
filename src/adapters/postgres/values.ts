/** Values between the domain and the database. */

/** ISO 8601 in UTC with milliseconds. */
export function iso(date: Date): string {
  return date.toISOString();
}

export function isoOrNull(date: Date | null): string | null {
  return date === null ? null : date.toISOString();
}

/** PostgreSQL's `text` cannot hold U+0000; it becomes the replacement character. */
export function storable(text: string): string {
  return text.replaceAll("\0", "\uFFFD");
}

/** A value as the text of a `jsonb`, in which U+0000 is not allowed either. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => (typeof member === "string" ? storable(member) : member));
}

/** An opaque place to go on from. */
export function encodeCursor(place: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

/** @returns undefined when the text is no cursor of ours */
export function decodeCursor(cursor: string): (string | number)[] | undefined {
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    return Array.isArray(place) ? (place as (string | number)[]) : undefined;
  } catch {
    return undefined;
  }
}

/** A text to be found anywhere, as a LIKE pattern. */
export function likePattern(text: string): string {
  return `%${text.replace(/[\\%_]/gu, "\\$&")}%`;
}
