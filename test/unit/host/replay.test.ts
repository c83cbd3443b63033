import { expect, it } from "vitest";
import { replay } from "../../../src/host/durable-steps.ts";

const recorded = [
  { name: "plan", output: JSON.stringify({ value: 7 }) },
  { name: "execute:a", output: JSON.stringify({ error: { kind: "terminal", code: "boom", message: "it broke" } }) },
  { name: "publish", output: JSON.stringify({ error: { kind: "unavailable", code: "away", message: "no answer" } }) },
  { name: "commit-after", output: JSON.stringify({ error: { kind: "precondition", code: "hook-failed", message: "no" } }) },
  { name: "finish", output: JSON.stringify({}) },
];
const work = async () => "done anew";

it("gives back what a checkpoint remembers, without doing it again", async () => {
  expect(await replay(recorded, false, "unused")("plan", () => Promise.reject(new Error("done again")))).toBe(7);
});

it("gives back the error that a checkpoint remembers", async () => {
  await expect(replay(recorded, false, "unused")("execute:a", work)).rejects.toMatchObject({ code: "boom", kind: "terminal" });
});

it.each(["settle", "commit-after", "rollback", "record-failure", "commit-failure", "finish"])(
  "does %s anew, however it ended",
  async (name) => {
    expect(await replay(recorded, false, "unused")(name, work)).toBe("done anew");
  },
);

it("asks for a publication again only when it exists", async () => {
  expect(await replay(recorded, true, "unused")("publish", work)).toBe("done anew");
  await expect(replay(recorded, false, "unused")("publish", work)).rejects.toMatchObject({ code: "away" });
});

it("never does a step that was never reached", async () => {
  await expect(replay(recorded, true, "unused")("seal", work)).rejects.toMatchObject({ code: "checkpoint-missing" });
});
