/**
 * A fake of what Colab Enterprise is made of: notebook executions of Vertex AI, objects of Cloud Storage, the metadata server of the machine that an
 * execution runs on, and Google's tokens. Nothing of Google is behind it. It listens on a loopback socket, speaks their shapes, and refuses every
 * path, method, parameter and field that it does not know, and whoever shows no token of its own.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { Accounts } from "./accounts.ts";
import { type Answer, json, Refusal, rpcError, storageError } from "./answers.ts";
import { FakeExecutions, type Runtime } from "./executions.ts";
import { Objects } from "./objects.ts";

const SERVER_HEADER = "fake Vertex AI and Cloud Storage for tests (nothing of Google is behind it)";

export const PROJECT = "projeto-teste";
export const REGION = "us-central1";
export const BUCKET = "modelos-teste";

export interface LoggedRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly account: string | undefined;
  readonly body: Buffer;
}

export interface Fault {
  /** Matched against method, blank, path and query. */
  readonly on: RegExp;
  readonly answer: Answer | "cut" | "lose-answer";
  /** How often it strikes; without end when absent. */
  readonly times?: number;
}

export interface VertexServer {
  readonly url: string;
  readonly objects: Objects;
  readonly executions: FakeExecutions;
  readonly accounts: Accounts;
  readonly requests: readonly LoggedRequest[];
  /** From now on; the first one that matches strikes. */
  fail(fault: Fault): void;
  heal(): void;
  /** @returns path of the key file */
  writeKey(folder: string, email: string): Promise<string>;
  /** Ends what still runs, too. */
  close(): Promise<void>;
}

/** @param runtime runs the notebooks */
export async function startVertexServer(runtime: (server: VertexServer) => Runtime): Promise<VertexServer> {
  const accounts = new Accounts();
  const requests: LoggedRequest[] = [];
  const faults: { fault: Fault; left: number }[] = [];
  const http = createServer((request, response) => void serve(request, response));
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const objects = new Objects(BUCKET);
  const executions = new FakeExecutions(`projects/${PROJECT}/locations/${REGION}`, (execution) => runtime(server)(execution));

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on("error", () => undefined);
    const body = await buffer(request).catch(() => undefined);
    if (body === undefined) return;
    const { method = "", url: path = "/" } = request;
    const account = accounts.accountOf(request.headers.authorization);
    requests.push({ method, path, account, body });
    const struck = faults.find(({ fault, left }) => left > 0 && fault.on.test(`${method} ${path}`));
    if (struck !== undefined) struck.left -= 1;
    const answer = struck?.fault.answer;
    if (answer === "cut") return void request.socket.destroy();
    const given = typeof answer === "object" ? answer : answered(request, body, account);
    if (answer === "lose-answer") return void request.socket.destroy();
    response.writeHead(given.status, { server: SERVER_HEADER, "content-length": Buffer.byteLength(given.body), ...given.headers });
    response.end(request.method === "HEAD" || given.status === 204 ? undefined : given.body);
  }

  function answered(request: IncomingMessage, body: Buffer, account: string | undefined): Answer {
    const target = new URL(request.url ?? "/", url);
    try {
      return route(request, target, body, account);
    } catch (error) {
      if (error instanceof Refusal) return error.answer;
      return rpcError("INTERNAL", `the fake failed: ${(error as Error).message}`);
    }
  }

  function route(request: IncomingMessage, { pathname, searchParams }: URL, body: Buffer, account: string | undefined): Answer {
    const { method = "", headers } = request;
    const at = `${method} ${pathname}`;
    if (at === "POST /token") return accounts.tokenFor(new URLSearchParams(body.toString()));
    if (at === "GET /computeMetadata/v1/instance/service-accounts/default/token") {
      if (headers["metadata-flavor"] !== "Google") return { status: 403, body: "Missing Metadata-Flavor:Google header." };
      const [running] = executions.all.filter((each) => each.state === "JOB_STATE_RUNNING");
      if (running === undefined) return { status: 404, body: "no machine is running" };
      return json({ access_token: accounts.newToken(running.request.serviceAccount), expires_in: 3_599, token_type: "Bearer" });
    }
    const isStorage = /^\/(?:upload\/)?storage\//u.test(pathname);
    if (account === undefined) {
      throw new Refusal(
        isStorage
          ? storageError(401, "required", "Invalid Credentials")
          : rpcError("UNAUTHENTICATED", "Invalid authentication credentials."),
      );
    }
    return isStorage ? storage(at, searchParams, body, headers["content-range"]) : vertex(at, searchParams, body);
  }

  function storage(at: string, query: URLSearchParams, body: Buffer, range: string | undefined): Answer {
    const [, bucket, name] = /\/storage\/v1\/b\/([^/]+)\/o(?:\/([^/]+))?$/u.exec(at) ?? [];
    if (bucket !== undefined && bucket !== BUCKET) throw new Refusal(storageError(404, "notFound", "The specified bucket does not exist."));
    const object = decodeURIComponent(name ?? "");
    switch (`${at.replace(/\/b\/.*$/u, "")} ${name === undefined ? "bucket" : "object"}`) {
      case "GET /storage/v1 bucket":
        return objects.list(query);
      case "GET /storage/v1 object":
        return objects.get(object, query);
      case "DELETE /storage/v1 object":
        return objects.delete(object, query);
      case "POST /upload/storage/v1 bucket":
        return objects.insert(query, body, url);
      case "PUT /upload/storage/v1 bucket":
        return objects.piece(query, body, range);
      default:
        throw new Refusal(storageError(404, "notFound", `This fake does not know ${at}.`));
    }
  }

  function vertex(at: string, query: URLSearchParams, body: Buffer): Answer {
    const prefix = `/v1/projects/${PROJECT}/locations/${REGION}/notebookExecutionJobs`;
    const method = at.slice(0, at.indexOf(" "));
    const path = at.slice(method.length + 1);
    const rest = path.startsWith(prefix) ? path.slice(prefix.length) : undefined;
    const [, id = "", operations, operation] = /^\/([^/]+)(\/operations(?:\/([^/]+))?)?$/u.exec(rest ?? "") ?? [];
    const name = path.slice("/v1/".length);
    if (method === "POST" && rest === "") return executions.create(query, JSON.parse(body.toString()));
    if (method === "GET" && rest === "") return executions.list(query);
    if (method === "GET" && operation !== undefined) return executions.operation(name);
    if (method === "GET" && operations !== undefined) return executions.operations(id);
    if (method === "POST" && operation?.endsWith(":cancel")) return executions.cancel(name.replace(/:cancel$/u, ""));
    if (method === "GET" && id !== "") return executions.get(id);
    if (method === "DELETE" && id !== "" && operations === undefined) return executions.delete(id);
    throw new Refusal(rpcError("NOT_FOUND", `This fake does not know ${at}.`));
  }

  const server: VertexServer = {
    url,
    objects,
    executions,
    accounts,
    requests,
    fail: (fault) => void faults.push({ fault, left: fault.times ?? Number.POSITIVE_INFINITY }),
    heal: () => void faults.splice(0),
    writeKey: (folder, email) => accounts.writeKey(folder, email, url),
    async close() {
      for (const { abort } of executions.all) abort.abort();
      await Promise.all(executions.running);
      http.close();
      http.closeAllConnections();
      await once(http, "close");
    },
  };
  return server;
}
