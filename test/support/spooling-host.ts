/**
 * A process that writes log lines until it is killed. Arguments: address of MongoDB, database, spool folder, run. It prints the number of
 * each line that its log has taken.
 */
import { openMongoRunLog } from "../../src/adapters/mongodb/run-log.ts";
import { linesOf } from "./log-lines.ts";

const [uri = "", database = "", spoolFolder = "", run = ""] = process.argv.slice(2);
const log = await openMongoRunLog({ uri, database, spoolFolder, onNotice: () => undefined });
for (let sequence = (await log.lastSequence(run)) + 1; ; sequence += 1) {
  await log.append(linesOf(run, sequence, sequence));
  process.stdout.write(`${sequence}\n`);
}
