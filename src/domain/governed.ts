/** Which paths of the repository are governed: only these are committed by a run. Data never is. */

/** Folders of the governed repository (contract). */
export const GOVERNED_FOLDERS = ["infra", "notebooks", "scripts", "sql", "eda", "dockerfiles", "configs"] as const;

/** Local raw data: inside `eda/`, but data, so never in Git. */
export const RAW_DATA_FOLDER = "eda/raw-data";

/** State of the host, embedded stores, caches: never in Git. */
export const STATE_FOLDER = ".eda";

/** @param path inside the repository, with `/`. */
export function isGoverned(path: string): boolean {
  if (path === ".gitignore" || path === "README.md") return true;
  if (path === RAW_DATA_FOLDER || path.startsWith(`${RAW_DATA_FOLDER}/`)) return false;
  return GOVERNED_FOLDERS.some((folder) => path.startsWith(`${folder}/`));
}

export function projectFilePath(project: string): string {
  return `configs/projects/${project}.yaml`;
}

export const SETTINGS_FILE = "configs/eda.yaml";
