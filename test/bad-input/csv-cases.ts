/** Files that are not what the project file says: staging names file, line and column, and publishes nothing. */
import { Buffer } from "node:buffer";
import { orders } from "../support/small-project.ts";
import { type BadInput, PROJECT_FILE } from "./bench.ts";

const HEADER = "pedido;loja;valor;dia";

function csv(name: string, content: string | Uint8Array, code: string, ...says: (string | RegExp)[]): BadInput {
  return { name, arrange: (bench) => bench.ingest("pedidos.csv", content), line: "run staging", exit: 1, code, says: ["pedidos", ...says] };
}

/** Good orders, then these rows. */
const withRows = (...rows: string[]) => `${orders(40)}${rows.join("\n")}\n`;
const many = (row: (index: number) => string) => withRows(...Array.from({ length: 6 }, (_, index) => row(index)));

export const CSV_CASES: readonly BadInput[] = [
  csv("a column is missing", orders(3).replaceAll(/;[^;\n]*$/gmu, ""), "missing-column", '"dia"'),
  csv("a column is called otherwise", orders(3).replace("valor", "valores"), "missing-column", '"valor" (it has "valores")'),
  csv("a column is not declared", orders(3).replaceAll(/$/gmu, ";x").replace(";x", ";canal"), "extra-column", '"canal"'),
  csv("a column occurs twice", orders(3).replaceAll(/$/gmu, ";x").replace(";x", ";loja"), "duplicate-column", '"loja"'),
  csv("the delimiter is another one", orders(3).replaceAll(",", ".").replaceAll(";", ","), "missing-column", '"pedido"'),
  csv("the file is empty", "", "malformed-file", "it is empty, without even a header"),
  csv("the file is no text", Buffer.from("504b0304140000000800", "hex"), "missing-column", '"pedido"'),
  csv("the header is in another encoding", Buffer.from(`${HEADER}\n`, "utf16le"), "missing-column", '"pedido"'),
  csv(
    "more rows than allowed are not numbers",
    many((index) => `${100 + index};A;muito;01/11/2026`),
    "too-many-rejects",
    "valor",
  ),
  csv(
    "more rows than allowed break a limit",
    many((index) => `${100 + index};A;-1,00;01/11/2026`),
    "too-many-rejects",
    "minimum",
  ),
  csv(
    "more dates than allowed do not exist",
    many((index) => `${100 + index};A;1,00;31/02/2026`),
    "too-many-rejects",
    "dia",
  ),
  csv(
    "more orders than allowed occur twice",
    many((index) => `${1 + index};A;1,00;01/11/2026`),
    "too-many-rejects",
    /primaryKey|primary key/u,
  ),
  csv(
    "more orders than allowed are of no shop",
    many((index) => `${100 + index};Z;1,00;01/11/2026`),
    "too-many-rejects",
    /foreignKey|foreign key/u,
  ),
  csv(
    "more rows than allowed have too few fields",
    many((index) => `${100 + index};A`),
    "too-many-rejects",
    "6",
  ),
  csv(
    "a quote is never closed",
    withRows('200;"A;1,00;01/11/2026', ...Array.from({ length: 6 }, (_, index) => `${201 + index};A;1,00;01/11/2026`)),
    "malformed-file",
    "a quote opened on line 42 is not closed",
    "at pedidos.csv:42",
  ),
  csv(
    "more texts than allowed are not UTF-8",
    Buffer.from(
      many((index) => `${100 + index};\u00e7;1,00;01/11/2026`),
      "latin1",
    ),
    "too-many-rejects",
  ),
  {
    name: "no file is of the table",
    arrange: (bench) => bench.edit(PROJECT_FILE, '"pedidos*.csv"', '"encomendas*.csv"'),
    line: "run staging",
    exit: 1,
    code: "no-matching-files",
    says: ["encomendas*.csv"],
  },
  {
    name: "a date format cannot work",
    arrange: (bench) => bench.edit(PROJECT_FILE, "%d/%m/%Y", "%Q"),
    line: "run staging",
    exit: 3,
    code: "invalid-schema",
    says: ['Field "dia" of table "pedidos"'],
  },
];
