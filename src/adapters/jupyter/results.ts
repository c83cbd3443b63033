/** What a notebook left in `results/`: its metrics, checked, and its artefacts, listed. */
import { lstat, readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { EdaError } from "../../domain/errors.ts";
import type { Json, JsonObject } from "../../domain/json.ts";
import { printable } from "../../domain/printable.ts";

const METRICS_FILE = "metrics.json";
const MAX_METRICS_BYTES = 1024 * 1024;

/** @throws EdaError `terminal` `metrics-missing` or `metrics-invalid` */
export async function readMetrics(resultsFolder: string): Promise<JsonObject> {
  const file = join(resultsFolder, METRICS_FILE);
  const found = await lstat(file).catch(() => undefined);
  if (found === undefined) {
    throw new EdaError("terminal", "metrics-missing", `The notebook ended without writing results/${METRICS_FILE}.`, {
      todo: `Let its last cell write its metrics, a JSON object, to ${METRICS_FILE} in eda_results_dir.`,
    });
  }
  if (!found.isFile()) throw invalid("is not a regular file");
  if (found.size > MAX_METRICS_BYTES) throw invalid(`has ${found.size} bytes, more than ${MAX_METRICS_BYTES}`);
  let metrics: Json;
  try {
    metrics = JSON.parse(await readFile(file, "utf8")) as Json;
  } catch (error) {
    // Python's json module writes NaN and Infinity, which JSON does not know.
    throw invalid(`is not JSON (${(error as Error).message})`, error);
  }
  if (typeof metrics !== "object" || metrics === null || Array.isArray(metrics)) throw invalid("is not a JSON object");
  const infinite = findInfinite(metrics, []);
  if (infinite !== undefined) throw invalid(`holds a number that is not finite, at ${infinite}`);
  return metrics as JsonObject;
}

/**
 * Files below the folder, relative, with `/`, ordered.
 * @throws EdaError `terminal` `unsafe-artefact` naming what is neither a file nor a folder: a link could lead anywhere
 */
export async function listArtefacts(resultsFolder: string): Promise<string[]> {
  const entries = await readdir(resultsFolder, { recursive: true, withFileTypes: true });
  const files: string[] = [];
  for (const entry of entries) {
    const path = relative(resultsFolder, join(entry.parentPath, entry.name)).split(sep).join("/");
    if (entry.isDirectory() || path.split("/").includes(".ipynb_checkpoints")) continue;
    if (!entry.isFile()) {
      throw new EdaError("terminal", "unsafe-artefact", `results/${printable(path)} is a link or a special file.`, {
        todo: "Let the notebook write a copy instead.",
      });
    }
    files.push(path);
  }
  return files.sort();
}

function findInfinite(value: Json | undefined, path: readonly string[]): string | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? undefined : path.join(".");
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, item] of Object.entries(value)) {
    const found = findInfinite(item as Json | undefined, [...path, key]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function invalid(problem: string, cause?: unknown): EdaError {
  return new EdaError("terminal", "metrics-invalid", `results/${METRICS_FILE} ${problem}.`, {
    todo: "Write a JSON object whose numbers are finite.",
    ...(cause === undefined ? {} : { cause }),
  });
}
