import { printable } from "../../domain/printable.ts";

const MAX_OUTPUT = 4_000;

/** What a command said, safe to show and to log: no credentials of URLs, no control characters, the end of it when it is long. */
export function outputText(raw: string): string {
  const text = raw
    .replace(/(\w:\/\/)[^\s/]*@/gu, "$1***@")
    .split(/\r\n|[\r\n]/u)
    .map((line) => printable(line.replaceAll("\t", "  ").trimEnd()))
    .join("\n")
    .trim();
  return text.length <= MAX_OUTPUT ? text : `…${text.slice(-MAX_OUTPUT)}`;
}
