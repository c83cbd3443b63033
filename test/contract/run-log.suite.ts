/** What every run log does. Each test has runs of its own, so one store serves them all. */
import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import type { LogLine } from "../../src/domain/run.ts";
import type { RunLog } from "../../src/ports/run-log.ts";
import { AT } from "../support/publications.ts";

/** @param open answers the log and is called once, before the first test */
export function runLogContract(name: string, open: () => Promise<RunLog>): void {
  describe(`run log contract: ${name}`, () => {
    let log: RunLog;

    beforeAll(async () => {
      log = await open();
    });

    const line = (run: string, sequence: number, more: Partial<LogLine> = {}): LogLine => ({
      run,
      sequence,
      at: AT,
      level: "info",
      message: `linha ${sequence}`,
      ...more,
    });

    it("gives lines back as they were, in order, whatever order they came in", async () => {
      const run = randomUUID();
      const lines = [
        line(run, 1, { level: "debug", message: "" }),
        line(run, 2, { level: "warn", message: "ação 🛫 \u001b[31m'\"\\{},\nsegunda linha" }),
        line(run, 3, { level: "error", at: "2026-11-24T12:00:00.123Z", message: "NULL" }),
      ];
      await log.append(lines.toReversed());
      expect(await log.read(run, 0, 10)).toEqual(lines);
    });

    it("keeps the first of two lines with one number", async () => {
      const run = randomUUID();
      await log.append([line(run, 1), line(run, 2)]);
      await log.append([line(run, 2, { message: "outra" }), line(run, 3)]);
      await log.append([line(run, 4), line(run, 4, { message: "outra" })]);
      expect((await log.read(run, 0, 10)).map(({ message }) => message)).toEqual(["linha 1", "linha 2", "linha 3", "linha 4"]);
    });

    it("reads after a number, at most as many as asked for", async () => {
      const run = randomUUID();
      await log.append(Array.from({ length: 20 }, (_, index) => line(run, index + 1)));
      expect((await log.read(run, 5, 3)).map(({ sequence }) => sequence)).toEqual([6, 7, 8]);
      expect(await log.read(run, 20, 10)).toEqual([]);
    });

    it("knows the last number, 0 when there is no line", async () => {
      const run = randomUUID();
      expect(await log.lastSequence(run)).toBe(0);
      await log.append([line(run, 7), line(run, 3)]);
      expect(await log.lastSequence(run)).toBe(7);
    });

    it("keeps runs apart, appended together", async () => {
      const [a, b] = [randomUUID(), randomUUID()];
      await log.append([line(a, 1), line(b, 1), line(a, 2)]);
      expect(await log.read(a, 0, 10)).toHaveLength(2);
      expect(await log.lastSequence(b)).toBe(1);
    });

    it("takes nothing without complaint", async () => {
      await expect(log.append([])).resolves.toBeUndefined();
    });

    it("takes many thousand lines at once", async () => {
      const run = randomUUID();
      await log.append(Array.from({ length: 12_000 }, (_, index) => line(run, index + 1)));
      expect(await log.lastSequence(run)).toBe(12_000);
      expect(await log.read(run, 0, 10_000)).toHaveLength(10_000);
    });

    it("takes a line with U+0000 and with half a surrogate pair, the rest of it as it was", async () => {
      const run = randomUUID();
      await log.append([line(run, 1, { message: "antes \u0000 depois \ud83d fim" })]);
      expect((await log.read(run, 0, 1))[0]?.message).toMatch(/^antes . depois . fim$/u);
    });

    it("loses nothing to several writers of one run", async () => {
      const run = randomUUID();
      const lines = Array.from({ length: 200 }, (_, index) => line(run, index + 1));
      await Promise.all([lines, lines.slice(100), lines.toReversed()].map((part) => log.append(part)));
      expect(await log.read(run, 0, 1_000)).toEqual(lines);
    });
  });
}
