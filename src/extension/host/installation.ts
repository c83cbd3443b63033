/** Where the programs of eda are: the extension itself carries only its own bundle. */
import { EdaError } from "../../domain/errors.ts";
import { type Installation, installationAt } from "../../protocol/installation.ts";

export interface Places {
  /** Setting `eda.home`; empty when not set. */
  readonly setting: string;
  readonly env: NodeJS.ProcessEnv;
  /** Folder of the extension: a development checkout holds the host too. */
  readonly extensionFolder: string;
}

/** The first that holds a host: the setting, `EDA_HOME`, the extension's folder. A setting that leads nowhere is a mistake, not a hint. */
export function findInstallation({ setting, env, extensionFolder }: Places): Installation | undefined {
  const homes = setting === "" ? [env.EDA_HOME, extensionFolder] : [setting];
  for (const home of homes) {
    const found = home === undefined || home === "" ? undefined : installationAt(home, hostEnvironment(env));
    if (found !== undefined) return found;
  }
  return undefined;
}

export function notInstalled({ setting }: Places): EdaError {
  return new EdaError(
    "unavailable",
    "host-not-installed",
    setting === "" ? "No eda installation was found." : `There is no eda installation in ${setting}.`,
    {
      todo: "Set eda.home to the folder of a built eda checkout (the one that holds dist/host/main.js), or start the editor with EDA_HOME.",
    },
  );
}

/**
 * The host outlives the window, so it must not inherit what belongs to it: sockets of the editor, debugger flags. On the desktop the
 * editor's own program runs as Node only when told to.
 */
export function hostEnvironment(env: NodeJS.ProcessEnv, electron = process.versions.electron !== undefined): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(
    ([name]) => !name.startsWith("VSCODE_") && !name.startsWith("ELECTRON_") && name !== "NODE_OPTIONS",
  );
  return { ...Object.fromEntries(kept), ...(electron ? { ELECTRON_RUN_AS_NODE: "1" } : {}) };
}
