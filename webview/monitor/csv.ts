/** Metrics as CSV (RFC 4180): a row a point, a column a metric. */
import type { SeriesStore } from "./series-store.ts";

export function metricsCsv(points: SeriesStore): string {
  const names = points.names;
  const rows = [["attempt", "step", "time", ...names].map(quoted).join(",")];
  for (const attempt of points.attempts) {
    const columns = names.map((name) => points.curve(attempt, name, "step")?.y);
    const first = names.find((name) => points.curve(attempt, name, "step") !== undefined);
    if (first === undefined) continue;
    const steps = points.curve(attempt, first, "step")?.x ?? new Float64Array();
    const times = points.curve(attempt, first, "time")?.x ?? new Float64Array();
    steps.forEach((step, index) => {
      const values = columns.map((column) => column?.[index] ?? Number.NaN);
      const cells = [step, new Date(times[index] as number).toISOString(), ...values.map((value) => (Number.isNaN(value) ? "" : value))];
      rows.push([quoted(attempt), ...cells].join(","));
    });
  }
  return `${rows.join("\r\n")}\r\n`;
}

/** A leading = + - @ would be a formula to a spreadsheet. */
function quoted(text: string): string {
  const safe = /^[=+\-@]/u.test(text) ? `'${text}` : text;
  return /[",\r\n]/u.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
