/** Numbers, times and hashes as people read them. */
import prettyBytes from "pretty-bytes";
import prettyMilliseconds from "pretty-ms";
import type { JsonObject } from "../../domain/json.ts";
import { printable } from "../../domain/printable.ts";
import type { RunProgress, RunRecord, RunState, RunTotals } from "../../domain/run.ts";
import { type StageId, STAGES, stageOf } from "../../domain/stage.ts";

const integer = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

export function formatCount(count: number): string {
  return integer.format(count);
}

/** Decimal units (kB, MB), as object stores and disks count. */
export function formatBytes(bytes: number): string {
  return prettyBytes(bytes);
}

/** @param milliseconds of a duration: `850ms`, `12.3s`, `3m 4s`. */
export function formatDuration(milliseconds: number): string {
  return prettyMilliseconds(Math.max(0, milliseconds));
}

/** Local wall-clock time of an ISO 8601 instant: `2026-11-24 15:30:12`. Swedish is the locale that writes it so. */
export function formatTime(iso: string | null): string {
  if (iso === null) return "–";
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? printable(iso) : at.toLocaleString("sv-SE");
}

export function shortHash(hash: string | null): string {
  return hash === null ? "–" : hash.slice(0, 7);
}

export function formatCommits(before: string | null, after: string | null): string {
  if (before === null && after === null) return "–";
  return `${shortHash(before)} → ${shortHash(after)}`;
}

/** `3/7 staging`. */
export function stageLabel(stage: StageId): string {
  return `${stageOf(stage).number}/${STAGES.length} ${stage}`;
}

/** Amount of progress in its own unit: bytes as bytes, the rest as counts. */
export function formatAmount(amount: number, unit: RunProgress["unit"]): string {
  return unit === "bytes" ? formatBytes(amount) : formatCount(amount);
}

export function formatTotals(totals: RunTotals): string {
  const side = (count: number, bytes: number, name: string) => `${formatCount(count)} ${name} (${formatBytes(bytes)})`;
  return `${side(totals.inputs, totals.inputBytes, "in")} → ${side(totals.outputs, totals.outputBytes, "out")}`;
}

/** Milliseconds a run took so far, or in all; undefined before it started. */
export function runDuration(run: RunRecord, now: number): number | undefined {
  if (run.startedAt === null) return undefined;
  const end = run.finishedAt === null ? now : Date.parse(run.finishedAt);
  return end - Date.parse(run.startedAt);
}

export type Tone = "good" | "bad" | "busy" | "quiet";

export function toneOf(state: RunState): Tone {
  if (state === "succeeded") return "good";
  if (state === "failed") return "bad";
  return state === "unchanged" || state === "cancelled" ? "quiet" : "busy";
}

/** Scalars of a nested object as `path value` pairs, arrays as their length; at most `limit` of them. */
export function flattenDetails(details: JsonObject, limit = Number.POSITIVE_INFINITY): (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  const visit = (value: unknown, path: string): void => {
    if (pairs.length >= limit || value === undefined || value === null) return;
    if (Array.isArray(value)) {
      const scalars = value.every((item) => typeof item !== "object") && value.length <= 8;
      pairs.push([path, scalars ? value.map((item) => printable(String(item))).join(", ") : `${value.length} entries`]);
    } else if (typeof value === "object") {
      for (const [key, inner] of Object.entries(value)) visit(inner, path === "" ? key : `${path}.${key}`);
    } else {
      pairs.push([printable(path), formatScalar(value)]);
    }
  };
  visit(details, "");
  return pairs;
}

function formatScalar(value: unknown): string {
  if (typeof value === "number" && !Number.isInteger(value)) return String(Number(value.toPrecision(6)));
  return printable(String(value));
}
