/** Connections to Google: one set of proxies, timeouts and kept sockets for the client libraries and for bytes. */
import { type Dispatcher, EnvHttpProxyAgent, fetch as undiciFetch } from "undici";

const CONNECT_TIMEOUT_MS = 10_000;

export interface Connections {
  readonly dispatcher: Dispatcher;
  /** `fetch` over these connections, for the client libraries. */
  readonly fetch: typeof globalThis.fetch;
  close(): Promise<void>;
}

/** @param stallMs without a byte of an answer for this long it is given up */
export function openConnections(stallMs: number): Connections {
  const dispatcher = new EnvHttpProxyAgent({ connect: { timeout: CONNECT_TIMEOUT_MS }, bodyTimeout: stallMs });
  const fetch = ((url: string, init: object) => undiciFetch(url, { ...init, dispatcher })) as unknown as typeof globalThis.fetch;
  return { dispatcher, fetch, close: () => dispatcher.destroy() };
}
