/** Texts from outside, made fit to be shown. */

/** A text with control and bidirectional characters shown as escapes: safe in a terminal, a log, a tree view. */
export function printable(text: string): string {
  return [...text].map((char) => (isControl(char) ? `\\u{${(char.codePointAt(0) as number).toString(16)}}` : char)).join("");
}

/** Characters that move the cursor or turn the direction of what follows. */
export function isControl(char: string): boolean {
  return /[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]/u.test(char);
}
