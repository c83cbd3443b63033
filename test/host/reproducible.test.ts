/** Same inputs, same code, same bytes: the demonstration in two workspaces, with one and with two threads of the SQL engine. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StageId } from "../../src/domain/stage.ts";
import { CreateDemo, InitWorkspace, ListRows } from "../../src/protocol/messages.ts";
import { openTestHost, type TestHost } from "../support/host.ts";
import { gitIdentity, temporaryFolder } from "../support/small-project.ts";
import { workspaceAt } from "../support/workspace.ts";

const STAGES: readonly StageId[] = ["capture", "ingest", "staging", "curation", "datasets"];
const PROJECT = "projeto_voos";
const DEMO_TIMEOUT_MS = 600_000;

describe("the demonstration, twice", () => {
  const hosts: TestHost[] = [];
  const objects: Record<string, string>[] = [];

  beforeAll(async () => {
    for (const threads of [1, 2]) {
      const host = await openTestHost(temporaryFolder(`demo-${threads}`), { env: gitIdentity() });
      hosts.push(host);
      await host.rpc.sendRequest(InitWorkspace, { actor: "ana" });
      writeFileSync(join(host.workspace, "configs", "eda.yaml"), `engine:\n  threads: ${threads}\n`);
      await host.rpc.sendRequest(CreateDemo, { actor: "ana" });
      for (const stage of STAGES) {
        const [run] = await host.startRun(stage, { project: PROJECT });
        const summary = await host.endOf(run as string);
        expect(summary, JSON.stringify(summary.error)).toMatchObject({ stage, state: "succeeded" });
      }
      objects.push(await contentsOf(host));
    }
  }, DEMO_TIMEOUT_MS);

  afterAll(async () => {
    for (const host of hosts) {
      await host.stop();
      workspaceAt(host.workspace).remove();
    }
  });

  it("gives every staging, curated and datasets object the same sha256", () => {
    expect(Object.keys(objects[0] ?? {}).length).toBeGreaterThan(10);
    expect(objects[1]).toEqual(objects[0]);
  });
});

/** sha256 by inventory and name. */
async function contentsOf(host: TestHost): Promise<Record<string, string>> {
  const contents: Record<string, string> = {};
  for (const inventory of ["staging", "curated", "datasets"] as const) {
    const { items } = await host.rpc.sendRequest(ListRows, { inventory, project: PROJECT, limit: 1000 });
    for (const row of items) contents[`${inventory}/${row.name}`] = row.sha256;
  }
  return contents;
}
