/** What stands behind each store, for people: kinds and addresses, never a secret. */
import type { HostStatus } from "../../protocol/messages.ts";
import type { PostgresConfiguration, StoresConfiguration } from "./configuration.ts";

export type StoreDescriptions = HostStatus["stores"];

/** @param folder of the embedded object store */
export function describeStores({ objects, database, runLog, drive }: StoresConfiguration, folder: string): StoreDescriptions {
  return {
    objects: objects.kind === "s3" ? `S3 ${objects.endpoint}` : `folder ${folder}`,
    inventory: database.kind === "postgresql" ? `PostgreSQL ${databaseAddress(database)}` : "embedded PostgreSQL",
    runLog: runLog.kind === "mongodb" ? `MongoDB ${mongodbAddress(runLog.uri)}` : "in the inventory's database",
    drive: drive.kind === "google" ? "Google Drive" : "local folder",
  };
}

export function databaseAddress({ host, port, database }: Pick<PostgresConfiguration, "host" | "port" | "database">): string {
  return `${host}:${port}/${database}`;
}

/** Without parameters, of which some are long and none says where it is. */
function mongodbAddress(uri: string): string {
  return uri.replace(/^mongodb(\+srv)?:\/\//u, "").replace(/[/?].*$/u, "");
}
