/** An HTTP gateway before a server that misbehaves on demand: it answers itself, forgets headers, cuts connections. */
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Transform } from "node:stream";

export interface Misbehaviour {
  /** Answers this instead of asking the server. */
  readonly answer?: { readonly status: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> };
  /** Header that does not get through. */
  readonly without?: string;
  /** Breaks the connection after so many bytes of the server's answer. */
  readonly cutAnswerAfter?: number;
  /** Lets the server do the work and breaks the connection before its answer. */
  readonly loseAnswer?: boolean;
}

export interface Gateway {
  readonly url: string;
  /** `METHOD path` of every request so far. */
  readonly seen: readonly string[];
  stop(): Promise<void>;
}

/** @param behave decides for each request; undefined: it passes */
export async function startGateway(port: number, behave: (incoming: IncomingMessage) => Misbehaviour | undefined): Promise<Gateway> {
  const seen: string[] = [];
  const server = createServer((incoming, outgoing) => {
    seen.push(`${incoming.method} ${incoming.url}`);
    pass(port, incoming, outgoing, behave(incoming) ?? {});
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function pass(
  port: number,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { answer, without, cutAnswerAfter, loseAnswer }: Misbehaviour,
): void {
  if (answer !== undefined) {
    incoming.resume();
    const length = Buffer.byteLength(answer.body);
    outgoing.writeHead(answer.status, { "content-type": "application/xml", "content-length": length, ...answer.headers });
    outgoing.end(answer.body);
    return;
  }
  const headers = { ...incoming.headers };
  if (without !== undefined) delete headers[without];
  const onward = request({ host: "127.0.0.1", port, method: incoming.method, path: incoming.url, headers, agent: false }, (answered) => {
    if (loseAnswer === true) {
      answered.resume().on("end", () => outgoing.destroy());
      return;
    }
    outgoing.writeHead(answered.statusCode ?? 502, answered.headers);
    if (cutAnswerAfter === undefined) answered.pipe(outgoing);
    else answered.pipe(cutting(cutAnswerAfter, outgoing)).pipe(outgoing);
  });
  onward.on("error", () => outgoing.destroy());
  outgoing.on("close", () => onward.destroy());
  incoming.pipe(onward);
}

function cutting(after: number, outgoing: ServerResponse): Transform {
  let passed = 0;
  return new Transform({
    transform(chunk: Buffer, _, callback) {
      const rest = Math.max(0, after - passed);
      passed += chunk.length;
      if (chunk.length < rest) callback(null, chunk);
      else callback(null, chunk.subarray(0, rest));
      // What was written first is to arrive first.
      if (passed >= after) setTimeout(() => outgoing.destroy(), 50);
    },
  });
}
