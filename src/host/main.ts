/**
 * The host process: `main.js --workspace DIR`. One a workspace; the second one leaves at once. With `--check` it opens nothing, says as JSON
 * what it finds of the stores, and leaves: for when the host itself cannot open them. With `--migrate` it moves the workspace to the stores that
 * are configured, in the host's place, and leaves.
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { endpointOf } from "../protocol/endpoint.ts";
import { buildOf } from "../protocol/installation.ts";
import { doctorWithoutHost } from "./doctor.ts";
import { runMigrationProcess } from "./migrate/process.ts";
import { runHostProcess } from "./process.ts";
import { becomeOnlyHost } from "./single-instance.ts";

const { values } = parseArgs({
  options: {
    workspace: { type: "string" },
    check: { type: "boolean" },
    migrate: { type: "boolean" },
    actor: { type: "string", default: "" },
    "dry-run": { type: "boolean", default: false },
  },
});
if (values.workspace === undefined) {
  process.stderr.write("usage: main.js --workspace DIR [--check | --migrate [--dry-run] [--actor NAME]]\n");
  process.exit(2);
}
// Given to this process alone: see how clients start it.
delete process.env.MALLOC_TRIM_THRESHOLD_;
const main = fileURLToPath(import.meta.url);
const endpoint = endpointOf(values.workspace);
const home = process.env.EDA_HOME ?? join(dirname(main), "..", "..");
if (values.check === true) {
  process.stdout.write(JSON.stringify(await doctorWithoutHost({ endpoint, home, env: process.env })), () => process.exit(0));
  await new Promise(() => undefined);
}
if (values.migrate === true) {
  await runMigrationProcess({ endpoint, home, env: process.env, actor: values.actor, dryRun: values["dry-run"] });
}
if ((await becomeOnlyHost(endpoint.workspace)) === undefined) process.exit(0);
await runHostProcess({ endpoint, home, build: buildOf(main), env: process.env });
