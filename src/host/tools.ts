/** The tools that `configs/eda.yaml` configures. They hold nothing open, so an edited file simply gives new ones. */
import { openEngine } from "../adapters/duckdb/engine.ts";
import { openRepository } from "../adapters/git/repository.ts";
import { parseConfig } from "../domain/config-file.ts";
import { SETTINGS_FILE } from "../domain/governed.ts";
import { type Settings, settingsSchema } from "../domain/settings.ts";
import type { Services } from "../pipeline/stage-definition.ts";
import type { Drive } from "../ports/drive.ts";
import { readSettingsText } from "./settings-file.ts";
import { openTrainers } from "./trainers.ts";

export type Tools = Pick<Services, "settings" | "repository" | "engine" | "trainer">;

export interface ToolBox {
  /** As of the last {@link refresh}. */
  current(): Tools;
  /** Reads the settings again. @throws EdaError `precondition` `invalid-config`; the former tools then stay */
  refresh(): void;
}

export interface ToolBoxOptions {
  readonly home: string;
  readonly workspace: string;
  readonly stateFolder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly drive: Drive;
  readonly isGoogleDrive: boolean;
}

/** Starts with the defaults when the settings cannot be read: a host must run for a person to be told so. */
export function openToolBox(options: ToolBoxOptions): ToolBox {
  let text: string | undefined;
  let tools = openTools(options, settingsSchema.parse({}));
  return {
    current: () => tools,
    refresh() {
      const read = readSettingsText(options.workspace);
      if (read === text) return;
      tools = openTools(options, parseConfig(settingsSchema, SETTINGS_FILE, read));
      text = read;
    },
  };
}

function openTools({ home, workspace, stateFolder, env, drive, isGoogleDrive }: ToolBoxOptions, settings: Settings): Tools {
  const { git, engine } = settings;
  return {
    settings,
    repository: openRepository({ workspace, maxFileBytes: git.maxFileBytes, pushRemote: git.pushRemote }),
    engine: openEngine({ memoryLimitMiB: engine.memoryLimitMiB, threads: engine.threads }),
    trainer: openTrainers({ home, stateFolder, env, drive, isGoogleDrive, settings }),
  };
}
