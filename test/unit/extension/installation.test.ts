import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findInstallation, hostEnvironment, notInstalled } from "../../../src/extension/host/installation.ts";
import { temporaryFolder } from "../../support/small-project.ts";

let root: string;

beforeEach(() => {
  root = temporaryFolder("homes");
  for (const home of ["set", "env", "extension"]) {
    mkdirSync(join(root, home, "dist", "host"), { recursive: true });
    writeFileSync(join(root, home, "dist", "host", "main.js"), `// ${home}`);
  }
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

const homeOf = (places: { setting?: string; env?: string; extension?: string }) => {
  const at = (name: string | undefined) => (name === undefined ? "" : join(root, name));
  const env = places.env === undefined ? {} : { EDA_HOME: at(places.env) };
  return findInstallation({ setting: at(places.setting), env, extensionFolder: at(places.extension) })?.program.env.EDA_HOME;
};

describe("the installation", () => {
  it("is the one of the setting, then of the environment, then the extension's own", () => {
    expect(homeOf({ setting: "set", env: "env", extension: "extension" })).toBe(join(root, "set"));
    expect(homeOf({ env: "env", extension: "extension" })).toBe(join(root, "env"));
    expect(homeOf({ extension: "extension" })).toBe(join(root, "extension"));
  });

  it("is none at all when the setting leads nowhere: another would surprise", () => {
    expect(homeOf({ setting: "nowhere", env: "env", extension: "extension" })).toBeUndefined();
    const error = notInstalled({ setting: "/nowhere", env: {}, extensionFolder: "" });
    expect(error.message).toContain("/nowhere");
    expect(error.todo).toContain("eda.home");
  });

  it("skips an environment that leads nowhere", () => {
    expect(homeOf({ env: "nowhere", extension: "extension" })).toBe(join(root, "extension"));
  });
});

describe("the environment of the host", () => {
  it("holds nothing that belongs to the window", () => {
    const env = hostEnvironment(
      { PATH: "/bin", EDA_PYTHON: "python", VSCODE_IPC_HOOK_CLI: "s", ELECTRON_RUN_AS_NODE: "1", NODE_OPTIONS: "--inspect" },
      false,
    );
    expect(env).toEqual({ PATH: "/bin", EDA_PYTHON: "python" });
  });

  it("makes the desktop editor's program run as Node", () => {
    expect(hostEnvironment({}, true)).toEqual({ ELECTRON_RUN_AS_NODE: "1" });
  });
});
