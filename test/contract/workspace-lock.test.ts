import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { lockForWorkspace, type WorkspaceLock } from "../../src/adapters/postgres/workspace-lock.ts";
import type { EdaError } from "../../src/domain/errors.ts";
import { onServer, startEmbeddedServer, type TestServer } from "../support/postgres.ts";

describe("the lock of a workspace on its database", () => {
  let server: TestServer;
  let url: string;

  beforeAll(async () => {
    server = await startEmbeddedServer();
  });
  afterAll(() => server?.stop());
  beforeEach(async () => {
    url = await server.createDatabase();
  });

  const lock = async (holder: string, onLost: (error: EdaError) => void = () => undefined): Promise<WorkspaceLock> => {
    const held = await lockForWorkspace({ url, holder, onLost });
    onTestFinished(() => held.release());
    return held;
  };
  /** Process of the session that holds it. */
  const holder = () =>
    onServer(url, async (client) => {
      const { rows } = await client.query<{ pid: number }>("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted");
      return rows[0]?.pid;
    });
  const terminate = (pid: number | undefined) => onServer(url, (client) => client.query("SELECT pg_terminate_backend($1)", [pid]));

  it("is held by one, whom the other is told", async () => {
    await lock("/dados/voos on servidor");
    const refused = lock("/dados/outro on servidor");
    await expect(refused).rejects.toMatchObject({ kind: "precondition", code: "database-in-use" });
    await expect(refused).rejects.toThrow("the workspace /dados/voos on servidor");
  });

  it("is free for the next one once it is released, and on another database at any time", async () => {
    const first = await lock("/dados/voos");
    await first.release();
    await lock("/dados/outro");
    url = await server.createDatabase();
    await lock("/dados/terceiro");
  });

  it("is taken again when its session breaks", async () => {
    await lock("/dados/voos");
    const before = await holder();
    await terminate(before);
    await expect.poll(holder, { timeout: 20_000 }).toEqual(expect.any(Number));
    expect(await holder()).not.toBe(before);
  });

  it("is told as lost when another one has it by then", async () => {
    const lost = new Promise<EdaError>((resolve) => void lock("/dados/voos", resolve));
    await expect.poll(holder, { timeout: 20_000 }).toEqual(expect.any(Number));
    const other = new pg.Client({ connectionString: url });
    await other.connect();
    onTestFinished(() => other.end());
    const [keys] = await onServer(url, async (client) => {
      const { rows } = await client.query<{ one: string; two: string }>(
        "SELECT classid AS one, objid AS two FROM pg_locks WHERE locktype = 'advisory'",
      );
      return rows;
    });
    const waiting = other.query("SELECT pg_advisory_lock($1, $2)", [keys?.one, keys?.two]);
    await terminate(await holder());
    await waiting;
    expect(await lost).toMatchObject({ kind: "precondition", code: "database-in-use" });
  });
});
