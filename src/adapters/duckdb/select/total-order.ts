/** Giving a query's result one order: rows that the person's ORDER BY leaves tied are ordered by all their columns. */
import type { Session } from "../session.ts";
import { identifier } from "../sql.ts";
import { isNode, parseSelect, printSelect, type TreeNode } from "./parse-tree.ts";

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
  const ordered = { ...node, modifiers: modifiers.map((modifier) => (modifier === own ? extended : modifier)) };
  const printed = await printSelect(ordered, session);
  // Were the printed SQL another query, the person's own would run: its ties then stay as one thread finds them.
  if (canonical(await parseSelect(printed, "", session)) !== canonical(ordered)) return `SELECT * FROM (${withoutEnd(sql)}\n)`;
  // Printing may give unnamed expressions other names than the person's text does.
  return `SELECT * FROM (${printed}) AS curated(${columns.map(identifier).join(", ")})`;
}

/** A tree as text, without what printing may change: places, and a VALUES list that comes back as a subquery of one. */
function canonical(tree: TreeNode): string {
  return JSON.stringify(tree, (key, value: unknown) => {
    if (key === "query_location") return undefined;
    const list = isNode(value) && value.type === "SUBQUERY" ? valuesIn(value) : undefined;
    if (list === undefined) return value;
    const { alias, column_name_alias: names } = value as TreeNode;
    return { ...list, alias, ...((names as readonly string[]).length === 0 ? {} : { names }) };
  });
}

/** The VALUES list of a subquery that is nothing but one, however deep. */
function valuesIn(subquery: TreeNode): TreeNode | undefined {
  const node = isNode(subquery.subquery) ? subquery.subquery.node : undefined;
  if (!isNode(node) || !isNode(node.from_table)) return undefined;
  const [only, second] = node.select_list as readonly TreeNode[];
  if (only?.type !== "STAR" || second !== undefined || node.where_clause != null) return undefined;
  return node.from_table.type === "EXPRESSION_LIST" ? node.from_table : valuesIn(node.from_table);
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
