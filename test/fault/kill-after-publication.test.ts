import { expect, it } from "vitest";
import { FAULT_LABELS } from "../../src/host/fault-points.ts";
import { BEFORE_PUBLICATION, FROM_PUBLICATION } from "./labels.ts";
import { killEverywhere } from "./kill-everywhere.ts";

killEverywhere("a host killed while or after the results are published", FROM_PUBLICATION);

it("no label is left out", () => {
  expect([...BEFORE_PUBLICATION, ...FROM_PUBLICATION].toSorted()).toEqual(FAULT_LABELS.toSorted());
});
