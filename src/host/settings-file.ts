/** The text of `configs/eda.yaml`, and the part of it that must be known before anything is open. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { parseConfig } from "../domain/config-file.ts";
import { SETTINGS_FILE } from "../domain/governed.ts";
import { type StoresInput, storesSchema } from "../domain/stores.ts";

/** The rest of the file may be wrong: a host must run for a person to be told so. */
const storesPart = z.looseObject({ stores: storesSchema.prefault({}) });

/** A workspace that is not laid out yet has no settings file: that is the same as an empty one. */
export function readSettingsText(workspace: string): string {
  try {
    return readFileSync(join(workspace, SETTINGS_FILE), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

/**
 * `stores` of a settings text. A text that is no YAML counts as one without them only when it does not mention them: data must not go
 * elsewhere for a slip of the pen.
 * @throws EdaError `precondition` `invalid-config`
 */
export function storesOf(text: string): StoresInput {
  try {
    return parseConfig(storesPart, SETTINGS_FILE, text).stores;
  } catch (error) {
    if (/\bstores\b/u.test(text)) throw error;
    return {};
  }
}
