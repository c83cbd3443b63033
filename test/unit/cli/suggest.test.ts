import { describe, expect, it } from "vitest";
import { unknownName } from "../../../src/cli/suggest.ts";
import { nearest } from "../../../src/domain/nearest.ts";
import { INVENTORIES, STAGES } from "../../../src/domain/stage.ts";

const stages = STAGES.map((stage) => stage.id);

describe("nearest", () => {
  it.each([
    ["stagin", "staging"],
    ["CURATION", "curation"],
    ["cap", "capture"],
    ["dataset", "datasets"],
    ["modelling", "modeling"],
  ])("takes %s for %s", (typed, meant) => {
    expect(nearest(typed, stages)).toBe(meant);
  });

  it("does not guess when nothing is near", () => {
    expect(nearest("xyzzy", stages)).toBeUndefined();
    expect(nearest("a", [])).toBeUndefined();
  });
});

describe("unknownName", () => {
  it("is a usage error that names the nearest and all known names, and defuses what was typed", () => {
    const error = unknownName("inventory", "ra\u001bw", INVENTORIES);
    expect(error.kind).toBe("usage");
    expect(error.message).toBe(String.raw`unknown inventory 'ra\u{1b}w'`);
    expect(error.todo).toBe("Did you mean raw? Known: raw, staging, curated, datasets, models.");
  });
});
