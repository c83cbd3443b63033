/** The MongoDB of the tests is a fake: what the run log's tests rely on is shown here first. */
import { type Db, MongoClient } from "mongodb";
import { describe, expect, it, onTestFinished } from "vitest";
import { makeCertificates } from "../support/certificates.ts";
import { type MongoServer, type MongoServerOptions, mongoProgram, newDatabaseName, startMongo } from "../support/servers/mongo.ts";

interface Thing {
  readonly _id: string;
  readonly value?: number;
}

describe.skipIf(mongoProgram === undefined)("the MongoDB of the tests", () => {
  it("says that it is a fake", async () => {
    const { database } = await opened();
    expect(await database.admin().command({ hello: 1 })).toMatchObject({ fake: "mongo-java-server" });
  });

  it("finds again what it had acknowledged when it is killed, indexes included", async () => {
    const { server, database } = await opened();
    const things = database.collection<Thing>("things");
    await things.createIndexes([{ key: { value: 1 }, name: "value", unique: true }]);
    await things.insertOne({ _id: "a", value: 1 });
    await server.kill();
    await server.restart();
    expect(await things.find().toArray()).toEqual([{ _id: "a", value: 1 }]);
    await expect(things.insertOne({ _id: "b", value: 1 })).rejects.toMatchObject({ code: 11_000 });
  });

  it("refuses what not every server does alike", async () => {
    const { database } = await opened();
    const things = database.collection<Thing>("things");
    await expect(things.updateOne({ _id: "a" }, { $inc: { value: 1 } })).rejects.toThrow("does not know an update that is no replacement");
    await expect(things.countDocuments()).rejects.toThrow("does not know the command aggregate");
    await expect(things.findOneAndDelete({ _id: "a" })).rejects.toThrow("does not know the command findAndModify");
  });

  it("asks for a password, and no longer knows one that was changed", async () => {
    const { server, database } = await opened({ authentication: true });
    const things = database.collection<Thing>("things");
    expect(await things.findOne()).toBeNull();
    await expect(connect(server, "wrong").collection("things").findOne()).rejects.toMatchObject({ code: 18 });
    await expect(connect(server, undefined).collection("things").findOne()).rejects.toMatchObject({ code: 13 });
    server.setPassword("another");
    await expect(things.findOne()).rejects.toMatchObject({ code: 13 });
  });

  it("speaks TLS", async () => {
    const { ca, folder } = await makeCertificates();
    const { database } = await opened({ certificates: folder }, ca);
    expect(await database.collection("things").findOne()).toBeNull();
  });
});

async function opened(options: MongoServerOptions = {}, ca?: string): Promise<{ readonly server: MongoServer; readonly database: Db }> {
  const server = await startMongo(options);
  onTestFinished(() => server.stop());
  return { server, database: connect(server, server.access.password, ca) };
}

function connect({ access: { uri, user } }: MongoServer, password: string | undefined, ca?: string): Db {
  const client = new MongoClient(uri, {
    ...(user === undefined || password === undefined ? {} : { auth: { username: user, password } }),
    ...(ca === undefined ? {} : { ca }),
  });
  onTestFinished(() => client.close());
  return client.db(newDatabaseName());
}
