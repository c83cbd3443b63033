/** DuckDB's own parse tree of a SELECT, as JSON. */
import { EdaError, type SourceLocation } from "../../../domain/errors.ts";
import type { Session } from "../session.ts";

export type TreeNode = { readonly [key: string]: unknown };

interface ParseTree {
  readonly statements: readonly { readonly node: TreeNode }[];
}

/** Numbers keep their text: a BIGINT constant would not survive a double. (ECMAScript 2026, in Node since 22.) */
const exactJson = JSON as unknown as {
  parse(text: string, reviver: (key: string, value: unknown, context: { readonly source: string }) => unknown): unknown;
  rawJSON(text: string): unknown;
};

/**
 * @throws EdaError `terminal` `sql-error` when the text is not exactly one SELECT
 */
export async function parseSelect(sql: string, path: string, session: Session): Promise<TreeNode> {
  const [row] = await session.rows<{ tree: string }>("SELECT CAST(json_serialize_sql($1::VARCHAR) AS VARCHAR) AS tree", [sql]);
  const tree = exactJson.parse(row?.tree as string, (_, value, { source }) =>
    typeof value === "number" && !Number.isSafeInteger(value) ? exactJson.rawJSON(source) : value,
  ) as { readonly error: boolean; readonly error_type?: string; readonly error_message?: string; readonly position?: string } & ParseTree;
  if (tree.error) {
    const isOtherStatement = tree.error_type === "not implemented";
    throw new EdaError("terminal", "sql-error", `${path}: ${isOtherStatement ? "it is not a SELECT" : tree.error_message}.`, {
      todo: isOtherStatement ? "Write one SELECT: its result becomes the table." : "Correct the query and run again.",
      at: tree.position === undefined ? { file: path } : locate(sql, Number(tree.position), path),
    });
  }
  const [statement, second] = tree.statements;
  if (statement === undefined)
    throw new EdaError("terminal", "sql-error", `${path} holds no query.`, { todo: "Write one SELECT.", at: { file: path } });
  if (second !== undefined) {
    throw new EdaError("terminal", "sql-error", `${path} holds ${tree.statements.length} statements.`, {
      todo: "Keep one SELECT a file: the file's name is the table's.",
      at: { file: path },
    });
  }
  return statement.node;
}

/** The SQL of a tree, as DuckDB writes it. */
export async function printSelect(node: TreeNode, session: Session): Promise<string> {
  const tree = JSON.stringify({ error: false, statements: [{ node, named_param_map: [] }] });
  const [row] = await session.rows<{ sql: string }>("SELECT json_deserialize_sql(CAST($1::VARCHAR AS JSON)) AS sql", [tree]);
  return row?.sql as string;
}

/** @param offset bytes of UTF-8 before the place */
export function locate(sql: string, offset: number, path: string): SourceLocation {
  const lines = Buffer.from(sql).subarray(0, offset).toString("utf8").split("\n");
  return { file: path, line: lines.length, column: (lines.at(-1) as string).length + 1 };
}

export function isNode(value: unknown): value is TreeNode {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Direct members of a node that are nodes, through arrays. */
export function childrenOf(node: TreeNode): TreeNode[] {
  return Object.values(node).flatMap(nodesIn);
}

function nodesIn(value: unknown): TreeNode[] {
  if (Array.isArray(value)) return value.flatMap(nodesIn);
  return isNode(value) ? [value] : [];
}
