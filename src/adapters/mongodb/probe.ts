/** Is MongoDB there, does it let us in, what time does it have? */
import { addressOf, type MongoOptions, openClient } from "./connection.ts";
import { translated } from "./failures.ts";

export interface RunLogFacts {
  /** Of the server: `7.0.14`. */
  readonly version: string;
  /** How far its clock is ahead of ours, in milliseconds. */
  readonly skewMs: number;
}

/** @throws EdaError `unavailable` `log-away`, `precondition` `log-refused`, `log-untrusted` or `invalid-log-address` */
export async function probeRunLog(options: MongoOptions): Promise<RunLogFacts> {
  const client = openClient(options);
  try {
    const database = client.db(options.database);
    // The first command also connects, and this one is refused to who may not read.
    await database.collection("logs").findOne({}, { projection: { _id: 1 } });
    const { version } = await database.command({ buildInfo: 1 });
    const sent = Date.now();
    const { localTime } = await database.command({ hello: 1 });
    return { version: String(version), skewMs: Number(localTime) - (sent + Date.now()) / 2 };
  } catch (error) {
    throw translated(error, addressOf(client));
  } finally {
    await client.close();
  }
}
