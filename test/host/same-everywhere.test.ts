/** The demonstration's seven stages on servers and on the embedded stores: the same rows, hashes, lineage and commits. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CreateDemo, InitWorkspace } from "../../src/protocol/messages.ts";
import { openTestHost, type TestHost } from "../support/host.ts";
import { hasRealStores, type RealStores, startRealStores } from "../support/real-stores.ts";
import { gitIdentity, temporaryFolder } from "../support/small-project.ts";
import { workspaceAt } from "../support/workspace.ts";
import { type ProjectState, readState } from "../support/workspace-state.ts";

const PROJECT = "projeto_voos";
const DRIVE_FOLDER = ".eda/drive/projeto_voos";
const DEMO_TIMEOUT_MS = 900_000;

describe.skipIf(!hasRealStores)("the demonstration on servers and on the embedded stores", () => {
  let stores: RealStores;
  const hosts: TestHost[] = [];
  let embedded: ProjectState;
  let served: ProjectState;

  const runDemo = async (env: NodeJS.ProcessEnv, prepare: (workspace: string) => void = () => undefined) => {
    const host = await openTestHost(temporaryFolder("demo"), { env: { ...gitIdentity(), ...env } });
    hosts.push(host);
    await host.rpc.sendRequest(InitWorkspace, { actor: "ana" });
    await host.rpc.sendRequest(CreateDemo, { actor: "ana" });
    prepare(host.workspace);
    for (const run of await host.startRun("all", { project: PROJECT })) {
      const summary = await host.endOf(run);
      expect(summary, JSON.stringify(summary.error)).toMatchObject({ state: "succeeded" });
    }
    expect(await host.verify(PROJECT)).toMatchObject({ problems: [] });
    return workspaceAt(host.workspace);
  };

  beforeAll(async () => {
    stores = await startRealStores();
    embedded = await readState(await runDemo({}), PROJECT);
    const { env, databaseUrl } = await stores.environment();
    const workspace = await runDemo(env, (folder) => {
      stores.fillDrive(folder, DRIVE_FOLDER);
      // What is captured comes from the server, or not at all.
      rmSync(join(folder, DRIVE_FOLDER), { recursive: true });
    });
    served = await readState(workspace, PROJECT, { databaseUrl, objects: stores.openObjects() });
  }, DEMO_TIMEOUT_MS);

  afterAll(async () => {
    for (const host of hosts) {
      await host.stop();
      workspaceAt(host.workspace).remove();
    }
    await stores?.stop();
  });

  it.each([
    ["inventory rows, with sizes and hashes", "rows"],
    ["object versions, with their contents", "objects"],
    ["edges of lineage", "edges"],
    ["audit entries", "audit"],
    ["runs", "runs"],
    ["raw files", "rawFiles"],
    ["commits, with their subjects, trailers and files", "commits"],
  ] as const)("gives the same %s", (_, part) => {
    expect(embedded[part].length).toBeGreaterThan(5);
    expect(plain(served[part])).toEqual(plain(embedded[part]));
  });
});

/** Ids, versions and owners are Drive's own. */
function plain(part: readonly unknown[]): unknown[] {
  return part
    .map((entry) =>
      JSON.stringify(entry)
        .replace(/"(drive_id|versao|dono)":("[^"]*"|null)/gu, '"$1":"of the drive"')
        .replace(/drive:.*? → /gu, "drive:file → "),
    )
    .sort();
}
