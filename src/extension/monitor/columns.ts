/** Curves as the page takes them: typed columns, NaN for "no value". */
import type { JobPoints, JobReadings } from "../../protocol/jobs.ts";
import type { Columns } from "../../protocol/monitor-messages.ts";

const MIB_A_GIB = 1024;
const BYTES_A_GIB = 1024 ** 3;

export function pointColumns({ attempt, steps, times, values }: JobPoints): Columns {
  return {
    attempt,
    steps: Float64Array.from(steps),
    times: Float64Array.from(times),
    values: Object.fromEntries(Object.entries(values).map(([name, column]) => [name, numbers(column)])),
  };
}

/** Readings have no steps: they are drawn over time. */
export function readingColumns(readings: JobReadings): Columns {
  const times = Float64Array.from(readings.times);
  return {
    attempt: readings.attempt,
    steps: times,
    times,
    values: {
      utilization: numbers(readings.utilization),
      memoryUsedGiB: numbers(readings.memoryUsedMiB, MIB_A_GIB),
      temperatureC: numbers(readings.temperatureC),
      powerW: numbers(readings.powerW),
      residentGiB: numbers(readings.residentBytes, BYTES_A_GIB),
    },
  };
}

function numbers(column: readonly (number | null)[], unit = 1): Float64Array<ArrayBuffer> {
  return Float64Array.from(column, (value) => (value === null ? Number.NaN : value / unit));
}
