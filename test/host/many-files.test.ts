/** A run over so many files that its checkpoints are kept in files: killed, it goes on from them. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { call } from "../../src/protocol/client.ts";
import { PipelineStatus } from "../../src/protocol/messages.ts";
import { openTestHost, type TestHost } from "../support/host.ts";
import { SMALL_PROJECT } from "../support/small-project.ts";
import { readState } from "../support/workspace-state.ts";
import { createWorkspace, type TestWorkspace } from "../support/workspace.ts";

const FILES = 1200;
let workspace: TestWorkspace;
let host: TestHost;

afterEach(async () => {
  await host.stop();
  workspace.remove();
}, 60_000);

it("goes on from its long checkpoints after a kill, and removes them at its end", async () => {
  workspace = createWorkspace("many-files");
  const folder = join(workspace.folder, "eda", "raw-data", SMALL_PROJECT);
  mkdirSync(folder, { recursive: true });
  for (let index = 0; index < FILES; index += 1) writeFileSync(join(folder, `medição-${index}.csv`), `a\n${index}\n`);

  host = await openTestHost(workspace.folder, { env: { EDA_TEST_KILL_AT: `ingest/publish:start/${SMALL_PROJECT}` } });
  const [run] = (await host.startRun("ingest")) as [string];
  await expect(host.endOf(run)).rejects.toThrow();
  await host.kill();
  const work = join(workspace.folder, ".eda", "work", run);
  expect(existsSync(join(work, ".checkpoints", "seal.json"))).toBe(true);

  host = await openTestHost(workspace.folder);
  expect(await host.endOf(run)).toMatchObject({ state: "succeeded", outputs: FILES });
  expect(existsSync(work)).toBe(false);
  const { rows, objects } = await readState(workspace, SMALL_PROJECT);
  expect(rows).toHaveLength(FILES);
  expect(objects.filter((object) => object.includes("medição"))).toHaveLength(FILES);
  expect((await host.verify()).problems).toEqual([]);

  const freshnessOfIngest = async (freshness: boolean) =>
    (await call(host.rpc.sendRequest(PipelineStatus, { freshness })))[0]?.stages.find(({ stage }) => stage === "ingest");
  expect(await freshnessOfIngest(false)).toMatchObject({ freshness: "unknown", lastRun: { run } });
  expect(await freshnessOfIngest(true)).toMatchObject({ freshness: "fresh", lastRun: { run } });
}, 240_000);
