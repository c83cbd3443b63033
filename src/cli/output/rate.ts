/** Speed and time left of a progress, over its last seconds. */
import type { RunProgress } from "../../domain/run.ts";

const WINDOW_MS = 10_000;
/** Below this much observation a speed is a guess. */
const MIN_OBSERVED_MS = 1_000;

export interface Pace {
  /** Units a second; undefined while unknown. */
  readonly rate: number | undefined;
  /** Milliseconds left; undefined while unknown. */
  readonly left: number | undefined;
}

/** Feed it every progress; it starts anew when another work begins (other unit or total, or going back). */
export class PaceMeter {
  #samples: { readonly at: number; readonly done: number }[] = [];
  #last: RunProgress | undefined;

  add(progress: RunProgress, now: number): Pace {
    const last = this.#last;
    if (last === undefined || last.unit !== progress.unit || last.total !== progress.total || progress.done < last.done) this.#samples = [];
    this.#last = progress;
    this.#samples.push({ at: now, done: progress.done });
    // One sample from before the window stays, so that the window is always covered.
    while (this.#samples.length > 2 && (this.#samples[1]?.at ?? now) <= now - WINDOW_MS) this.#samples.shift();
    return this.pace(now);
  }

  pace(now: number): Pace {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || now - first.at < MIN_OBSERVED_MS || last.done === first.done) {
      return { rate: undefined, left: undefined };
    }
    const rate = (last.done - first.done) / ((now - first.at) / 1000);
    const remaining = (this.#last?.total ?? 0) - last.done;
    return { rate, left: remaining > 0 ? (remaining / rate) * 1000 : undefined };
  }
}
