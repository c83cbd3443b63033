/** What every engine must do; run over each adapter by the tests beside it. */
import { describe } from "vitest";
import type { OpenEngine } from "./engine.bench.ts";
import { describeFormats } from "./engine-formats.suite.ts";
import { describeRejects } from "./engine-rejects.suite.ts";
import { describeSelect } from "./engine-select.suite.ts";
import { describeSplit } from "./engine-split.suite.ts";
import { describeStaging } from "./engine-staging.suite.ts";

export function engineContract(name: string, open: OpenEngine): void {
  for (const suite of [describeFormats, describeRejects, describeStaging, describeSelect, describeSplit]) {
    describe(`engine contract: ${name}`, () => suite(open));
  }
}
