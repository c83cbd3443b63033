import cliTruncate from "cli-truncate";
import prettyMilliseconds from "pretty-ms";
import type { Colors } from "picocolors/types";
import { printable } from "../../domain/printable.ts";
import type { RunProgress } from "../../domain/run.ts";
import { formatAmount } from "./format.ts";
import type { Pace } from "./rate.ts";

const BAR_WIDTH = 24;

/** `12.3 MB/23 MB  1.2 MB/s  2m 3s left`: what is known of the progress, for any kind of line. */
export function renderAmounts(progress: RunProgress, pace: Pace): string {
  const { done, total, unit } = progress;
  const suffix = unit === "bytes" ? "" : ` ${unit}`;
  const parts = [total > 0 ? `${formatAmount(done, unit)}/${formatAmount(total, unit)}${suffix}` : `${formatAmount(done, unit)}${suffix}`];
  if (pace.rate !== undefined && unit !== "steps") parts.push(`${formatAmount(pace.rate, unit)}${unit === "bytes" ? "" : ` ${unit}`}/s`);
  if (pace.left !== undefined)
    parts.push(`${prettyMilliseconds(pace.left, { compact: pace.left >= 60_000, secondsDecimalDigits: 0 })} left`);
  return parts.join("  ");
}

/** A bar with its numbers and what is being done, cut to the width. */
export function renderBar(progress: RunProgress, pace: Pace, width: number, colours: Colors): string {
  const amounts = renderAmounts(progress, pace);
  const label = printable(progress.label);
  if (progress.total <= 0) return cliTruncate(`  ${amounts}  ${label}`, Math.min(width, 200));
  const share = Math.min(1, Math.max(0, progress.done / progress.total));
  const filled = Math.round(share * BAR_WIDTH);
  const bar = colours.green("█".repeat(filled)) + colours.dim("░".repeat(BAR_WIDTH - filled));
  const percent = `${Math.floor(share * 100)}%`.padStart(4);
  return cliTruncate(`  ${bar} ${percent}  ${amounts}  ${colours.dim(label)}`, Math.min(width, 200));
}
