import { describe, expect, it } from "vitest";
import type { IopubMessage } from "../../../src/adapters/jupyter/kernel.ts";
import { CellOutputs, OutputBudget } from "../../../src/adapters/jupyter/outputs.ts";

function message(type: string, content: object): IopubMessage {
  return { header: { msg_type: type }, content } as unknown as IopubMessage;
}
const print = (text: string, name = "stdout") => message("stream", { name, text });
const display = (data: object, id?: string) =>
  message("display_data", { data, metadata: {}, ...(id === undefined ? {} : { transient: { display_id: id } }) });

function collectCell(...messages: IopubMessage[]) {
  const cell = new CellOutputs(new OutputBudget());
  for (const each of messages) cell.handle(each);
  return { outputs: cell.finish() };
}

describe("outputs of a cell", () => {
  it("join pieces of one stream and keep the order of the two", () => {
    const { outputs } = collectCell(print("a"), print("b\nc\n"), print("!", "stderr"), print("d"));
    expect(outputs).toEqual([
      { output_type: "stream", name: "stdout", text: ["ab\n", "c\n"] },
      { output_type: "stream", name: "stderr", text: ["!"] },
      { output_type: "stream", name: "stdout", text: ["d"] },
    ]);
  });

  it("keep what clear_output leaves, at once or with the next output", () => {
    expect(collectCell(print("a"), message("clear_output", { wait: false }), print("b")).outputs).toMatchObject([{ text: ["b"] }]);
    expect(collectCell(print("a"), message("clear_output", { wait: true })).outputs).toMatchObject([{ text: ["a"] }]);
    expect(collectCell(print("a"), message("clear_output", { wait: true }), print("b")).outputs).toMatchObject([{ text: ["b"] }]);
  });

  it("change in place when a display is updated, also one of an earlier cell", () => {
    const budget = new OutputBudget();
    const first = new CellOutputs(budget);
    first.handle(display({ "text/plain": "0%" }, "bar"));
    const second = new CellOutputs(budget);
    second.handle(message("update_display_data", { data: { "text/plain": "100%" }, metadata: {}, transient: { display_id: "bar" } }));
    expect(second.finish()).toEqual([]);
    expect(first.finish()).toMatchObject([{ data: { "text/plain": "100%" } }]);
  });

  it("leave out the text over a mebibyte, saying so once", () => {
    const { outputs } = collectCell(...Array.from({ length: 5 }, () => print("x".repeat(500_000))));
    const text = (outputs[0] as { text: string[] }).text.join("");
    expect(text.length).toBeLessThan(1_100_000);
    expect(text.match(/left out/gu)).toHaveLength(1);
  });

  it("replace a rich output that is too large by a word about its size", () => {
    const { outputs } = collectCell(display({ "image/png": "x".repeat(9 * 1024 * 1024) }));
    expect(outputs).toMatchObject([
      { data: { "text/plain": expect.stringMatching(/^\[eda\] an output of 94\d+ characters was left out$/u) } },
    ]);
  });

  it("are bounded for the notebook as a whole", () => {
    const budget = new OutputBudget();
    let kept = 0;
    for (let index = 0; index < 100; index += 1) {
      const cell = new CellOutputs(budget);
      cell.handle(print("x".repeat(1_000_000)));
      kept += (cell.finish()[0] as { text: string[] }).text.join("").length;
    }
    expect(kept).toBeLessThan(70 * 1024 * 1024);
  });

  it("hold an error with its traceback", () => {
    const { outputs } = collectCell(message("error", { ename: "ValueError", evalue: "ruim\nmesmo", traceback: ["a", "b"] }));
    expect(outputs).toEqual([{ output_type: "error", ename: "ValueError", evalue: "ruim\nmesmo", traceback: ["a", "b"] }]);
  });
});
