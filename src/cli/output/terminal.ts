/** The two streams of the command line: results go to `out`, messages to `err`. */
import type { Colors } from "picocolors/types";
import pc from "picocolors";

export type OutputStream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };

export interface Channel {
  readonly stream: OutputStream;
  readonly colours: Colors;
}

export interface Terminal {
  /** Results. */
  readonly out: Channel;
  /** Messages and progress. */
  readonly err: Channel;
  /** Lines may be redrawn: a person looks at a terminal that says how large it is, and no build server records it. */
  readonly live: boolean;
}

/** https://no-color.org: any non-empty NO_COLOR wins; FORCE_COLOR colours a pipe as well. */
export function openTerminal(stdout: OutputStream, stderr: OutputStream, env: NodeJS.ProcessEnv): Terminal {
  const channel = (stream: OutputStream): Channel => ({ stream, colours: pc.createColors(isColoured(stream, env)) });
  return {
    out: channel(stdout),
    err: channel(stderr),
    live: stderr.isTTY === true && stderr.rows !== 0 && env.TERM !== "dumb" && (env.CI ?? "") === "",
  };
}

function isColoured(stream: OutputStream, env: NodeJS.ProcessEnv): boolean {
  if ((env.NO_COLOR ?? "") !== "") return false;
  if ((env.FORCE_COLOR ?? "") !== "" && env.FORCE_COLOR !== "0") return true;
  return stream.isTTY === true && env.TERM !== "dumb";
}

/** Columns a line may use: those of the terminal, 80 of one that does not say; a pipe or file has no edge. */
export function widthOf(channel: Channel): number {
  return channel.stream.isTTY === true ? channel.stream.columns || 80 : Number.POSITIVE_INFINITY;
}

/** A line (or several) of result. */
export function print(terminal: Terminal, text: string): void {
  terminal.out.stream.write(`${text}\n`);
}

/** A line (or several) of message. */
export function note(terminal: Terminal, text: string): void {
  terminal.err.stream.write(`${text}\n`);
}

/** The one JSON document of a command. */
export function printDocument(terminal: Terminal, document: unknown): void {
  print(terminal, JSON.stringify(document, null, 2));
}

/** One JSON event, on a line of its own. */
export function printEvent(terminal: Terminal, event: unknown): void {
  print(terminal, JSON.stringify(event));
}
