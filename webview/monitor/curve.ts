/** Curves as numbers: smoothing, thinning to what a screen can show, and their extremes. NaN is "no value". */

export interface Curve {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/**
 * Exponential moving average without the bias of its start, as TensorBoard smooths. NaN stays NaN and does not take part.
 * @param weight of the past, 0 (none) to 0.99
 */
export function smoothed(y: Float64Array, weight: number): Float64Array {
  if (weight === 0) return y;
  const result = new Float64Array(y.length);
  let average = 0;
  let correction = 1;
  for (let index = 0; index < y.length; index += 1) {
    const value = y[index] as number;
    if (Number.isNaN(value)) {
      result[index] = Number.NaN;
      continue;
    }
    average = average * weight + (1 - weight) * value;
    correction *= weight;
    result[index] = average / (1 - correction);
  }
  return result;
}

/** The part of a curve between two values of x, with one point more at either end so that lines reach the edge. x ascends. */
export function between({ x, y }: Curve, from: number, to: number): Curve {
  const start = Math.max(0, firstAtLeast(x, from) - 1);
  const end = Math.min(x.length, firstAtLeast(x, to) + 2);
  return { x: x.subarray(start, end), y: y.subarray(start, end) };
}

/**
 * Largest-Triangle-Three-Buckets: at most `limit` points that look like all of them (Steinarsson 2013,
 * https://skemman.is/handle/1946/15343). First and last stay. Points without a value are left out.
 */
export function thinned(curve: Curve, limit: number): Curve {
  const { x, y } = withValues(curve);
  const count = x.length;
  if (count <= limit || limit < 3) return { x, y };
  const kept = new Uint32Array(limit);
  kept[limit - 1] = count - 1;
  const size = (count - 2) / (limit - 2);
  let last = 0;
  for (let bucket = 0; bucket < limit - 2; bucket += 1) {
    const start = Math.floor(bucket * size) + 1;
    const end = Math.floor((bucket + 1) * size) + 1;
    const next = centre(x, y, end, Math.min(Math.floor((bucket + 2) * size) + 1, count));
    last = largestTriangle(x, y, last, start, end, next);
    kept[bucket + 1] = last;
  }
  return { x: Float64Array.from(kept, (index) => x[index] as number), y: Float64Array.from(kept, (index) => y[index] as number) };
}

/** Where a curve is lowest or highest; undefined without a value. */
export function extreme({ x, y }: Curve, which: "lowest" | "highest"): { readonly x: number; readonly y: number } | undefined {
  let best = -1;
  for (let index = 0; index < y.length; index += 1) {
    const value = y[index] as number;
    if (Number.isNaN(value)) continue;
    const isBetter = best < 0 || (which === "lowest" ? value < (y[best] as number) : value > (y[best] as number));
    if (isBetter) best = index;
  }
  return best < 0 ? undefined : { x: x[best] as number, y: y[best] as number };
}

export function lastValue(y: Float64Array): number | undefined {
  for (let index = y.length - 1; index >= 0; index -= 1) if (!Number.isNaN(y[index] as number)) return y[index];
  return undefined;
}

function withValues({ x, y }: Curve): Curve {
  let count = 0;
  for (const value of y) if (!Number.isNaN(value)) count += 1;
  if (count === y.length) return { x, y };
  const kept = { x: new Float64Array(count), y: new Float64Array(count) };
  let next = 0;
  for (let index = 0; index < y.length; index += 1) {
    if (Number.isNaN(y[index] as number)) continue;
    kept.x[next] = x[index] as number;
    kept.y[next] = y[index] as number;
    next += 1;
  }
  return kept;
}

function firstAtLeast(values: Float64Array, wanted: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

function centre(x: Float64Array, y: Float64Array, start: number, end: number): { readonly x: number; readonly y: number } {
  let sumX = 0;
  let sumY = 0;
  for (let index = start; index < end; index += 1) {
    sumX += x[index] as number;
    sumY += y[index] as number;
  }
  return { x: sumX / (end - start), y: sumY / (end - start) };
}

function largestTriangle(
  x: Float64Array,
  y: Float64Array,
  from: number,
  start: number,
  end: number,
  to: { readonly x: number; readonly y: number },
): number {
  const fromX = x[from] as number;
  const fromY = y[from] as number;
  let best = start;
  let largest = -1;
  for (let index = start; index < end; index += 1) {
    const area = Math.abs((fromX - to.x) * ((y[index] as number) - fromY) - (fromX - (x[index] as number)) * (to.y - fromY));
    if (area > largest) {
      largest = area;
      best = index;
    }
  }
  return best;
}
