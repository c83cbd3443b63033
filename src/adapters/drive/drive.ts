/** Google Drive, version 3 of its API. */
import { join } from "node:path";
import type { Drive } from "../../ports/drive.ts";
import { DEFAULT_EXPORTS } from "./export-formats.ts";
import { createLister } from "./listing-memory.ts";
import type { GoogleDriveOptions } from "./options.ts";
import { currentVersion, readFile } from "./read.ts";
import { listingOf } from "./tree.ts";
import { createUploader } from "./upload.ts";
import { openWire, type Wire } from "./wire.ts";

export interface GoogleDrive extends Drive {
  /** Ends the connections. */
  close(): Promise<void>;
}

/**
 * Nothing is asked of Google yet, and nobody has to be signed in yet.
 * @throws EdaError `precondition` `invalid-endpoint`
 */
export function openGoogleDrive(options: GoogleDriveOptions): GoogleDrive {
  const wire = openWire(options);
  const treeBelow = createLister(wire, join(options.stateFolder, "listings"));
  const upload = createUploader(wire, join(options.stateFolder, "uploads"));
  const choice = { ...DEFAULT_EXPORTS, ...options.exports };
  return {
    get description() {
      return `Google Drive (${accountName(wire)})`;
    },
    list: async (folder, signal) => listingOf(await treeBelow(folder, signal), choice),
    read: (_folder, file, signal) => readFile(wire, file, signal),
    currentVersion: (_folder, file) => currentVersion(wire, file),
    upload: (folder, segments, localFile, signal) => upload({ folder, segments, localFile, signal }),
    close: wire.close,
  };
}

function accountName(wire: Wire): string {
  try {
    return wire.account().name;
  } catch {
    return "not signed in";
  }
}
