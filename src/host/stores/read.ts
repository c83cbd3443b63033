/** The configuration of the stores as it is now, and whether it still is that of the open ones. */
import { readFileSync } from "node:fs";
import { EdaError } from "../../domain/errors.ts";
import { SETTINGS_FILE } from "../../domain/governed.ts";
import type { Endpoint } from "../../protocol/endpoint.ts";
import { readSettingsText, storesOf } from "../settings-file.ts";
import { resolveStores, type StoresConfiguration } from "./configuration.ts";

/** @throws EdaError `precondition`, see {@link resolveStores}, and `invalid-config` */
export function readConfiguration(workspace: string, env: NodeJS.ProcessEnv): StoresConfiguration {
  return resolveStores({
    workspace,
    settings: storesOf(readSettingsText(workspace)),
    env,
    readFile: (path) => readFileSync(path, "utf8"),
  });
}

/** What is asked of the host. */
interface OpenHost {
  readonly endpoint: Endpoint;
  readonly env: NodeJS.ProcessEnv;
  readonly stores: { readonly configuration: StoresConfiguration };
}

/** A configuration that cannot be read is told where it is read; it changes nothing. A changed secret is no other store. */
export function haveStoresChanged({ endpoint, env, stores }: OpenHost): boolean {
  try {
    return JSON.stringify(readConfiguration(endpoint.workspace, env)) !== JSON.stringify(stores.configuration);
  } catch {
    return false;
  }
}

/** Data must not go to the stores of before. @throws EdaError `precondition` `stores-changed` */
export function refuseChangedStores(host: OpenHost): void {
  if (!haveStoresChanged(host)) return;
  throw new EdaError("precondition", "stores-changed", `${SETTINGS_FILE} names other stores than those that the running host has open.`, {
    todo: "Stop the host when its runs have ended (eda host stop), then run again: the next one opens them.",
  });
}
