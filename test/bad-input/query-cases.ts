/** SELECT files, datasets and notebooks that cannot run, or must not. */
import { type BadInput, NOTEBOOK, PROJECT_FILE, SQL_FILE } from "./bench.ts";

function sql(name: string, text: string, code: string, ...says: (string | RegExp)[]): BadInput {
  return { name, arrange: (bench) => bench.write(SQL_FILE, text), line: "run curation", exit: 1, code, says: [SQL_FILE, ...says] };
}

const dataset = (name: string, from: string, to: string, code: string, ...says: (string | RegExp)[]): BadInput => ({
  name,
  arrange: (bench) => bench.edit(PROJECT_FILE, from, to),
  line: "run datasets",
  exit: 1,
  code,
  says,
});

export const QUERY_CASES: readonly BadInput[] = [
  sql("a query has a slip of syntax", "SELECT pedido\nFORM pedidos WHERE\n", "sql-error", new RegExp(`at ${SQL_FILE}:\\d`, "u")),
  sql("a query reads a table that does not exist", "SELECT * FROM pedido\n", "unknown-table", "pedido", /pedidos/u),
  sql("a query uses a column that does not exist", "SELECT pedido,\n  preço\nFROM pedidos\n", "sql-error", "preço", `at ${SQL_FILE}:2`),
  sql("a file holds two queries", "SELECT 1 AS a; SELECT 2 AS b", "sql-error", "2 statements"),
  sql("a file holds no query", "-- later\n", "sql-error"),
  sql("a query deletes", "DELETE FROM pedidos", "sql-error", "not a SELECT"),
  sql("a query reads a file past the inventory", "SELECT * FROM read_csv('/etc/passwd')", "sql-error", "read_csv"),
  sql("a query gives something else every time", "SELECT pedido, now() AS quando FROM pedidos", "nondeterministic-sql", "now"),
  sql("a query throws dice", "SELECT pedido FROM pedidos WHERE random() < 0.5", "nondeterministic-sql", "random"),
  sql("a query names two columns alike", "SELECT pedido AS x, loja AS x FROM pedidos", "sql-error", '"x"'),
  {
    name: "queries read each other in a circle",
    arrange: (bench) => {
      bench.write(SQL_FILE, "SELECT * FROM resumo");
      bench.write("sql/lojas/curated/resumo.sql", "SELECT * FROM vendas");
    },
    line: "run curation",
    exit: 1,
    code: "sql-cycle",
    says: ["resumo", "vendas"],
  },
  {
    name: "a query's file cannot name a table",
    arrange: (bench) => bench.write("sql/lojas/curated/Vendas 2026.sql", "SELECT 1 AS a"),
    line: "run curation",
    exit: 3,
    code: "invalid-table-name",
    says: ["Vendas 2026.sql cannot name a table"],
  },
  {
    name: "a query makes a table that staging makes already",
    arrange: (bench) => bench.write("sql/lojas/curated/pedidos.sql", "SELECT 1 AS a"),
    line: "run curation",
    exit: 3,
    code: "duplicate-table",
    says: ['"pedidos", which is a staging table already'],
  },
  dataset("a dataset is made from no table", "from: vendas", "from: compras", "unknown-table", "compras"),
  dataset("a dataset's key does not identify rows", "key: [pedido]", "key: [loja]", "split-key-not-unique", "(loja)"),
  dataset("a dataset is stratified by no column", "seed: 7", "seed: 7\n    stratify: canal", "missing-column", '"canal"'),
  {
    name: "the notebook is not JSON",
    arrange: (bench) => bench.write(NOTEBOOK, "# media\n"),
    line: "run modeling",
    exit: 3,
    code: "invalid-notebook",
    says: ["is not JSON", `at ${NOTEBOOK}`],
  },
  {
    name: "the notebook does not exist",
    arrange: (bench) => bench.remove(NOTEBOOK),
    line: "run modeling",
    exit: 3,
    code: "missing-file",
    says: [NOTEBOOK],
  },
  {
    name: "a parameter is one that the stage sets itself",
    arrange: (bench) => bench.edit(PROJECT_FILE, "wait_seconds: 0", "eda_data_dir: /tmp"),
    line: "run modeling",
    exit: 3,
    code: "reserved-parameter",
    says: ["eda_data_dir"],
  },
];
