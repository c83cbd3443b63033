/** The bottom lines of a terminal that are redrawn, with everything else scrolling above them. */
import { createLogUpdate } from "log-update";
import type { Terminal } from "./terminal.ts";

export interface LiveRegion {
  /** Replaces the region. */
  draw(text: string): void;
  /** Takes the region away, writes, and leaves it to the next `draw` to bring it back. */
  above(write: () => void): void;
  close(): void;
}

/** Without a terminal to redraw on, drawing does nothing. */
export function openLiveRegion(terminal: Terminal): LiveRegion {
  if (!terminal.live) return { draw: () => undefined, above: (write) => write(), close: () => undefined };
  const region = createLogUpdate(terminal.err.stream);
  return {
    draw: (text) => region(text),
    above: (write) => {
      region.clear();
      write();
    },
    close: () => {
      region.clear();
      region.done();
    },
  };
}
