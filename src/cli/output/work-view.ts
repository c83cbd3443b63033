/** Progress of a long request that is not a run. */
import type { RunProgress } from "../../domain/run.ts";
import { printable } from "../../domain/printable.ts";
import { openLiveRegion } from "./live-region.ts";
import { renderAmounts, renderBar } from "./progress-line.ts";
import { PaceMeter } from "./rate.ts";
import { note, type Terminal, widthOf } from "./terminal.ts";

/** Between two lines where lines cannot be redrawn. */
const PLAIN_PROGRESS_MS = 5_000;

export interface WorkView {
  progress(progress: RunProgress): void;
  close(): void;
}

/** @param now clock in milliseconds */
export function openWorkView(terminal: Terminal, now: () => number = () => performance.now()): WorkView {
  const region = openLiveRegion(terminal);
  const pace = new PaceMeter();
  let lastPlain = now();
  return {
    progress: (progress) => {
      const at = now();
      const speed = pace.add(progress, at);
      region.draw(renderBar(progress, speed, widthOf(terminal.err), terminal.err.colours));
      if (terminal.live || at - lastPlain < PLAIN_PROGRESS_MS) return;
      lastPlain = at;
      note(terminal, `${renderAmounts(progress, speed)}  ${printable(progress.label)}`);
    },
    close: () => region.close(),
  };
}
