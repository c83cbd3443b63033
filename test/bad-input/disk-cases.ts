/** A full disk: a small one of its own, laid over the folder that a stage writes to. */
import { randomBytes } from "node:crypto";
import { type BadInput, RAW, SQL_FILE } from "./bench.ts";

const KIBIBYTES = 256;
const TOO_MUCH = 1024 * 1024;

export const DISK_CASES: readonly BadInput[] = [
  {
    name: "no space is left for objects",
    arrange: (bench) => {
      bench.write(`${RAW}/grande.bin`, randomBytes(TOO_MUCH));
      bench.smallDisk(".eda/objects/.tmp", KIBIBYTES);
    },
    line: "run ingest",
    exit: 1,
    code: "disk-full",
    says: ["no space left", "Free some space"],
  },
  {
    name: "no space is left for what capture copies",
    arrange: (bench) => {
      bench.write(".eda/drive/lojas/grande.bin", randomBytes(TOO_MUCH));
      bench.smallDisk(".eda/work", KIBIBYTES);
    },
    line: "run capture",
    exit: 1,
    code: "disk-full",
    says: [/space/u],
  },
  {
    name: "no space is left for a table",
    arrange: (bench) => {
      bench.write(
        SQL_FILE,
        "SELECT r.n * p.pedido AS n, md5(CAST(r.n * p.pedido AS VARCHAR)) AS h FROM pedidos AS p, range(20000) AS r(n) ORDER BY ALL\n",
      );
      bench.smallDisk(".eda/work", KIBIBYTES);
    },
    line: "run curation",
    exit: 1,
    code: "disk-full",
    says: [/disk is full|space/u],
  },
];
