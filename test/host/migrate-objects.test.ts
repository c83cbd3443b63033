/** A workspace whose objects alone move to a server: the database with inventory, audit and log stays where it is. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openFolderStore } from "../../src/adapters/local/object-store.ts";
import { openS3Store, type S3Store } from "../../src/adapters/minio/object-store.ts";
import { BUCKETS } from "../../src/domain/stage.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import { ListRows } from "../../src/protocol/messages.ts";
import type { MigrationReport } from "../../src/protocol/migrate-stores.ts";
import { documentOf, eda } from "../support/cli.ts";
import { collect } from "../support/collect.ts";
import { openTestHost, type TestHost } from "../support/host.ts";
import { minioProgram, type S3Server, startMinio } from "../support/servers/minio.ts";
import { SMALL_PROJECT } from "../support/small-project.ts";
import { createWorkspace, type TestWorkspace } from "../support/workspace.ts";

const STAGES = ["capture", "ingest", "staging"] as const;

describe.skipIf(minioProgram === undefined)("moving the objects alone", () => {
  let server: S3Server;
  let there: S3Store;
  let workspace: TestWorkspace;
  let env: NodeJS.ProcessEnv;
  let host: TestHost | undefined;
  let before: { readonly versions: readonly string[]; readonly rows: readonly unknown[]; readonly runs: readonly string[] };

  const migrate = () => eda(["migrate-stores", "--json", "--workspace", workspace.folder], { env });
  const stateOf = async ({ rpc, records }: TestHost) => ({
    rows: (await rpc.sendRequest(ListRows, { inventory: "raw", project: SMALL_PROJECT, limit: 1000 })).items,
    runs: (await records()).map(({ run }) => run),
  });

  beforeAll(async () => {
    server = await startMinio();
    there = openS3Store(server.access);
    const { endpoint, accessKey, secretKey } = server.access;
    env = { EDA_S3_ENDPOINT: endpoint, EDA_S3_ACCESS_KEY: accessKey, EDA_S3_SECRET_KEY: secretKey };
    workspace = createWorkspace("objects");
    host = await openTestHost(workspace.folder);
    for (const stage of STAGES) expect(await host.run(stage)).toMatchObject({ state: "succeeded" });
    before = {
      ...(await stateOf(host)),
      versions: await contents(openFolderStore(join(workspace.folder, ".eda", "objects"))),
    };
    await host.stop();
    host = undefined;
  });

  afterAll(async () => {
    await host?.stop();
    await there?.close();
    await server?.stop();
    workspace?.remove();
  });

  it("copies every version, and says that nothing else was to be moved", async () => {
    const result = await migrate();
    expect(result, result.stderr + result.stdout).toMatchObject({ code: 0 });
    expect(documentOf<MigrationReport>(result)).toMatchObject({
      state: "moved",
      objects: { count: before.versions.length, to: expect.stringMatching(/^S3 http/u) },
      inventory: null,
      runLog: null,
      verification: { ok: true, problems: [] },
    });
    expect(before.versions.length).toBeGreaterThan(STAGES.length);
    expect(await contents(there)).toEqual(before.versions);
  });

  it("has nothing to do when it is repeated", async () => {
    expect(documentOf<MigrationReport>(await migrate())).toMatchObject({ state: "nothing-to-do", objects: null });
  });

  it("keeps rows and runs in the database that stays, and goes on with the objects there", async () => {
    host = await openTestHost(workspace.folder, { env });
    expect(await stateOf(host)).toEqual({ rows: before.rows, runs: before.runs });
    expect(await host.run("ingest")).toMatchObject({ state: "unchanged" });
    const curated = await host.run("curation");
    expect(curated, JSON.stringify(curated.error)).toMatchObject({ state: "succeeded" });
    expect((await contents(there)).filter((name) => name.startsWith("curated-data/")).length).toBeGreaterThan(0);
    expect(await host.verify()).toMatchObject({ problems: [] });
  });
});

/** Every version as place and content, ordered: version ids are the store's own. */
async function contents(store: ObjectStore): Promise<readonly string[]> {
  const names: string[] = [];
  for (const bucket of BUCKETS) {
    names.push(...(await collect(store.versions(bucket, ""), ({ key, sha256, run }) => `${bucket}/${key} ${sha256} ${run}`)));
  }
  return names.sort();
}
