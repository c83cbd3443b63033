/** Numbers, sizes and times in the language of the editor. Set once at activation; English otherwise, as in tests. */
import * as l10n from "@vscode/l10n";
import prettyBytes from "pretty-bytes";
import { printable } from "../../domain/printable.ts";

let language = "en";
/** Found when first needed: asking ICU costs more than all the rest of the activation. */
let locale: string | undefined;

/** @param bundle translations as the editor loaded them; undefined in English */
export function useLanguage(name: string, bundle: Readonly<Record<string, string>> | undefined): void {
  language = name;
  locale = undefined;
  if (bundle !== undefined) l10n.config({ contents: { ...bundle } });
}

function currentLocale(): string {
  locale ??= supportedLocale();
  return locale;
}

function supportedLocale(): string {
  try {
    return Intl.NumberFormat.supportedLocalesOf(language)[0] ?? "en";
  } catch {
    return "en";
  }
}

export function count(value: number): string {
  return new Intl.NumberFormat(currentLocale()).format(value);
}

/** Decimal units (kB, MB), as object stores and disks count. */
export function bytes(value: number): string {
  return prettyBytes(value, { locale: currentLocale() });
}

export function percent(share: number): string {
  return new Intl.NumberFormat(currentLocale(), { style: "percent" }).format(Math.floor(share * 100) / 100);
}

/** A number as a metric is read: six significant digits. */
export function metric(value: number): string {
  return new Intl.NumberFormat(currentLocale(), { maximumSignificantDigits: 6 }).format(value);
}

/** @param milliseconds shown as `850 ms`, `12.3 s`, `3 min 4 s`, `2 h 5 min` */
export function duration(milliseconds: number): string {
  const unit = (value: number, name: string, digits = 0) =>
    new Intl.NumberFormat(currentLocale(), { style: "unit", unit: name, unitDisplay: "short", maximumFractionDigits: digits }).format(
      value,
    );
  const most = Math.max(0, milliseconds);
  if (most < 1000) return unit(most, "millisecond");
  if (most < 60_000) return unit(most / 1000, "second", 1);
  const seconds = Math.floor(most / 1000);
  if (seconds < 3600) return `${unit(Math.floor(seconds / 60), "minute")} ${unit(seconds % 60, "second")}`;
  return `${unit(Math.floor(seconds / 3600), "hour")} ${unit(Math.floor((seconds % 3600) / 60), "minute")}`;
}

/** Local wall-clock time of an ISO 8601 instant. */
export function dateTime(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return printable(iso);
  return new Intl.DateTimeFormat(currentLocale(), { dateStyle: "medium", timeStyle: "medium" }).format(at);
}

const AGE_UNITS = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
] as const;

/** `5 min ago`, `yesterday`. */
export function age(iso: string, now: number): string {
  const seconds = Math.max(0, (now - Date.parse(iso)) / 1000);
  if (Number.isNaN(seconds)) return printable(iso);
  const format = new Intl.RelativeTimeFormat(currentLocale(), { numeric: "auto", style: "short" });
  const [unit, size] = AGE_UNITS.find(([, length]) => seconds >= length) ?? (["second", 1] as const);
  // Seconds would be stale as soon as they are shown.
  return unit === "second" ? format.format(0, "second") : format.format(-Math.floor(seconds / size), unit);
}
