import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../../src/domain/json.ts";
import { listsText, type Manifest, manifestPath, manifestSha256, manifestText } from "../../../src/domain/manifest.ts";

const MANIFEST: Manifest = {
  manifestVersion: 1,
  run: "20261124-153012-k3f9qz",
  project: "voos",
  stage: "ingest",
  state: "planned",
  actor: "Ana Conceição",
  requestedAt: "2026-11-24T15:30:12.000Z",
  code: [{ path: "configs/projects/voos.yaml", sha256: "ab" }],
  fingerprint: "cd",
  totals: { inputs: 0, inputBytes: 0, outputs: 0, outputBytes: 0 },
  details: {},
};

describe("a manifest", () => {
  it("lies below its project and stage, in a folder that is governed", () => {
    expect(manifestPath("voos", "ingest", MANIFEST.run)).toBe("eda/manifests/voos/ingest/20261124-153012-k3f9qz.json");
  });

  it("is the same text whatever the order of its members", () => {
    const reversed = Object.fromEntries(Object.entries(MANIFEST).reverse()) as unknown as Manifest;
    expect(manifestText(reversed)).toBe(manifestText(MANIFEST));
  });

  it("keeps the order of its lists", () => {
    const code = [
      { path: "b", sha256: "1" },
      { path: "a", sha256: "2" },
    ];
    expect(JSON.parse(manifestText({ ...MANIFEST, code })).code).toEqual(code);
  });

  it("is indented JSON with a final line feed and readable accents", () => {
    const text = manifestText(MANIFEST);
    expect(text).toMatch(/^\{\n {2}"actor": "Ana Conceição",\n {2}"code": \[\n/u);
    expect(text.endsWith("}\n")).toBe(true);
    expect(JSON.parse(text)).toEqual(MANIFEST);
  });

  it("drops members that are undefined", () => {
    expect(manifestText({ ...MANIFEST, details: { rejected: undefined } })).toBe(manifestText(MANIFEST));
  });

  it("is hashed as it is written, in UTF-8", () => {
    const text = manifestText(MANIFEST);
    expect(manifestSha256(text)).toBe(createHash("sha256").update(Buffer.from(text, "utf8")).digest("hex"));
    expect(manifestSha256(manifestText({ ...MANIFEST, state: "failed" }))).not.toBe(manifestSha256(text));
  });
});

it("writes long lists in pieces that together are their RFC 8785 form", () => {
  const input = { uri: "local:a#1", name: "a", size: 1, sha256: null };
  const output = { name: "b", uri: "raw-data/b", size: 2, sha256: "0".repeat(64), aliasOf: null };
  for (const lists of [
    { inputs: [], outputs: [] },
    { inputs: [input, { ...input, name: "ação" }], outputs: [output, output] },
  ]) {
    expect([...listsText(lists)].join("")).toBe(canonicalJson(lists));
  }
});
