/** What starting the built command line leaves behind. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { eda } from "../support/cli.ts";

it("keeps its compiled code in the person's own cache folder, and starts without one as well", async () => {
  const cache = mkdtempSync(join(tmpdir(), "eda-cache-"));
  try {
    const kept = await eda(["--version"], { env: { XDG_CACHE_HOME: cache } });
    expect(readdirSync(join(cache, "eda", "compiled"), { recursive: true }).length).toBeGreaterThan(1);
    const homeless = await eda(["--version"], { env: { XDG_CACHE_HOME: "", HOME: "" } });
    expect(homeless).toEqual(kept);
    expect(homeless.code).toBe(0);
  } finally {
    rmSync(cache, { recursive: true });
  }
});
