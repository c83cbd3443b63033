/** MongoDB comes and goes, the host is killed, the disk is full, the password is taken away: no line is lost, and none is there twice. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, cp, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { describe, expect, it, vi } from "vitest";
import type { MongoRunLog } from "../../src/adapters/mongodb/run-log.ts";
import { temporaryFolder } from "../support/folders.ts";
import { linesOf, sequencesOf } from "../support/log-lines.ts";
import { type LogWorld, logWorld } from "../support/mongo-run-log.ts";
import { runRecord } from "../support/publications.ts";
import { mongoProgram } from "../support/servers/mongo.ts";
import { canMount, smallDisk } from "../support/small-disk.ts";

const RUN = "20261124-120000-abcdef";
const HOST = join(import.meta.dirname, "../support/spooling-host.ts");

describe.skipIf(mongoProgram === undefined)("a run log whose MongoDB is away", () => {
  it("takes, reads and numbers lines as ever, and delivers them at the next start", async () => {
    const world = await logWorld();
    await world.server.kill();
    const log = await world.open();
    expect(await log.lastSequence(RUN)).toBe(0);
    await log.append(linesOf(RUN, 1, 30));
    await log.append(linesOf(RUN, 31, 60, "segunda\u2028linha \ud83d"));
    expect(await log.lastSequence(RUN)).toBe(60);
    expect(sequencesOf(await log.read(RUN, 28, 4))).toEqual([29, 30, 31, 32]);
    expect((await log.read(RUN, 59, 1))[0]?.message).toBe("segunda\u2028linha \ud83d 60");
    expect(log.condition()).toMatchObject({ failure: { kind: "unavailable", code: "log-away" } });
    await log.close();

    await world.server.restart();
    const next = await world.open();
    await untilDelivered(next);
    expect(sequences(await world.stored("logs"))).toEqual(range(1, 60));
    expect(await readdir(world.spoolFolder)).toEqual(["sequences"]);
    expect(world.notices.map(({ code }) => code)).toEqual(["log-away", "log-delivered"]);
  });

  it("is unavailable to a reader of a run of which nothing is here", async () => {
    const world = await logWorld();
    await world.server.kill();
    const log = await world.open();
    await log.recordExecutions([runRecord(RUN)]);
    await expect(log.read(RUN, 0, 10)).rejects.toMatchObject({ kind: "unavailable", code: "log-away" });
  });

  it("goes on through a server that is killed and comes back, in order and without a restart of its own", async () => {
    const world = await logWorld();
    const log = await world.open();
    await log.append(linesOf(RUN, 1, 10));
    await world.server.kill();
    await log.append(linesOf(RUN, 11, 20));
    await log.recordExecutions([runRecord(RUN, { state: "publishing" })]);
    await world.server.restart();
    // Whether what waited is delivered by now or not.
    await log.append(linesOf(RUN, 21, 30));
    await log.recordExecutions([runRecord(RUN, { state: "succeeded" })]);
    expect(sequencesOf(await log.read(RUN, 0, 100))).toEqual(range(1, 30));
    await untilDelivered(log);
    await log.append(linesOf(RUN, 31, 40));
    expect(sequences(await world.stored("logs"))).toEqual(range(1, 40));
    expect(await world.stored("execucoes")).toEqual([expect.objectContaining({ _id: RUN, estado: "succeeded" })]);
  });

  it("forgets nothing that it has taken when its host is killed, and leaves out the line that the kill cut short", async () => {
    const world = await logWorld();
    await world.server.kill();
    const taken = await killedAfter(100, world);
    const [file] = (await readdir(world.spoolFolder)).filter((name) => name.startsWith(RUN));
    const path = join(world.spoolFolder, file as string);
    await appendFile(path, JSON.stringify({ line: linesOf(RUN, 9_999, 9_999)[0] }).slice(0, -9));
    await world.server.restart();
    const log = await world.open();
    await log.append(linesOf(RUN, 5_000, 5_000, "depois"));
    await untilDelivered(log);
    const stored = sequences(await world.stored("logs"));
    expect(stored.slice(0, taken)).toEqual(range(1, taken));
    expect(stored).toContain(5_000);
    expect(stored).not.toContain(9_999);
    expect(new Set(stored).size).toBe(stored.length);
  });

  it("gives no number twice to a run that is resumed where MongoDB cannot be asked", async () => {
    const world = await logWorld();
    const taken = await killedAfter(20, world);
    await world.server.kill();
    const log = await world.open();
    const last = await log.lastSequence(RUN);
    expect(last).toBeGreaterThanOrEqual(taken);
    await log.append(linesOf(RUN, last + 1, last + 5, "retomada"));
    expect(await log.lastSequence(RUN)).toBe(last + 5);
    await world.server.restart();
    await untilDelivered(log);
    const messages = (await log.read(RUN, 0, 10_000)).map(({ message }) => message);
    expect(messages.slice(0, taken)).toEqual(linesOf(RUN, 1, taken).map(({ message }) => message));
    expect(messages.filter((message) => message.startsWith("retomada"))).toHaveLength(5);
  });

  it("delivers the same spool twice without a double", async () => {
    const world = await logWorld();
    await world.server.kill();
    const log = await world.open();
    await log.append(linesOf(RUN, 1, 50));
    await log.append(linesOf("other", 1, 50));
    await log.close();
    const copy = join(await temporaryFolder(), "copy");
    await cp(world.spoolFolder, copy, { recursive: true });
    await world.server.restart();
    for (const spoolFolder of [world.spoolFolder, copy]) {
      const next = await world.open({ spoolFolder });
      await untilDelivered(next);
      await next.close();
    }
    expect(await world.stored("logs")).toHaveLength(100);
  });

  it("leaves out what nobody can read in a spool, and says so", async () => {
    const world = await logWorld();
    await world.server.kill();
    const log = await world.open();
    await log.append(linesOf(RUN, 1, 1));
    await log.close();
    await appendFile(join(world.spoolFolder, `${RUN}.ndjson`), '\0\0\0\n{"line":{}}\n[]\nnull\n');
    await world.server.restart();
    await untilDelivered(await world.open());
    expect(await world.stored("logs")).toHaveLength(1);
    expect(world.notices.filter(({ code }) => code === "spool-damaged")).toHaveLength(1);
  });

  it("takes no more than its bound and a little memory, and then says that lines are lost", async () => {
    const world = await logWorld({ maxSpoolBytes: 10_000 });
    await world.server.kill();
    const log = await world.open();
    await log.append(linesOf(RUN, 1, 40));
    // Beyond the bound: in memory.
    await log.append(linesOf(RUN, 41, 80));
    await log.append(linesOf(RUN, 81, 81, "x".repeat(7_000_000)));
    await expect(log.append(linesOf(RUN, 82, 82, "x".repeat(3_000_000)))).rejects.toMatchObject({ kind: "terminal", code: "log-lost" });
    expect((await stat(join(world.spoolFolder, `${RUN}.ndjson`))).size).toBeLessThanOrEqual(10_000);
    expect(sequencesOf(await log.read(RUN, 0, 1_000))).toEqual(range(1, 81));
    expect(world.notices.filter(({ code }) => code === "spool-full")).toHaveLength(1);
    await world.server.restart();
    await untilDelivered(log);
    expect(sequences(await world.stored("logs"))).toEqual(range(1, 81));
  });

  it.skipIf(!canMount)("keeps lines through a full disk until MongoDB is back", async () => {
    const world = await logWorld({ spoolFolder: smallDisk(64) });
    await world.server.kill();
    const log = await world.open();
    for (let first = 1; first < 2_000; first += 100) await log.append(linesOf(RUN, first, first + 99));
    expect(world.notices).toContainEqual(
      expect.objectContaining({ level: "error", code: "spool-full", message: expect.stringContaining("ENOSPC") }),
    );
    expect(sequencesOf(await log.read(RUN, 0, 10_000))).toEqual(range(1, 2_000));
    await world.server.restart();
    await untilDelivered(log);
    expect(sequences(await world.stored("logs"))).toEqual(range(1, 2_000));
    await log.append(linesOf(RUN, 2_001, 2_001));
    expect(await log.lastSequence(RUN)).toBe(2_001);
  });
});

describe.skipIf(mongoProgram === undefined)("a run log whose login is refused", () => {
  it("does not open, and says what to correct without the password", async () => {
    const world = await logWorld({ authentication: true });
    const password = "senha-errada-123";
    const error = await world.open({ password }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ kind: "precondition", code: "log-refused" });
    const mistyped = `mongodb://eda:${password}@@127.0.0.1/`;
    const unreadable = await world.open({ uri: mistyped }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(unreadable).toMatchObject({ kind: "precondition", code: "invalid-log-address" });
    expect(inspect([error, unreadable, world.notices], { depth: 20, showHidden: true })).not.toContain(password);
  });

  it("tells of a password that is taken away during a run, keeps the lines and delivers them once it is back", async () => {
    const world = await logWorld({ authentication: true });
    const log = await world.open();
    await log.append(linesOf(RUN, 1, 10));
    world.server.setPassword("another");
    await log.append(linesOf(RUN, 11, 20));
    expect(world.notices).toEqual([expect.objectContaining({ level: "error", code: "log-refused" })]);
    expect(log.condition().failure?.todo).toContain("EDA_MONGODB_PASSWORD");
    expect(inspect([log.condition(), world.notices], { depth: 20, showHidden: true })).not.toContain(world.server.access.password);
    world.server.setPassword(world.server.access.password as string);
    await sleep(3_500);
    // A reader finds it answering before the next attempt is due.
    expect(sequencesOf(await log.read(RUN, 0, 100))).toEqual(range(1, 20));
    await untilDelivered(log);
    expect(sequences(await world.stored("logs"))).toEqual(range(1, 20));
  });
});

/** Starts a host that writes lines and kills it. @returns how many lines its log has surely taken */
async function killedAfter(count: number, { options, spoolFolder }: LogWorld): Promise<number> {
  const child = spawn(process.execPath, [HOST, options.uri, options.database, spoolFolder, RUN], { stdio: ["ignore", "pipe", "inherit"] });
  let taken = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    taken = Number(line);
    if (taken === count) child.kill("SIGKILL");
  }
  if (child.signalCode === null) await once(child, "exit");
  return taken;
}

function untilDelivered(log: MongoRunLog): Promise<void> {
  return vi.waitFor(() => expect(log.condition()).toEqual({ failure: undefined, waitingBytes: 0 }), { timeout: 60_000, interval: 100 });
}

function sequences(documents: readonly Record<string, unknown>[]): number[] {
  return documents.map((document) => Number(document["sequencia"]));
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
