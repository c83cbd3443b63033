import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { endProcess, identify, isAlive, type ProcessIdentity } from "../../../src/adapters/jupyter/processes.ts";

/** A process of its own group, which says when it is ready. */
async function start(script: string): Promise<ProcessIdentity> {
  const child = spawn("sh", ["-c", `${script}`], { detached: true, stdio: ["ignore", "pipe", "ignore"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return identify(child.pid as number) as ProcessIdentity;
}

describe("processes that outlive us", () => {
  it("are alive until they are ended", async () => {
    const identity = await start("echo ready; exec sleep 60");
    expect(isAlive(identity)).toBe(true);
    await endProcess(identity, 2_000);
    expect(isAlive(identity)).toBe(false);
  });

  it("are not taken for another one that has got their number", async () => {
    const identity = await start("echo ready; exec sleep 60");
    const former = { ...identity, started: "1" };
    expect(isAlive(former)).toBe(false);
    await endProcess(former, 0);
    expect(isAlive(identity)).toBe(true);
  });

  it("are killed when they do not end by themselves", async () => {
    const identity = await start("trap '' TERM; echo ready; while :; do sleep 1; done");
    await endProcess(identity, 300);
    expect(isAlive(identity)).toBe(false);
  });

  it("take their group along", async () => {
    const child = spawn("sh", ["-c", "sleep 60 & echo $!; wait"], { detached: true, stdio: ["ignore", "pipe", "ignore"] });
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const worker = identify(Number(line.toString().trim())) as ProcessIdentity;
    expect(isAlive(worker)).toBe(true);
    await endProcess(identify(child.pid as number) as ProcessIdentity, 2_000);
    await delay(200);
    expect(isAlive(worker)).toBe(false);
  });

  it("are unknown when there is none", () => {
    expect(identify(2 ** 22 + 1)).toBeUndefined();
  });
});
