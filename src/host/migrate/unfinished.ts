/** A note that a migration is under way, so that no host takes stores that hold half of a workspace for empty ones. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EdaError } from "../../domain/errors.ts";
import type { StoresConfiguration } from "../stores/configuration.ts";
import { describeStores } from "../stores/describe.ts";

const FILE = "migration.json";

export function noteUnfinished(stateFolder: string, configuration: StoresConfiguration): void {
  writeFileSync(join(stateFolder, FILE), addresses(stateFolder, configuration), { flush: true });
}

export function noteFinished(stateFolder: string): void {
  rmSync(join(stateFolder, FILE), { force: true });
}

/** Who goes back to the stores of before can work: those are whole. @throws EdaError `precondition` `migration-unfinished` */
export function refuseUnfinished(stateFolder: string, configuration: StoresConfiguration): void {
  const file = join(stateFolder, FILE);
  if (!existsSync(file) || readFileSync(file, "utf8") !== addresses(stateFolder, configuration)) return;
  throw new EdaError("precondition", "migration-unfinished", "The move of this workspace to the configured stores was interrupted.", {
    todo: "Run eda migrate-stores again: it goes on where it was. Or take the stores out of the configuration: the embedded ones are whole.",
  });
}

function addresses(stateFolder: string, configuration: StoresConfiguration): string {
  const { drive: _, ...stores } = describeStores(configuration, stateFolder);
  return JSON.stringify(stores);
}
