/**
 * A MongoDB for tests. It is a fake, mongo-java-server, which speaks the real protocol over a socket and refuses what is outside of the portable
 * subset; `EDA_TEST_MONGODB_URI` points the contract suite at a real one.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "./program.ts";
import { type ServerProcess, startServer } from "./server-process.ts";

const CACHE = join(import.meta.dirname, "../../../.cache/mongo-server");

export const mongoProgram = findProgram("mongo-server", "EDA_MONGO_SERVER", CACHE);

/** How to reach a MongoDB. */
export interface MongoAccess {
  readonly uri: string;
  /** Where it asks for them. */
  readonly user?: string;
  readonly password?: string;
}

export interface MongoServer extends ServerProcess {
  readonly access: MongoAccess;
  /** Of connections that are open too: those that came with another one are refused from now on. */
  setPassword(password: string): void;
}

export interface MongoServerOptions {
  /** It asks for a name and a password. */
  readonly authentication?: boolean;
  /** Folder with `public.crt` and `private.key`: the server then speaks TLS only. */
  readonly certificates?: string;
}

export async function startMongo({ authentication = false, certificates }: MongoServerOptions = {}): Promise<MongoServer> {
  const user = "eda";
  const password = randomBytes(20).toString("hex");
  const server = await startServer((port, folder) => {
    if (authentication) writeUsers(folder, user, password);
    return {
      program: mongoProgram as string,
      args: [String(port), folder, ...(certificates === undefined ? [] : [certificates])],
    };
  });
  const uri = `mongodb://127.0.0.1:${server.port}/${certificates === undefined ? "" : "?tls=true"}`;
  return Object.assign(Object.create(server) as ServerProcess, {
    access: authentication ? { uri, user, password } : { uri },
    setPassword: (other: string) => writeUsers(server.folder, user, other),
  });
}

/** Name of a database that nobody else uses. */
export function newDatabaseName(): string {
  return `eda_${randomUUID().replaceAll("-", "")}`;
}

function writeUsers(folder: string, user: string, password: string): void {
  writeFileSync(join(folder, "users"), `${user} ${password}\n`, { mode: 0o600 });
}
