/** The Google Drive adapter against the fake Drive server, with quick retries. */
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type GoogleDrive, openGoogleDrive } from "../../src/adapters/drive/drive.ts";
import type { GoogleAuth, GoogleDriveOptions } from "../../src/adapters/drive/options.ts";
import { type DriveServer, type DriveServerOptions, startDriveServer } from "./drive-server/server.ts";
import { temporaryFolder } from "./folders.ts";

export const ANA = "ana@example.com";
export const SERVICE = "eda@fake-drive.iam.gserviceaccount.com";

export interface GoogleBench {
  readonly server: DriveServer;
  /** A folder of Ana's. */
  readonly folder: string;
  readonly log: string[];
  readonly stateFolder: string;
  /** Another host on the same state, or with other settings; the service account acts for Ana unless told otherwise. */
  open(options?: Partial<GoogleDriveOptions>): Promise<GoogleDrive>;
  readonly drive: GoogleDrive;
  /** How many requests of this operation there were. */
  count(operation: DriveServer["requests"][number]["operation"]): number;
}

/** Lives as long as the test. */
export async function googleBench(options: DriveServerOptions = {}): Promise<GoogleBench> {
  const server = await startDriveServer({ accounts: [ANA], ...options });
  onTestFinished(server.close);
  const stateFolder = join(await temporaryFolder(), "state");
  const keyFile = await server.writeServiceAccount(await temporaryFolder(), SERVICE, [ANA]);
  const log: string[] = [];
  const open = async ({ limits, ...more }: Partial<GoogleDriveOptions> = {}) => {
    const auth: GoogleAuth = { kind: "service-account", keyFile, subject: ANA };
    const drive = openGoogleDrive({
      auth,
      apiRoot: server.url,
      oauthRoot: server.url,
      stateFolder,
      log: (level, message) => log.push(`${level}: ${message}`),
      limits: { retryBaseMs: 5, retryCapMs: 20, chunkBytes: 256 * 1024, listingSettleMs: 0, ...limits },
      ...more,
    });
    onTestFinished(drive.close);
    return drive;
  };
  return {
    server,
    folder: server.state.addFolder({ name: "dados" }),
    log,
    stateFolder,
    open,
    drive: await open(),
    count: (operation) => server.requests.filter((request) => request.operation === operation).length,
  };
}
