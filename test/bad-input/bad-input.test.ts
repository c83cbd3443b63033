/** Bad input, through the built command line and its host: each with its message and exit code, and no inventory is touched. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { VerifyReport } from "../../src/domain/verification.ts";
import { documentOf } from "../support/cli.ts";
import { openCliWorkspace } from "../support/cli-workspace.ts";
import { dumpInventories } from "../support/inventory-dump.ts";
import { canMount } from "../support/small-disk.ts";
import { type BadInput, Bench } from "./bench.ts";
import { CSV_CASES } from "./csv-cases.ts";
import { DISK_CASES } from "./disk-cases.ts";
import { GIT_CASES } from "./git-cases.ts";
import { NAME_CASES } from "./name-cases.ts";
import { PROJECT_FILE_CASES } from "./project-file-cases.ts";
import { QUERY_CASES } from "./query-cases.ts";

let bench: Bench;

beforeAll(async () => {
  bench = new Bench(await openCliWorkspace({ project: true }));
  for (const stage of ["capture", "ingest", "staging", "curation", "datasets"]) await bench.succeed(`run ${stage}`);
});
afterEach(() => bench.undo());
afterAll(() => bench?.workspace.close());

async function tryOut({ arrange, line, exit, code, says }: BadInput): Promise<void> {
  await arrange?.(bench);
  const before = await dumpInventories(bench.workspace.folder);
  const result = await bench.workspace.eda(line);
  const after = await dumpInventories(bench.workspace.folder);
  const shown = `${result.stdout}${result.stderr}`;
  expect(shown).toContain(`[${code}]`);
  for (const words of says) expect(shown).toMatch(words);
  expect(result.code).toBe(exit);
  expect(after).toEqual(before);
}

describe("the project file", () => {
  it.each(PROJECT_FILE_CASES)("$name: exit $exit, $code", tryOut);
});

describe("names", () => {
  it.each(NAME_CASES)("$name: exit $exit, $code", tryOut);
});

describe("raw files", () => {
  it.each(CSV_CASES)("$name: exit $exit, $code", tryOut);
});

describe("queries, datasets and notebooks", () => {
  it.each(QUERY_CASES)("$name: exit $exit, $code", tryOut);
});

describe("the repository", () => {
  it.each(GIT_CASES)("$name: exit $exit, $code", tryOut);
});

describe.skipIf(!canMount)("the disk (skipped where no disk can be mounted: needs root)", () => {
  it.each(DISK_CASES)("$name: exit $exit, $code", tryOut);
});

describe("after all of it", () => {
  it("there are at least thirty cases", () => {
    const cases = [PROJECT_FILE_CASES, NAME_CASES, CSV_CASES, QUERY_CASES, GIT_CASES, DISK_CASES].flat();
    expect(cases.length).toBeGreaterThanOrEqual(30);
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  });

  it("objects, rows, manifests and audit chain agree, and the good input still goes through", async () => {
    expect(documentOf<VerifyReport>(await bench.workspace.eda("verify --json"))).toMatchObject({ ok: true, problems: [] });
    for (const stage of ["capture", "ingest", "staging", "curation", "datasets"]) await bench.succeed(`run ${stage} --force`);
    expect(bench.git("status", "--porcelain")).toBe("");
  });
});
