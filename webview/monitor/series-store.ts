/** The points of one job as they come in: columns that grow, by attempt. */
import type { Columns } from "../../src/protocol/monitor-messages.ts";
import type { Curve } from "./curve.ts";

export type Axis = "step" | "time";

/** A column with room to grow: adding a point now and then must not copy a hundred thousand. */
class Column {
  #values = new Float64Array(1024);
  #length = 0;

  append(more: Float64Array): void {
    const needed = this.#length + more.length;
    if (needed > this.#values.length) {
      const larger = new Float64Array(Math.max(needed, this.#values.length * 2));
      larger.set(this.view());
      this.#values = larger;
    }
    this.#values.set(more, this.#length);
    this.#length = needed;
  }

  /** Points without a value, for a metric that comes later than others. */
  pad(length: number): void {
    if (length > this.#length) this.append(new Float64Array(length - this.#length).fill(Number.NaN));
  }

  view(): Float64Array {
    return this.#values.subarray(0, this.#length);
  }
}

class AttemptColumns {
  readonly #steps = new Column();
  readonly #times = new Column();
  readonly #values = new Map<string, Column>();

  get names(): Iterable<string> {
    return this.#values.keys();
  }

  append({ steps, times, values }: Columns): void {
    const before = this.#steps.view().length;
    this.#steps.append(steps);
    this.#times.append(times);
    for (const [name, more] of Object.entries(values)) {
      const column = this.#values.get(name) ?? new Column();
      this.#values.set(name, column);
      column.pad(before);
      column.append(more);
    }
    const length = this.#steps.view().length;
    for (const column of this.#values.values()) column.pad(length);
  }

  curve(name: string, axis: Axis): Curve | undefined {
    const y = this.#values.get(name)?.view();
    return y === undefined ? undefined : { x: (axis === "step" ? this.#steps : this.#times).view(), y };
  }
}

export class SeriesStore {
  #attempts = new Map<string, AttemptColumns>();
  #version = 0;

  /** Changes with every point: what was drawn of an equal version still holds. */
  get version(): number {
    return this.#version;
  }

  add(columns: readonly Columns[], isWhole: boolean): void {
    if (isWhole) this.#attempts = new Map();
    for (const each of columns) {
      const attempt = this.#attempts.get(each.attempt) ?? new AttemptColumns();
      this.#attempts.set(each.attempt, attempt);
      attempt.append(each);
    }
    this.#version += 1;
  }

  /** Ordered, so that attempts follow each other. */
  get attempts(): string[] {
    return [...this.#attempts.keys()].sort();
  }

  /** Of all attempts, ordered; losses first. */
  get names(): string[] {
    const names = new Set([...this.#attempts.values()].flatMap((attempt) => [...attempt.names]));
    return [...names].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  }

  curve(attempt: string, name: string, axis: Axis): Curve | undefined {
    return this.#attempts.get(attempt)?.curve(name, axis);
  }
}

/** `loss`, `val_loss` and `train_loss` belong into one chart: the name without its split. */
export function chartOf(name: string): string {
  return name.replace(/^(?:train|training|val|valid|validation|test|eval)[_/-]/u, "");
}

/** Whether less is better, which decides the best value to mark. */
export function isLossLike(name: string): boolean {
  return /loss|error|mae|mse|rmse|perplexity|brier/iu.test(name);
}

function rank(name: string): number {
  return isLossLike(name) ? 0 : 1;
}
