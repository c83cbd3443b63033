import { execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../src/adapters/postgres/embedded.ts";
import { ROOT } from "../support/host.ts";
import { onServer } from "../support/postgres.ts";
import { canMount, smallDisk } from "../support/small-disk.ts";

const started: EmbeddedPostgres[] = [];
const folders: string[] = [];

afterAll(async () => {
  for (const server of started) await server.stop();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A private folder of a name that needs care: long, with spaces and signs. */
function newStateFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "eda-embedded-"));
  folders.push(folder);
  const state = join(folder, "espaço de trabalho [1] 'x'", "a".repeat(120), ".eda");
  mkdirSync(state, { recursive: true, mode: 0o700 });
  return state;
}

async function start(stateFolder: string): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ stateFolder, log: () => undefined });
  started.push(server);
  return server;
}

const dataOf = (stateFolder: string) => join(stateFolder, "postgres", "data");
const pidFileOf = (stateFolder: string) => join(dataOf(stateFolder), "postmaster.pid");
const pidOf = (stateFolder: string) => Number(readFileSync(pidFileOf(stateFolder), "utf8").split("\n")[0]);

function value(server: EmbeddedPostgres, sql: string): Promise<unknown> {
  return onServer(server.url, async (client) => {
    const { rows } = await client.query(sql);
    return Object.values(rows[0] ?? {})[0];
  });
}

/** Starts it in a process of its own, as a host does; answers once `until` is true, and kills the process. */
async function startAndKill(stateFolder: string, until: (output: string) => boolean): Promise<void> {
  const module = pathToFileURL(join(ROOT, "src/adapters/postgres/embedded.ts")).href;
  const source = `
    const { startEmbeddedPostgres } = await import(process.env.EMBEDDED);
    const { url } = await startEmbeddedPostgres({ stateFolder: process.env.STATE, log: () => undefined });
    console.log("started");
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", source], {
    env: { PATH: process.env.PATH, EMBEDDED: module, STATE: stateFolder },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  while (!until(output) && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill("SIGKILL");
  await ended;
}

describe("embedded PostgreSQL", () => {
  it("serves UTF-8 in the order of bytes, on loopback, to whoever knows the password", async () => {
    const state = newStateFolder();
    const server = await start(state);
    const url = new URL(server.url);
    expect(url.hostname).toBe("127.0.0.1");
    expect(await value(server, "SHOW listen_addresses")).toBe("127.0.0.1");
    expect(await value(server, "SHOW fsync")).toBe("on");
    expect(await value(server, "SHOW data_checksums")).toBe("on");
    expect(await value(server, "SHOW server_encoding")).toBe("UTF8");
    expect(await value(server, "SELECT string_agg(x, '' ORDER BY x) FROM unnest('{b,a,B,é,_,Z}'::text[]) AS x")).toBe("BZ_abé");
    expect(await value(server, "SELECT lower('ÇÃO')")).toBe("ção");
    const refused = server.url.replace(url.password, "guess");
    await expect(onServer(refused, async () => undefined)).rejects.toMatchObject({ code: "28P01" });
  });

  it("shows its password in no command line and no log, and its files to nobody else", async () => {
    const state = newStateFolder();
    const server = await start(state);
    const { password } = new URL(server.url);
    expect(password.length).toBeGreaterThanOrEqual(32);
    expect(execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })).not.toContain(password);
    expect(readFileSync(join(state, "postgres", "server.log"), "utf8")).not.toContain(password);
    expect(statSync(dataOf(state)).mode & 0o077).toBe(0);
    expect(statSync(join(dataOf(state), "eda-password")).mode & 0o777).toBe(0o600);
    for (const name of ["postgres", "postgres/server.log"]) expect(statSync(join(state, name)).mode & 0o077).toBe(0);
  });

  it.runIf(process.getuid?.() === 0)("does not run as root, and works below a folder that its user cannot enter", async () => {
    const state = newStateFolder();
    chmodSync(dirname(state), 0o700);
    await start(state);
    const owner = execFileSync("ps", ["-o", "uid=", "-p", String(pidOf(state))], { encoding: "utf8" }).trim();
    expect(Number(owner)).toBeGreaterThan(0);
    expect(statSync(dataOf(state)).uid).toBe(Number(owner));
  });

  it("ends when it is stopped, and has everything when it is started again", async () => {
    const state = newStateFolder();
    const first = await start(state);
    await onServer(first.url, (client) => client.query("CREATE TABLE t AS SELECT 'ação' AS x"));
    const pid = pidOf(state);
    await Promise.all([first.stop(), first.stop()]);
    expect(() => process.kill(pid, 0)).toThrow();
    expect(existsSync(pidFileOf(state))).toBe(false);
    const second = await start(state);
    expect(new URL(second.url).password).toBe(new URL(first.url).password);
    expect(await value(second, "SELECT x FROM t")).toBe("ação");
  });

  it("is found again after its host was killed", async () => {
    const state = newStateFolder();
    await startAndKill(state, (output) => output.includes("started"));
    const pid = pidOf(state);
    const server = await start(state);
    expect(pidOf(state)).toBe(pid);
    expect(await value(server, "SELECT pg_backend_pid() > 0")).toBe(true);
    await server.stop();
    expect(existsSync(pidFileOf(state))).toBe(false);
    expect(existsSync(`/proc/${pid}/exe`)).toBe(false);
  });

  it("starts whole after its host was killed while it was made", async () => {
    const state = newStateFolder();
    const halfMade = () => existsSync(join(state, "postgres")) && readdirSync(join(state, "postgres"), { recursive: true }).length > 20;
    await startAndKill(state, halfMade);
    expect(existsSync(dataOf(state))).toBe(false);
    const server = await start(state);
    expect(await value(server, "SELECT current_database()")).toBe("eda");
    expect(readdirSync(join(state, "postgres")).toSorted()).toEqual(["data", "server.log"]);
  });

  it("recovers what was committed when the server itself was killed", async () => {
    const state = newStateFolder();
    const first = await start(state);
    await onServer(first.url, (client) => client.query("CREATE TABLE t AS SELECT generate_series(1, 1000) AS n"));
    process.kill(pidOf(state), "SIGKILL");
    const second = await start(state);
    expect(await value(second, "SELECT count(*)::int FROM t")).toBe(1000);
  });

  it("is not taken in by a file that names a stranger's process", async () => {
    const state = newStateFolder();
    const first = await start(state);
    const lines = readFileSync(pidFileOf(state), "utf8").split("\n");
    const { uid, gid } = statSync(dataOf(state));
    await first.stop();
    // Alive, of the server's own user, and no server: what the server itself would respect.
    const stranger = spawn("sleep", ["60"], { stdio: "ignore", ...(process.getuid?.() === 0 ? { uid, gid } : {}) });
    try {
      writeFileSync(pidFileOf(state), [stranger.pid, ...lines.slice(1)].join("\n"));
      const second = await start(state);
      expect(pidOf(state)).not.toBe(stranger.pid);
      expect(await value(second, "SELECT 1")).toBe(1);
      await second.stop();
      expect(stranger.exitCode).toBeNull();
    } finally {
      stranger.kill();
    }
  });

  it("serves a copy of its folder as a database of its own, the original at work or not", async () => {
    const state = newStateFolder();
    const copied = newStateFolder();
    const original = await start(state);
    await onServer(original.url, (client) => client.query("CREATE TABLE t AS SELECT 'antes' AS x"));
    await onServer(original.url, (client) => client.query("CHECKPOINT"));
    // As a person would: without owners and modes.
    execFileSync("cp", ["-r", join(state, "postgres"), copied]);
    chmodSync(dataOf(copied), 0o755);
    const copy = await start(copied);
    expect(pidOf(copied)).not.toBe(pidOf(state));
    await onServer(copy.url, (client) => client.query("UPDATE t SET x = 'depois'"));
    expect(await value(original, "SELECT x FROM t")).toBe("antes");
    await copy.stop();
    expect(await value(original, "SELECT x FROM t")).toBe("antes");
  });

  it("is one server when it is started twice at the same moment", async () => {
    const state = newStateFolder();
    await (await start(state)).stop();
    const [a, b] = await Promise.all([start(state), start(state)]);
    expect(a.url).toBe(b.url);
    expect(await value(a, "SELECT 1")).toBe(1);
  });

  it("says why it does not start", async () => {
    const state = newStateFolder();
    await (await start(state)).stop();
    writeFileSync(join(dataOf(state), "PG_VERSION"), "12\n");
    await expect(start(state)).rejects.toMatchObject({
      kind: "unavailable",
      code: "postgres-not-starting",
      message: expect.stringContaining("incompatible with server"),
      todo: expect.stringContaining(join(state, "postgres")),
    });
  });

  it("says so when its folder cannot be made", async () => {
    const state = newStateFolder();
    writeFileSync(join(state, "postgres"), "in the way");
    await expect(start(state)).rejects.toMatchObject({ kind: "unavailable", code: "postgres-not-starting" });
  });

  it.runIf(canMount)("says that the disk is full, keeps nothing half-made, and starts once there is room", async () => {
    const state = smallDisk(16_000);
    await expect(start(state)).rejects.toMatchObject({ kind: "terminal", code: "disk-full", todo: expect.stringContaining("Free") });
    expect(readdirSync(join(state, "postgres"))).toEqual([]);
    execFileSync("mount", ["-o", "remount,size=200m", state]);
    const server = await start(state);
    expect(await value(server, "SELECT 1")).toBe(1);
    await server.stop();
  });
});
