/** The three collections, by what every server of the protocol does alike: inserts, replacements by `_id`, find, sort, limit, indexes. */
import type { Collection, MongoClient } from "mongodb";
import { EdaError } from "../../domain/errors.ts";
import type { Entry } from "./entry.ts";
import { type ExecutionDocument, executionDocument, type LineDocument, lineDocument, type StateDocument } from "./documents.ts";
import { isOnlyDuplicates, translated } from "./failures.ts";

/** A state that nothing has replaced for so long (s) is one of a run that is over. */
const STATE_LIFETIME_S = 3_600;

export interface Collections {
  /** Makes sure of the indexes, then writes; what is there already stays (lines) or is replaced (executions). @throws EdaError */
  write(entries: readonly Entry[]): Promise<void>;
  replaceState(state: StateDocument): Promise<void>;
  /** In order of their sequence, at most `limit`. */
  lines(run: string, after: number, limit: number): Promise<readonly LineDocument[]>;
  lastSequence(run: string): Promise<number>;
  /** Ends what is under way. */
  close(): Promise<void>;
}

export function openCollections(client: MongoClient, database: string, address: string): Collections {
  const logs: Collection<LineDocument> = client.db(database).collection("logs");
  const executions: Collection<ExecutionDocument> = client.db(database).collection("execucoes");
  const states: Collection<StateDocument> = client.db(database).collection("estados");
  let isPrepared = false;
  let isClosed = false;

  const prepare = async () => {
    await logs.createIndexes([{ key: { execucao: 1, sequencia: 1 }, name: "logs_por_execucao", unique: true }]);
    await executions.createIndexes([{ key: { projeto: 1, pedido_em: -1 }, name: "execucoes_por_projeto" }]);
    await states.createIndexes([{ key: { em: 1 }, name: "estados_efemeros", expireAfterSeconds: STATE_LIFETIME_S }]);
    isPrepared = true;
  };
  const insertLines = async (documents: readonly LineDocument[]) => {
    if (documents.length === 0) return;
    await logs.insertMany(documents, { ordered: false }).catch((error: unknown) => {
      if (!isOnlyDuplicates(error)) throw error;
    });
  };
  const replaceExecutions = async (documents: readonly ExecutionDocument[]) => {
    if (documents.length === 0) return;
    await executions.bulkWrite(
      documents.map((document) => ({ replaceOne: { filter: { _id: document._id }, replacement: document, upsert: true } })),
      { ordered: false },
    );
  };
  const asked = async <T>(work: () => Promise<T>): Promise<T> => {
    if (isClosed) throw new EdaError("unavailable", "log-closed", "The log of runs is closed.");
    try {
      // Nothing to do once it has succeeded; the driver itself does not try a second time after it has failed.
      await client.connect();
      return await work();
    } catch (error) {
      // A server that comes back may be another one, without indexes.
      isPrepared = false;
      throw translated(error, address);
    }
  };

  return {
    write: (entries) =>
      asked(async () => {
        if (!isPrepared) await prepare();
        await insertLines(entries.flatMap((entry) => ("line" in entry ? [lineDocument(entry.line)] : [])));
        await replaceExecutions(newestOf(entries));
      }),
    replaceState: (state) =>
      asked(async () => {
        await states.replaceOne({ _id: state._id }, state, { upsert: true });
      }),
    lines: (run, after, limit) =>
      asked(() =>
        logs
          .find({ execucao: run, sequencia: { $gt: after } })
          .sort({ sequencia: 1 })
          .limit(limit)
          .toArray(),
      ),
    lastSequence: (run) =>
      asked(async () => {
        const [last] = await logs.find({ execucao: run }).sort({ sequencia: -1 }).limit(1).toArray();
        return last?.sequencia ?? 0;
      }),
    close() {
      isClosed = true;
      return client.close();
    },
  };
}

/** One document a run, the last one told. */
function newestOf(entries: readonly Entry[]): ExecutionDocument[] {
  const newest = new Map<string, ExecutionDocument>();
  for (const entry of entries) if ("execution" in entry) newest.set(entry.execution.run, executionDocument(entry.execution));
  return [...newest.values()];
}
