/**
 * A fake of Google Drive v3 for tests, on loopback: the requests, answers and errors of
 * https://developers.google.com/workspace/drive/api/reference/rest/v3 over real HTTP, with sign-in and faults on demand.
 * It holds everything in memory, refuses what it does not know, and is no proof that Google does the same.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { viewersOf } from "./access.ts";
import { Credentials, DRIVE_SCOPE, type OAuthClient } from "./credentials.ts";
import { answerOf, dispatch, type Services } from "./dispatch.ts";
import { Faults, faultOf } from "./faults.ts";
import { ConnectionCut, send } from "./http.ts";
import { Pages } from "./pages.ts";
import { type LoggedRequest, logged } from "./request-log.ts";
import { newServiceAccount, type ServiceAccount, writeKeyFile } from "./service-account.ts";
import { Sessions } from "./sessions.ts";
import { DriveState } from "./state.ts";
import { DriveStore } from "./store.ts";

const SERVER_HEADER = "fake-google-drive (for tests; not Google)";

export interface DriveServerOptions {
  /** Addresses of people; `ana@example.com` when absent. */
  readonly accounts?: readonly string[];
  /** How long what is created or changed stays invisible to `files.list` and `changes.list`. */
  readonly visibilityDelayMs?: number;
  /** A free one when absent. */
  readonly port?: number;
}

export interface DriveServer {
  /** `http://127.0.0.1:port`, also the client library's `rootUrl` once it ends in a slash. */
  readonly url: string;
  readonly state: DriveState;
  readonly faults: Faults;
  /** Every request so far, in order. */
  readonly requests: readonly LoggedRequest[];
  readonly sessions: Sessions;
  readonly pages: Pages;
  readonly credentials: Credentials;
  /** A client to sign in with; the person at the consent page is the first account. */
  readonly oauthClient: OAuthClient;
  /** An access token, without a sign-in. */
  accessToken(email: string, scopes?: readonly string[]): string;
  /** @param delegates addresses that it may act for (domain-wide delegation) */
  addServiceAccount(email: string, delegates?: readonly string[]): Promise<ServiceAccount>;
  /** Adds the account and writes its key file, whose `token_uri` is this server; answers the path. */
  writeServiceAccount(folder: string, email: string, delegates?: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

export async function startDriveServer(options: DriveServerOptions = {}): Promise<DriveServer> {
  const store = new DriveStore({ visibilityDelayMs: 0, viewers: viewersOf });
  const state = new DriveState(store);
  const [person = "ana@example.com", ...others] = options.accounts ?? [];
  for (const email of [person, ...others]) state.addAccount(email);
  state.visibilityDelayMs = options.visibilityDelayMs ?? 0;

  const oauthClient = { id: "fake-client.apps.example.com", secret: "not-a-secret-of-a-desktop-client", redirectUris: [] };
  const credentials = new Credentials();
  credentials.clients.set(oauthClient.id, oauthClient);
  credentials.consentingAs = person;

  const requests: LoggedRequest[] = [];
  const server = createServer((request, response) => void serve(request, response, services, requests));
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const services: Services = { store, credentials, sessions: new Sessions(), pages: new Pages(), faults: new Faults(), url };

  const addServiceAccount = async (email: string, delegates: readonly string[] = []) => {
    const account = await newServiceAccount(email, delegates);
    store.addAccount({ email, displayName: email, quotaBytes: null, isService: true });
    credentials.serviceKeys.set(email, account.key);
    return account;
  };
  return {
    ...services,
    state,
    requests,
    oauthClient,
    accessToken: (email, scopes = [DRIVE_SCOPE]) => credentials.newAccessToken(email, scopes).token,
    addServiceAccount,
    writeServiceAccount: async (folder, email, delegates) => writeKeyFile(await addServiceAccount(email, delegates), url, folder),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

async function serve(request: IncomingMessage, response: ServerResponse, services: Services, requests: LoggedRequest[]): Promise<void> {
  response.setHeader("Server", SERVER_HEADER);
  // A client that goes away is no event here.
  response.on("error", () => {});
  try {
    const url = new URL(request.url ?? "/", services.url);
    const found = dispatch(request, url, services);
    const faults = services.faults.strike({ ...found, method: request.method ?? "", path: url.pathname });
    const entry = logged(request, url, found.operation, faults);
    requests.push(entry);
    const answer = await answerOf(found, faults);
    if (faultOf(faults, "lose-answer") !== undefined) throw new ConnectionCut();
    entry.status = answer.status;
    await send(response, answer, faults);
  } catch (error) {
    response.destroy();
    if (!(error instanceof ConnectionCut)) throw error;
  }
}
