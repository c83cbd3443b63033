/** Does Drive answer, in whose name, and is there room? */
import type { GoogleDriveOptions } from "./options.ts";
import { openWire } from "./wire.ts";

/** A person waits for it. */
const ATTEMPTS = 2;

export interface DriveFacts {
  readonly account: string;
  /** Undefined where there is no limit, or none of this account's own. */
  readonly freeBytes: number | undefined;
}

/** @throws EdaError `unavailable` `drive-away`, `precondition` `drive-signed-out`, … */
export async function probeDrive(options: GoogleDriveOptions): Promise<DriveFacts> {
  const wire = openWire({ ...options, limits: { ...options.limits, attempts: ATTEMPTS } });
  try {
    const { storageQuota: quota } = await wire.call("the account", undefined, (api, call) =>
      api.about.get({ fields: "storageQuota" }, call),
    );
    const limit = Number(quota?.limit ?? 0);
    return { account: wire.account().name, freeBytes: limit > 0 ? Math.max(0, limit - Number(quota?.usage ?? 0)) : undefined };
  } finally {
    await wire.close();
  }
}
