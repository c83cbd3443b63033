/**
 * A file's bytes pass twice, once to be hashed and once to be stored. Each pass counts for half, so that progress moves all the time and
 * ends at the size.
 */
export interface PassMeter {
  readonly advance: (bytes: number) => void;
  /** Reports what is left: for contents that need no second pass. Idempotent. */
  finish(): void;
}

export function createPassMeter(onBytes: ((bytes: number) => void) | undefined, size: number): PassMeter {
  let passed = 0;
  let reported = 0;
  const report = (upTo: number) => {
    const bytes = Math.min(upTo, size) - reported;
    if (bytes <= 0) return;
    reported += bytes;
    onBytes?.(bytes);
  };
  return {
    advance(bytes) {
      passed += bytes;
      report(Math.floor(passed / 2));
    },
    finish: () => report(size),
  };
}
