/** The real client library, pointed at the fake Drive. */
import { type drive_v3, drive } from "@googleapis/drive";
import { OAuth2Client } from "google-auth-library";
import { onTestFinished } from "vitest";
import { type DriveServer, type DriveServerOptions, startDriveServer } from "./server.ts";

export const ANA = "ana@example.com";
export const BIA = "bia@example.com";

export interface ClientOfServer {
  readonly server: DriveServer;
  readonly drive: drive_v3.Drive;
}

/** A server for one test with the accounts of Ana and Bia, and a client that is signed in as Ana. */
export async function serverWithClient(options: DriveServerOptions = {}): Promise<ClientOfServer> {
  const server = await startDriveServer({ accounts: [ANA, BIA], ...options });
  onTestFinished(() => server.close());
  return { server, drive: clientAs(server, ANA) };
}

/** Never retries: what the server answers is what the test sees. Uploads ignore its `rootUrl`: give them {@link toServer}. */
export function clientAs(server: DriveServer, email: string, scopes?: readonly string[]): drive_v3.Drive {
  const auth = new OAuth2Client();
  auth.setCredentials({ access_token: server.accessToken(email, scopes) });
  return drive({ version: "v3", auth, ...toServer(server), retry: false });
}

/** Options of a single call. */
export const toServer = ({ url }: DriveServer): { readonly rootUrl: string } => ({ rootUrl: `${url}/` });
