/**
 * `@jupyterlab/services` writes to the console by itself, WebSocket addresses included, and takes no logger. While one of its
 * connections is open, the console of this process leads to the log instead.
 */
const METHODS = ["debug", "log", "info", "warn", "error"] as const;

let holders = 0;
let originals: Partial<Pick<Console, (typeof METHODS)[number]>> = {};

/** @returns gives the console back; call it exactly once */
export function quietConsole(log: (message: string) => void): () => void {
  if (holders === 0) {
    originals = {};
    for (const method of METHODS) {
      originals[method] = console[method];
      console[method] = (...parts: unknown[]) => log(`jupyter client: ${parts.map(describe).join(" ")}`);
    }
  }
  holders += 1;
  return () => {
    holders -= 1;
    if (holders === 0) Object.assign(console, originals);
  };
}

function describe(part: unknown): string {
  const text = part instanceof Error ? part.message : typeof part === "string" ? part : "…";
  return text.replace(/(token=)[^&\s]+/giu, "$1…").slice(0, 500);
}
