/** The one transaction that makes a run visible. */
import type { AuditHead } from "../../domain/audit.ts";
import { EdaError } from "../../domain/errors.ts";
import type { Items, Publication } from "../../ports/inventory.ts";
import { appendEntry } from "./audit.ts";
import type { Database, Queryable } from "./database.ts";
import { insertEdges } from "./lineage.ts";
import { rememberCaptured, rememberJob, rememberStats } from "./memory.ts";
import { register, retire } from "./rows.ts";
import { changeRun } from "./runs.ts";

/**
 * All of it or nothing; for a run that is published already, nothing, and the answer of the first time.
 * @throws EdaError `terminal` `unknown-run` when nobody recorded the run, `items-read-once`
 */
export async function publish(database: Database, publication: Publication): Promise<AuditHead> {
  refuseReadOnce(publication);
  return database.transaction(async (connection) => {
    const before = await publishedAs(connection, publication.run);
    if (before !== undefined) return before;
    const { project, run, rows, retired, edges, captured, statCache, job, execution, audit } = publication;
    await retire(connection, project, retired);
    await register(connection, project, rows);
    await insertEdges(connection, edges);
    await rememberCaptured(connection, captured);
    await rememberStats(connection, project, statCache);
    if (job !== null) await rememberJob(connection, job);
    await changeRun(connection, run, execution);
    // Last, because from here on every other writer of the chain waits.
    const head = await appendEntry(connection, audit);
    await connection.query("UPDATE execucoes SET auditoria_sequencia = $2 WHERE execucao = $1", [run, head.sequence]);
    return head;
  });
}

/** The head the run was published with. Holds the execution's row to the end: a second publication of the run waits here. */
async function publishedAs(connection: Queryable, run: string): Promise<AuditHead | undefined> {
  const [execution] = await connection.query<{ auditoria_sequencia: number | null }>(
    "SELECT auditoria_sequencia FROM execucoes WHERE execucao = $1 FOR UPDATE",
    [run],
  );
  if (execution === undefined) throw new EdaError("terminal", "unknown-run", `Run ${run} cannot be published: it was never recorded.`);
  const { auditoria_sequencia: sequence } = execution;
  if (sequence === null) return undefined;
  const [entry] = await connection.query<{ resumo: string }>("SELECT resumo FROM auditoria WHERE sequencia = $1", [sequence]);
  if (entry === undefined) {
    throw new EdaError("terminal", "audit-entry-missing", `Run ${run} was published, but audit entry ${sequence} of it is gone.`, {
      todo: "Somebody changed the database by hand: eda verify says what.",
    });
  }
  return { sequence, hash: entry.resumo };
}

/** A transaction that is tried again would publish nothing of what a generator gave the first time. */
function refuseReadOnce(publication: Publication): void {
  for (const part of ["rows", "retired", "edges", "captured", "statCache"] as const) {
    const items: Items<unknown> = publication[part];
    const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
    if (iterator === (items as unknown)) {
      throw new EdaError("terminal", "items-read-once", `"${part}" of run ${publication.run} can be read only once.`, {
        todo: "Give an array, or an object that starts anew for each iterator.",
      });
    }
  }
}
