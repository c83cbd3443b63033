/** The host process: `main.js --workspace DIR`. One a workspace; the second one leaves at once. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { endpointOf } from "../protocol/endpoint.ts";
import { buildOf } from "../protocol/installation.ts";
import { runHostProcess } from "./process.ts";
import { becomeOnlyHost } from "./single-instance.ts";

const { values } = parseArgs({ options: { workspace: { type: "string" } } });
if (values.workspace === undefined) {
  process.stderr.write("usage: main.js --workspace DIR\n");
  process.exit(2);
}
const main = fileURLToPath(import.meta.url);
const endpoint = endpointOf(values.workspace);
if ((await becomeOnlyHost(endpoint.workspace)) === undefined) process.exit(0);
const home = process.env.EDA_HOME ?? join(dirname(main), "..", "..");
await runHostProcess({ endpoint, home, build: buildOf(main), env: process.env });
