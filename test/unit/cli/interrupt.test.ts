import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { interruptible } from "../../../src/cli/interrupt.ts";

const press = () => process.emit("SIGINT");

describe("interruptible", () => {
  it("gives the work's result when nobody interrupts, and takes its listener away", async () => {
    const before = process.listenerCount("SIGINT");
    expect(await interruptible(Promise.resolve(7), () => undefined)).toEqual({ left: false, value: 7 });
    expect(process.listenerCount("SIGINT")).toBe(before);
  });

  it("asks at the first Ctrl-C and goes on waiting", async () => {
    const asked: string[] = [];
    const work = Promise.withResolvers<string>();
    const outcome = interruptible(work.promise, () => asked.push("asked"));
    press();
    expect(asked).toEqual(["asked"]);
    work.resolve("cancelled");
    expect(await outcome).toEqual({ left: false, value: "cancelled" });
  });

  it("leaves at the second one", async () => {
    let asked = 0;
    const outcome = interruptible(new Promise(() => undefined), () => {
      asked += 1;
    });
    press();
    await delay(350);
    press();
    expect(await outcome).toEqual({ left: true });
    expect(asked).toBe(1);
  });

  it("takes a signal that arrives twice at once, by way of npm, for one press", async () => {
    const work = Promise.withResolvers<string>();
    const outcome = interruptible(work.promise, () => undefined);
    press();
    press();
    work.resolve("done");
    expect(await outcome).toEqual({ left: false, value: "done" });
  });

  it("passes a failure of the work on", async () => {
    await expect(interruptible(Promise.reject(new Error("lost")), () => undefined)).rejects.toThrow("lost");
  });
});
