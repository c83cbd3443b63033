/** Reading and changing single values of `configs/eda.yaml` as a person would: comments, order and all the rest stay. */
import { type Document, isMap, parseDocument } from "yaml";
import { parseConfig } from "./config-file.ts";
import { SETTINGS_FILE } from "./governed.ts";
import { settingsSchema } from "./settings.ts";

/** Keys from the root: `["stores", "objects", "endpoint"]`. */
export type SettingPath = readonly [string, ...string[]];
export type SettingValue = string | number | boolean;

export interface SettingChange {
  readonly path: SettingPath;
  /** Undefined: the key goes, and with it the sections that it leaves empty. */
  readonly value: SettingValue | undefined;
}

/**
 * What the text says at each path; undefined where it says nothing.
 * @throws EdaError `precondition` `invalid-config`
 */
export function valuesAt(text: string, paths: readonly SettingPath[]): readonly (SettingValue | undefined)[] {
  parseConfig(settingsSchema, SETTINGS_FILE, text);
  const document = parseDocument(text);
  return paths.map((path) => document.getIn(path) as SettingValue | undefined);
}

/**
 * The text with the changes in it: itself when they change nothing.
 * @throws EdaError `precondition` `invalid-config` when it is not valid before or after, with what is wrong and where
 */
export function withChanges(text: string, changes: readonly SettingChange[]): string {
  const before = valuesAt(
    text,
    changes.map(({ path }) => path),
  );
  const real = changes.filter(({ value }, index) => value !== before[index]);
  if (real.length === 0) return text;
  const document = parseDocument(text);
  for (const { path, value } of real) {
    if (value === undefined) remove(document, path);
    else document.setIn(path, value);
  }
  const changed = isEmpty(document) ? "" : document.toString({ lineWidth: 0 });
  parseConfig(settingsSchema, SETTINGS_FILE, changed);
  return changed;
}

/** What is wrong with a value by itself, as the end of a sentence that begins with its name; undefined when nothing is. */
export function problemWith(path: SettingPath, value: SettingValue): string | undefined {
  const settings = path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
  const issues = settingsSchema.safeParse(settings).error?.issues ?? [];
  return issues.find((issue) => issue.path.join(".") === path.join("."))?.message;
}

function remove(document: Document, path: SettingPath): void {
  document.deleteIn(path);
  for (let depth = path.length - 1; depth > 0; depth -= 1) {
    const section = document.getIn(path.slice(0, depth), true);
    if (!isMap(section) || section.items.length > 0) return;
    document.deleteIn(path.slice(0, depth));
  }
}

function isEmpty({ contents, comment, commentBefore }: Document): boolean {
  return isMap(contents) && contents.items.length === 0 && !comment && !commentBefore && !contents.comment && !contents.commentBefore;
}
