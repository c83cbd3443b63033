/** One private DuckDB for one unit of work: limited in memory, spilling into the unit's folder, interruptible. */
import { join } from "node:path";
import type { DuckDBConnection, DuckDBValue, JS } from "@duckdb/node-api";
import { throwIfAborted } from "../../domain/errors.ts";
import type { EngineContext } from "../../ports/engine.ts";
import { translateFailure } from "./failure.ts";
import { literal } from "./sql.ts";

export interface EngineOptions {
  /** Memory DuckDB may use before it spills to disk, MiB. */
  readonly memoryLimitMiB: number;
  readonly threads: number;
}

export interface Session {
  readonly connection: DuckDBConnection;
  /** Runs statements for their effect. */
  run(sql: string, values?: readonly DuckDBValue[]): Promise<void>;
  /** Runs a query and answers its rows. */
  rows<Row>(sql: string, values?: readonly DuckDBValue[]): Promise<Row[]>;
  /** The same on one thread: what writes a table whose bytes must not depend on how threads share the work. */
  runAlone(sql: string): Promise<void>;
}

/** How often a cancelled statement is interrupted again, milliseconds. */
const INTERRUPT_INTERVAL_MS = 200;

export async function withSession<T>(options: EngineOptions, context: EngineContext, work: (session: Session) => Promise<T>): Promise<T> {
  // Loaded when first needed: a host that runs no query does without it.
  const { DuckDBInstance } = await import("@duckdb/node-api");
  const instance = await DuckDBInstance.create(":memory:", {
    threads: String(options.threads),
    memory_limit: `${options.memoryLimitMiB}MiB`,
    temp_directory: join(context.workDir, "spill"),
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  const connection = await instance.connect();
  try {
    const session = openSession(connection, options, context);
    // Text of a timestamp must not depend on where the machine is.
    await session.run("SET TimeZone = 'UTC'");
    await session.run("SET Calendar = 'gregorian'");
    return await work(session);
  } catch (error) {
    throw translateFailure(error, options.memoryLimitMiB);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function openSession(connection: DuckDBConnection, options: EngineOptions, context: EngineContext): Session {
  const watched = async <T>(work: () => Promise<T>): Promise<T> => {
    throwIfAborted(context.signal);
    const stop = interruptOnAbort(connection, context.signal);
    try {
      return await work();
    } catch (error) {
      throw translateFailure(error, options.memoryLimitMiB);
    } finally {
      stop();
    }
  };
  const session: Session = {
    connection,
    run: (sql, values) => watched(async () => void (await connection.run(sql, values as DuckDBValue[] | undefined))),
    rows: <Row>(sql: string, values?: readonly DuckDBValue[]) =>
      watched(
        async () =>
          (await connection.runAndReadAll(sql, values as DuckDBValue[] | undefined)).getRowObjectsJS() as Record<string, JS>[] as Row[],
      ),
    runAlone: async (sql) => {
      if (options.threads === 1) return session.run(sql);
      await session.run("SET threads = 1");
      await session.run(sql);
      await session.run(`SET threads = ${options.threads}`);
    },
  };
  return session;
}

/** An interrupt that comes before DuckDB has begun is lost, so it is repeated. */
function interruptOnAbort(connection: DuckDBConnection, signal: AbortSignal): () => void {
  const interrupt = () => {
    if (signal.aborted) connection.interrupt();
  };
  const timer = setInterval(interrupt, INTERRUPT_INTERVAL_MS);
  signal.addEventListener("abort", interrupt);
  return () => {
    clearInterval(timer);
    signal.removeEventListener("abort", interrupt);
  };
}

/**
 * From here on the connection reads only these files and writes only below this folder, whatever SQL it is given.
 * The order matters: DuckDB refuses the lists once external access is off, and everything once it is locked.
 */
export async function confine(session: Session, readable: readonly string[], writable: string): Promise<void> {
  await session.run(`SET allowed_paths = [${readable.map(literal).join(", ")}]`);
  await session.run(`SET allowed_directories = [${literal(writable)}]`);
  await session.run("SET enable_external_access = false");
  await session.run("SET lock_configuration = true");
}
