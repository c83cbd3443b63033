import { describe, expect, it } from "vitest";
import { GOVERNED_FOLDERS, isGoverned, projectFilePath, SETTINGS_FILE } from "../../../src/domain/governed.ts";
import { manifestPath } from "../../../src/domain/manifest.ts";

describe("governed", () => {
  it.each([
    ...GOVERNED_FOLDERS.map((folder) => `${folder}/x`),
    ".gitignore",
    "README.md",
    SETTINGS_FILE,
    projectFilePath("voos"),
    manifestPath("voos", "ingest", "20261124-153012-k3f9qz"),
    "sql/ação 1.sql",
    "eda/raw-data-notes.md",
    "notebooks/README.md",
  ])("is %s", (path) => {
    expect(isGoverned(path)).toBe(true);
  });

  it.each([
    "eda/raw-data",
    "eda/raw-data/voos/a.csv",
    ".eda/host.sock",
    ".eda/drive/x",
    "data.csv",
    "docs/README.md",
    "src/sql/x.sql",
    "sql",
    "sqlx/y",
    "readme.md",
    "nested/.gitignore",
    "",
  ])("is not %j", (path) => {
    expect(isGoverned(path)).toBe(false);
  });
});
