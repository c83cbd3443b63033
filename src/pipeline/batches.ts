/** Cutting many files into units: each unit is one checkpoint, so small files share one and a large file has its own. */

/** Of a unit. */
const UNIT_LIMITS: BatchLimits = { files: 2_000, bytes: 256 * 1024 * 1024 };

export interface BatchLimits {
  readonly files: number;
  /** Also the size of a batch, unless one item alone is larger. */
  readonly bytes: number;
}

export function inBatches<T>(items: readonly T[], sizeOf: (item: T) => number, limits = UNIT_LIMITS): T[][] {
  const batches: T[][] = [];
  let current: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = sizeOf(item);
    if (current.length > 0 && (current.length >= limits.files || bytes + size > limits.bytes)) {
      batches.push(current);
      current = [];
      bytes = 0;
    }
    current.push(item);
    bytes += size;
  }
  if (current.length > 0) batches.push(current);
  return batches;
}
