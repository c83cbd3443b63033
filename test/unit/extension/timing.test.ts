import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { debounced, throttled } from "../../../src/extension/timing.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("debounced work", () => {
  it("is done once, when nobody has asked for a while", async () => {
    let done = 0;
    const ask = debounced(
      100,
      async () => {
        done += 1;
      },
      () => undefined,
    );
    ask();
    await vi.advanceTimersByTimeAsync(60);
    ask();
    await vi.advanceTimersByTimeAsync(60);
    expect(done).toBe(0);
    await vi.advanceTimersByTimeAsync(40);
    expect(done).toBe(1);
  });

  it("never overlaps itself", async () => {
    let atWork = 0;
    let most = 0;
    const ask = debounced(
      10,
      async () => {
        atWork += 1;
        most = Math.max(most, atWork);
        await new Promise((resolve) => setTimeout(resolve, 100));
        atWork -= 1;
      },
      () => undefined,
    );
    void ask.now();
    void ask.now();
    await vi.advanceTimersByTimeAsync(300);
    expect(most).toBe(1);
  });

  it("hands a failure over and goes on", async () => {
    const failures: unknown[] = [];
    let attempts = 0;
    const ask = debounced(
      10,
      async () => {
        attempts += 1;
        throw new Error(`attempt ${attempts}`);
      },
      (error) => failures.push(error),
    );
    await ask.now();
    await ask.now();
    expect(failures).toEqual([new Error("attempt 1"), new Error("attempt 2")]);
  });

  it("does nothing once it is disposed", async () => {
    let done = 0;
    const ask = debounced(
      10,
      async () => {
        done += 1;
      },
      () => undefined,
    );
    ask();
    ask.dispose();
    ask();
    await vi.advanceTimersByTimeAsync(50);
    await ask.now();
    expect(done).toBe(0);
  });
});

describe("throttled work", () => {
  it("is done at once, then at most once an interval, and the last call is never lost", async () => {
    const seen: string[] = [];
    const call = throttled<string>(100, (key) => seen.push(key));
    call("a");
    call("a");
    call("b");
    expect(seen).toEqual(["a", "b"]);
    await vi.advanceTimersByTimeAsync(100);
    expect(seen).toEqual(["a", "b", "a"]);
    await vi.advanceTimersByTimeAsync(500);
    expect(seen).toEqual(["a", "b", "a"]);
  });

  it("forgets what was waiting when it is disposed", async () => {
    const seen: string[] = [];
    const call = throttled<string>(100, (key) => seen.push(key));
    call("a");
    call("a");
    call.dispose();
    await vi.advanceTimersByTimeAsync(500);
    expect(seen).toEqual(["a"]);
  });
});
