/** Runs `suite/` inside VS Code's extension host; each of its tests is one here. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { canTestExtension } from "../support/code-server.ts";
import { runInExtensionHost } from "../support/extension-host.ts";
import { openTestHost } from "../support/host.ts";
import { SMALL_DRIVE, writeFiles } from "../support/small-project.ts";
import { createWorkspace } from "../support/workspace.ts";
import type { HostedResult } from "./results.ts";

/** More than a page of ten, so that paging has something to page. */
const NOTES = Object.fromEntries(
  Array.from({ length: 12 }, (_, index) => [`notas/${String(index + 1).padStart(2, "0")}.txt`, `nota ${index + 1}\n`]),
);

const results = canTestExtension() ? await runSuite() : [];

describe.skipIf(results.length === 0)("inside the extension host", () => {
  for (const { name, error } of results) {
    it(name, () => {
      expect(error).toBeNull();
    });
  }
});

async function runSuite(): Promise<readonly HostedResult[]> {
  const workspace = createWorkspace("extension-host");
  writeFiles(join(workspace.folder, SMALL_DRIVE), NOTES);
  try {
    return await runInExtensionHost(join(import.meta.dirname, "suite", "index.ts"), workspace.folder);
  } finally {
    await (await openTestHost(workspace.folder)).stop();
    workspace.remove();
  }
}
