import { rm } from "node:fs/promises";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { type GoogleDrive, openGoogleDrive } from "../../src/adapters/drive/drive.ts";
import { type DriveServer, startDriveServer } from "../support/drive-server/server.ts";
import { driveContract } from "./drive.suite.ts";

const ANA = "ana@example.com";

const closing: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

driveContract("google", async () => {
  const server = await startDriveServer({ accounts: [ANA] });
  const state = await mkdtemp(join(tmpdir(), "eda-drive-"));
  const keyFile = await server.writeServiceAccount(state, "eda@fake-drive.iam.gserviceaccount.com", [ANA]);
  const drive: GoogleDrive = openGoogleDrive({
    auth: { kind: "service-account", keyFile, subject: ANA },
    apiRoot: server.url,
    oauthRoot: server.url,
    stateFolder: join(state, "state"),
    limits: { retryBaseMs: 10 },
  });
  closing.push(() => rm(state, { recursive: true, force: true }), server.close, drive.close);
  return {
    drive,
    makeFolder: async () => server.state.addFolder({ name: "dados" }),
    write: async (folder, segments, content) => {
      const parent = segments
        .slice(0, -1)
        .reduce((id, name) => child(server, id, name) ?? server.state.addFolder({ name, parent: id }), folder);
      const name = segments.at(-1) as string;
      const file = child(server, parent, name);
      if (file === undefined) server.state.addFile({ name, parent, content });
      else server.state.write(file, content);
    },
    remove: async (folder, segments) => server.state.trash(at(server, folder, segments)),
    content: async (folder, segments) => server.state.content(at(server, folder, segments)),
  };
});

function child(server: DriveServer, parent: string, name: string): string | undefined {
  return server.state.children(parent).find((item) => item.name === name && !item.trashed)?.id;
}

function at(server: DriveServer, folder: string, segments: readonly string[]): string {
  return segments.reduce((id, name) => child(server, id, name) as string, folder);
}
