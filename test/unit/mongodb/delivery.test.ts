/** The order of things between a store that comes and goes and the spool; the store here is a function. */
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type Delivery, startDelivery } from "../../../src/adapters/mongodb/delivery.ts";
import type { Entry } from "../../../src/adapters/mongodb/entry.ts";
import type { RunLogNotice } from "../../../src/adapters/mongodb/notice.ts";
import { openSpool } from "../../../src/adapters/mongodb/spool.ts";
import { EdaError } from "../../../src/domain/errors.ts";
import { temporaryFolder } from "../../support/folders.ts";
import { linesOf } from "../../support/log-lines.ts";

const REFUSED = new EdaError("precondition", "log-refused", "No.");
const AWAY = new EdaError("unavailable", "log-away", "Nobody is there.");

interface World {
  readonly delivery: Delivery;
  readonly sent: number[];
  readonly notices: RunLogNotice[];
  attempts: number;
  /** What the store says to the next attempts. */
  failure: EdaError | undefined;
}

async function world(first: EdaError | undefined): Promise<World> {
  const notices: RunLogNotice[] = [];
  const onNotice = (notice: RunLogNotice) => void notices.push(notice);
  const spool = await openSpool({ folder: await temporaryFolder(), maxBytes: 1_000_000, onNotice });
  const state = { sent: [] as number[], notices, attempts: 0, failure: first };
  const send = async (entries: readonly Entry[]) => {
    state.attempts += 1;
    if (state.failure !== undefined) throw state.failure;
    state.sent.push(...entries.flatMap((entry) => ("line" in entry ? [entry.line.sequence] : [])));
  };
  const delivery = startDelivery({ spool, send, onNotice, failure: first });
  onTestFinished(() => delivery.stop());
  return Object.assign(state, { delivery });
}

function entries(from: number, to: number): Entry[] {
  return linesOf("run", from, to).map((line) => ({ line }));
}

describe("delivery", () => {
  it("sends at once while the store takes it", async () => {
    const { delivery, sent } = await world(undefined);
    await delivery.put(entries(1, 3));
    expect(sent).toEqual([1, 2, 3]);
  });

  it("lets nothing overtake what waits", async () => {
    const store = await world(AWAY);
    await store.delivery.put(entries(1, 2));
    store.failure = undefined;
    await store.delivery.put(entries(3, 4));
    await vi.waitFor(() => expect(store.delivery.isDirect()).toBe(true), 10_000);
    await store.delivery.put(entries(5, 5));
    expect(store.sent).toEqual([1, 2, 3, 4, 5]);
  });

  it("asks seldom who refused it, and at once when somebody found the store answering", async () => {
    const store = await world(undefined);
    store.failure = REFUSED;
    await store.delivery.put(entries(1, 1));
    await vi.waitFor(() => expect(store.attempts).toBe(2));
    store.failure = undefined;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(store.attempts).toBe(2);
    store.delivery.answered();
    await vi.waitFor(() => expect(store.sent).toEqual([1]), 10_000);
  });

  it("tells each reason once, and that all is well again", async () => {
    const store = await world(AWAY);
    await vi.waitFor(() => expect(store.attempts).toBeGreaterThan(1), 10_000);
    store.failure = undefined;
    await vi.waitFor(() => expect(store.delivery.isDirect()).toBe(true), 10_000);
    expect(store.notices.map(({ level, code }) => [level, code])).toEqual([
      ["warn", "log-away"],
      ["info", "log-delivered"],
    ]);
    expect(store.delivery.failure()).toBeUndefined();
  });

  it("finds out by itself when a reader met the store away", async () => {
    const store = await world(undefined);
    store.delivery.failed(AWAY);
    expect(store.delivery.isDirect()).toBe(false);
    await vi.waitFor(() => expect(store.delivery.isDirect()).toBe(true), 10_000);
  });

  it("sends nothing more once it is stopped", async () => {
    const { delivery, sent } = await world(undefined);
    await delivery.stop();
    await delivery.put(entries(1, 1));
    expect(sent).toEqual([]);
  });
});
