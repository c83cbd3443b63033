/** What a notebook prints, as lines of its run's log: bounded, without colours, and of a bar that redraws itself only its last state. */
import { stripVTControlCharacters } from "node:util";

const MAX_LOG_LINES = 20_000;
const MAX_LINE_CHARS = 2_000;

export interface OutputLog {
  /** Pieces as they come: a line may be in two of them. */
  add(text: string): void;
  /** What is still in the middle of a line. */
  end(): void;
}

export function outputLog(log: (line: string) => void): OutputLog {
  let partial = "";
  let lines = 0;
  const line = (raw: string) => {
    const text = lastRewrite(raw);
    if (lines > MAX_LOG_LINES || text === "") return;
    lines += 1;
    if (lines > MAX_LOG_LINES) log(`… output over ${MAX_LOG_LINES} lines is left out of the log`);
    else log(text.length > MAX_LINE_CHARS ? `${text.slice(0, MAX_LINE_CHARS)}…` : text);
  };
  return {
    add(text) {
      const all = (partial + text).split("\n");
      const rest = all.pop() as string;
      // A bar that redraws itself without line feeds must not grow without end.
      partial = rest.length > MAX_LINE_CHARS ? lastRewrite(rest).slice(-MAX_LINE_CHARS) : rest;
      for (const each of all) line(each);
    },
    end() {
      line(partial);
      partial = "";
    },
  };
}

/** What a terminal would show of a line that was rewritten with carriage returns, without colours. */
function lastRewrite(line: string): string {
  const shown = stripVTControlCharacters(line.replace(/\r+$/u, ""));
  return shown.slice(shown.lastIndexOf("\r") + 1);
}
