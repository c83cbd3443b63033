import { describe } from "vitest";
import { changesCases } from "./repository-changes.ts";
import { commitCases } from "./repository-commits.ts";
import { historyCases } from "./repository-history.ts";
import { hookCases } from "./repository-hooks.ts";
import { preflightCases } from "./repository-preflight.ts";
import { pushCases } from "./repository-push.ts";
import { scanCases } from "./repository-scan.ts";
import type { OpenRepository } from "./repository-world.ts";

/** What every Repository must do, on real Git in temporary folders. */
export function repositoryContract(name: string, open: OpenRepository): void {
  describe(name, () => {
    preflightCases(open);
    changesCases(open);
    scanCases(open);
    commitCases(open);
    hookCases(open);
    historyCases(open);
    pushCases(open);
  });
}
