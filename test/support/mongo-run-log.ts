/** Run logs on a MongoDB, as a host would open them one after the other. */
import { MongoClient, type Document } from "mongodb";
import { onTestFinished } from "vitest";
import type { RunLogNotice } from "../../src/adapters/mongodb/notice.ts";
import { type MongoRunLog, type MongoRunLogOptions, openMongoRunLog } from "../../src/adapters/mongodb/run-log.ts";
import { temporaryFolder } from "./folders.ts";
import { type MongoServer, newDatabaseName, startMongo } from "./servers/mongo.ts";

export interface LogWorld {
  readonly server: MongoServer;
  readonly spoolFolder: string;
  /** What the operator was told, by every log of this world. */
  readonly notices: RunLogNotice[];
  /** Of the login, where the server asks for one. */
  readonly options: MongoRunLogOptions;
  /** A log as one process has it; closed at the end of the test. */
  open(more?: Partial<MongoRunLogOptions>): Promise<MongoRunLog>;
  /** What a collection really holds, read without the adapter. */
  stored(collection: string): Promise<Document[]>;
  indexes(collection: string): Promise<Document[]>;
}

/** A server and a spool folder of this test alone. */
export async function logWorld(more: Partial<MongoRunLogOptions> & { readonly authentication?: boolean } = {}): Promise<LogWorld> {
  const { authentication = false, ...given } = more;
  const server = await startMongo({ authentication });
  onTestFinished(() => server.stop());
  const spoolFolder = given.spoolFolder ?? (await temporaryFolder());
  const notices: RunLogNotice[] = [];
  const options = {
    ...server.access,
    database: newDatabaseName(),
    spoolFolder,
    onNotice: (notice: RunLogNotice) => void notices.push(notice),
    ...given,
  };
  const ask = async (
    collection: string,
    question: (documents: ReturnType<ReturnType<MongoClient["db"]>["collection"]>) => Promise<Document[]>,
  ) => {
    const { uri, user, password } = server.access;
    const client = new MongoClient(uri, user === undefined ? {} : { auth: { username: user, password: password as string } });
    try {
      return await question(client.db(options.database).collection(collection));
    } finally {
      await client.close();
    }
  };
  return {
    server,
    spoolFolder,
    notices,
    options,
    async open(other = {}) {
      const log = await openMongoRunLog({ ...options, ...other });
      onTestFinished(() => log.close().catch(() => undefined));
      return log;
    },
    stored: (collection) => ask(collection, (documents) => documents.find().sort({ sequencia: 1 }).toArray()),
    indexes: (collection) => ask(collection, (documents) => documents.indexes()),
  };
}
