/** What a SELECT reads, and what keeps it from giving the same table every time. Decided on the parse tree, before anything runs. */
import { EdaError } from "../../../domain/errors.ts";
import { printable } from "../../../domain/printable.ts";
import type { Session } from "../session.ts";
import { childrenOf, isNode, locate, parseSelect, type TreeNode } from "./parse-tree.ts";

/** Table functions that make rows out of their arguments alone. */
const PURE_TABLE_FUNCTIONS = new Set(["unnest", "range", "generate_series", "repeat", "repeat_row", "json_each", "json_tree"]);

/**
 * Not told by DuckDB's catalogue: words that stand for a function without parentheses, functions that read the clock, the machine or
 * the version behind a constant signature, and sampling aggregates.
 */
const CLOCK_WORDS = new Set(["current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"]);
const UNDECLARED = new Set([
  "ago",
  "current_localtime",
  "current_localtimestamp",
  "current_setting",
  "getenv",
  "getvariable",
  "pg_postmaster_start_time",
  "pg_conf_load_time",
  "reservoir_quantile",
  "version",
]);

export interface InspectedSelect {
  readonly node: TreeNode;
  /** Tables, by name, ordered. */
  readonly reads: readonly string[];
}

/**
 * @throws EdaError `terminal` `sql-error` when it is not one SELECT over tables, `nondeterministic-sql` naming the function; both
 * located
 */
export async function inspectSelect(sql: string, path: string, session: Session): Promise<InspectedSelect> {
  const node = await parseSelect(sql, path, session);
  const volatile = await session.rows<{ name: string }>(
    "SELECT DISTINCT function_name AS name FROM duckdb_functions() WHERE stability IS NOT NULL AND stability <> 'CONSISTENT' AND function_name <> 'error'",
  );
  const inspection: Inspection = { sql, path, volatile: new Set([...volatile.map(({ name }) => name), ...UNDECLARED]), reads: new Set() };
  walk(node, new Set(), inspection);
  return { node, reads: [...inspection.reads].sort() };
}

interface Inspection {
  readonly sql: string;
  readonly path: string;
  readonly volatile: ReadonlySet<string>;
  readonly reads: Set<string>;
}

/** @param defined names that a WITH around the node gives a meaning, lower-case */
function walk(node: TreeNode, defined: ReadonlySet<string>, inspection: Inspection): void {
  const inner = new Set(defined);
  const ctes = isNode(node.cte_map) ? ((node.cte_map.map ?? []) as readonly TreeNode[]) : [];
  for (const { key, value } of ctes) {
    // A later WITH item sees the earlier ones; a recursive one sees itself.
    const query = isNode(value) && isNode(value.query) ? value.query : {};
    const recursive = isNode(query.node) && query.node.type === "RECURSIVE_CTE_NODE";
    walk(query, recursive ? new Set([...inner, String(key).toLowerCase()]) : inner, inspection);
    inner.add(String(key).toLowerCase());
  }
  visit(node, inner, inspection);
  const { cte_map: _, ...rest } = node;
  for (const child of childrenOf(rest)) walk(child, inner, inspection);
}

function visit(node: TreeNode, defined: ReadonlySet<string>, inspection: Inspection): void {
  switch (node.type) {
    case "BASE_TABLE":
      visitTable(node, defined, inspection);
      return;
    case "TABLE_FUNCTION":
      visitTableFunction(node, inspection);
      return;
    case "SHOW_REF":
      throw sqlProblem("DESCRIBE, SHOW and SUMMARIZE are not queries of data", "Write one SELECT over declared tables.", node, inspection);
    case "FUNCTION":
    case "WINDOW_AGGREGATE":
      visitFunction(node, inspection);
      return;
    case "COLUMN_REF": {
      const names = node.column_names as readonly string[];
      if (names.length === 1 && CLOCK_WORDS.has(String(names[0]).toLowerCase())) throw nondeterministic(`${names[0]}`, node, inspection);
      return;
    }
    case "PARAMETER":
    case "VALUE_PARAMETER":
      throw sqlProblem("it has a parameter", "Write the value: curation runs the file as it stands.", node, inspection);
    default:
      if (isNode(node.sample)) visitSample(node.sample, inspection);
  }
}

function visitTable(node: TreeNode, defined: ReadonlySet<string>, inspection: Inspection): void {
  if (isNode(node.sample)) visitSample(node.sample, inspection);
  const name = String(node.table_name);
  const schema = String(node.schema_name ?? "");
  const catalog = String(node.catalog_name ?? "");
  if (schema === "" && defined.has(name.toLowerCase())) return;
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/u.test(name)) {
    throw sqlProblem(
      `"${printable(name)}" is a file, not a table`,
      "Read declared tables by their names: files would escape the inventory.",
      node,
      inspection,
    );
  }
  if ((schema !== "" && schema !== "main") || catalog !== "") {
    throw sqlProblem(
      `"${schema}.${name}" is not a table of this project`,
      "Read staging and curated tables by their plain names.",
      node,
      inspection,
    );
  }
  inspection.reads.add(name.toLowerCase());
}

function visitTableFunction(node: TreeNode, inspection: Inspection): void {
  const call = isNode(node.function) ? node.function : {};
  const name = String(call.function_name).toLowerCase();
  if (inspection.volatile.has(name)) throw nondeterministic(`${name}()`, node, inspection);
  if (PURE_TABLE_FUNCTIONS.has(name)) return;
  throw sqlProblem(`${name}() reads something that the inventory does not know`, "Read declared tables by their names.", node, inspection);
}

function visitFunction(node: TreeNode, inspection: Inspection): void {
  const name = String(node.function_name).toLowerCase();
  if (inspection.volatile.has(name)) throw nondeterministic(`${name}()`, node, inspection);
  // With one argument it counts from today.
  if (name === "age" && (node.children as readonly unknown[]).length === 1) throw nondeterministic("age() from today", node, inspection);
}

function visitSample(sample: TreeNode, inspection: Inspection): void {
  if (typeof sample.seed === "number" && sample.seed >= 0) return;
  throw nondeterministic("a sample without REPEATABLE (seed)", {}, inspection);
}

function nondeterministic(what: string, node: TreeNode, { sql, path }: Inspection): EdaError {
  return new EdaError("terminal", "nondeterministic-sql", `${path}: ${what} gives another result every time.`, {
    todo: "Take the value from the data, or write it as a constant: the same inputs must give the same table.",
    at: placeOf(node, sql, path),
  });
}

function sqlProblem(what: string, todo: string, node: TreeNode, { sql, path }: Inspection): EdaError {
  return new EdaError("terminal", "sql-error", `${path}: ${what}.`, { todo, at: placeOf(node, sql, path) });
}

function placeOf(node: TreeNode, sql: string, path: string) {
  // Nodes that the parser made itself carry the largest 64-bit number.
  return typeof node.query_location === "number" && Number.isSafeInteger(node.query_location)
    ? locate(sql, node.query_location, path)
    : { file: path };
}
