import { expect, it } from "vitest";
import { NodeSet } from "../../../src/extension/tree/node.ts";

interface Item {
  readonly key: string;
  readonly value: number;
}

function setOfItems(): NodeSet<Item, { value: number }> {
  return new NodeSet<Item, { value: number }>(
    ({ key }) => key,
    ({ value }) => ({ value }),
    (node, { value }) => {
      node.value = value;
    },
  );
}

it("keeps the node of a key, updates it, and follows the order of the items", () => {
  const set = setOfItems();
  const [a, b] = set.reconcile([
    { key: "a", value: 1 },
    { key: "b", value: 2 },
  ]);
  const again = set.reconcile([
    { key: "b", value: 3 },
    { key: "a", value: 1 },
  ]);
  expect(again[0]).toBe(b);
  expect(again[1]).toBe(a);
  expect(b?.value).toBe(3);
});

it("makes a new node for a key that was gone in between", () => {
  const set = setOfItems();
  const [first] = set.reconcile([{ key: "a", value: 1 }]);
  set.reconcile([]);
  expect(set.get("a")).toBeUndefined();
  expect(set.reconcile([{ key: "a", value: 1 }])[0]).not.toBe(first);
});

it("shows a key once, however often it comes", () => {
  const nodes = setOfItems().reconcile([
    { key: "a", value: 1 },
    { key: "a", value: 2 },
  ]);
  expect(nodes).toEqual([{ value: 1 }]);
});
