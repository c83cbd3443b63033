/** Giving a query's result one order: rows that the person's ORDER BY leaves tied are ordered by all their columns. */
import type { Session } from "../session.ts";
import { identifier } from "../sql.ts";
import { isNode, printSelect, type TreeNode } from "./parse-tree.ts";

/**
 * SQL with the rows of the query in a total order: the person's own ORDER BY first, when there is one, then all columns from left to
 * right. Under a LIMIT this also decides which of tied rows come in.
 * @param node parse tree of the query
 * @param sql its text
 * @param columns its columns, in order
 */
export async function totallyOrdered(node: TreeNode, sql: string, columns: readonly string[], session: Session): Promise<string> {
  const modifiers = (node.modifiers ?? []) as readonly TreeNode[];
  const own = modifiers.find((modifier) => modifier.type === "ORDER_MODIFIER");
  if (own === undefined) return `SELECT * FROM (${withoutEnd(sql)}\n) ORDER BY ALL`;
  const orders = own.orders as readonly TreeNode[];
  if (orders.some(({ expression }) => isNode(expression) && expression.type === "STAR")) return `SELECT * FROM (${withoutEnd(sql)}\n)`;
  const extended = { ...own, orders: [...orders, ...columns.map((_, at) => byPosition(at + 1))] };
  const printed = await printSelect({ ...node, modifiers: modifiers.map((modifier) => (modifier === own ? extended : modifier)) }, session);
  // Printing may give unnamed expressions other names than the person's text does.
  return `SELECT * FROM (${printed}) AS curated(${columns.map(identifier).join(", ")})`;
}

function byPosition(position: number): TreeNode {
  const value = { type: { id: "INTEGER", type_info: null }, is_null: false, value: position };
  return {
    type: "ORDER_DEFAULT",
    null_order: "ORDER_DEFAULT",
    expression: { class: "CONSTANT", type: "VALUE_CONSTANT", alias: "", query_location: 0, value },
  };
}

/** The text up to its closing semicolons, which cannot stand inside parentheses. Comments and strings keep theirs. */
export function withoutEnd(sql: string): string {
  let end = 0;
  const token = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$([A-Za-z_]*)\$[\s\S]*?\$\1\$|[\s;]+|[^\s;]/gu;
  for (const match of sql.matchAll(token)) {
    const isCode = !/^(--|\/\*|[\s;])/u.test(match[0]);
    if (isCode) end = match.index + match[0].length;
  }
  return sql.slice(0, end);
}
