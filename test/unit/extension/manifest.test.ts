/** `package.json` and the extension's typed table say the same, in both languages. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  CONTEXT_KEYS,
  NODE_COMMANDS,
  PALETTE_COMMANDS,
  SERVICES_WALKTHROUGH,
  SETTINGS,
  VIEWS,
  TRAINING_WALKTHROUGH,
  WALKTHROUGH,
} from "../../../src/extension/contributions.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const text = readFileSync(join(root, "package.json"), "utf8");
const manifest = JSON.parse(text);
const { contributes } = manifest;
const commands: { command: string; title: string }[] = contributes.commands;
const menuItems: { command: string; when?: string }[] = Object.values(contributes.menus).flat() as never;
const sorted = (names: Iterable<string>) => [...names].sort();

describe("the manifest", () => {
  it("declares exactly the commands that have handlers", () => {
    expect(sorted(commands.map(({ command }) => command))).toEqual(sorted([...PALETTE_COMMANDS, ...NODE_COMMANDS]));
  });

  it("hides from the palette exactly the commands that need a row", () => {
    const hidden = contributes.menus.commandPalette.filter(({ when }: { when: string }) => when === "false");
    expect(sorted(hidden.map(({ command }: { command: string }) => command))).toEqual(sorted(NODE_COMMANDS));
  });

  it("puts only declared commands into menus and links", () => {
    const declared = new Set(commands.map(({ command }) => command));
    expect(menuItems.map(({ command }) => command).filter((command) => !declared.has(command))).toEqual([]);
    const nls = readFileSync(join(root, "package.nls.json"), "utf8") + readFileSync(join(root, "package.nls.pt-br.json"), "utf8");
    const linked = [...nls.matchAll(/command:(eda\.[\w.]+)/gu)].map(([, command]) => command as string);
    expect(linked.filter((command) => !declared.has(command))).toEqual([]);
    expect(linked.length).toBeGreaterThan(0);
  });

  it("declares the views, settings and walkthrough of the table", () => {
    expect(contributes.views.eda.map(({ id }: { id: string }) => id)).toEqual([...VIEWS]);
    const properties: Record<string, { default: unknown }> = contributes.configuration.properties;
    const settings = Object.entries(properties).map(([name, property]) => [name, property.default]);
    expect(Object.fromEntries(settings)).toEqual(
      Object.fromEntries(Object.entries(SETTINGS).map(([name, value]) => [`eda.${name}`, value])),
    );
    expect(contributes.walkthroughs.map(({ id }: { id: string }) => id)).toEqual([WALKTHROUGH, SERVICES_WALKTHROUGH, TRAINING_WALKTHROUGH]);
  });

  it("uses only context keys and views that exist in its conditions", () => {
    const conditions = [...menuItems, ...contributes.viewsWelcome].map(({ when }) => when ?? "").join(" ");
    const named = new Set([...conditions.matchAll(/eda\.\w+/gu)].map(([name]) => name));
    expect([...named].filter((name) => ![...CONTEXT_KEYS, ...VIEWS].includes(name as never))).toEqual([]);
  });

  it("names files that are there", () => {
    const steps = contributes.walkthroughs.flatMap(({ steps }: { steps: { media: { svg: string } }[] }) => steps);
    const media = steps.map(({ media: { svg } }: { media: { svg: string } }) => svg);
    const schemas = contributes.yamlValidation.map(({ url }: { url: string }) => url);
    const icons = [manifest.icon, ...contributes.viewsContainers.activitybar.map(({ icon }: { icon: string }) => icon)];
    expect([...media, ...schemas, ...icons].filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });

  it("keeps code of the workspace from running before it is trusted", () => {
    expect(manifest.capabilities.untrustedWorkspaces.supported).toBe(false);
    expect(manifest.activationEvents).toEqual(["workspaceContains:configs/eda.yaml", "onWebviewPanel:eda.monitor"]);
  });

  it("has every text in both languages, and no text that nobody uses", () => {
    const used = sorted(new Set([...text.matchAll(/"%([\w.]+)%"/gu)].map(([, key]) => key as string)));
    for (const file of ["package.nls.json", "package.nls.pt-br.json"]) {
      const texts: Record<string, string> = JSON.parse(readFileSync(join(root, file), "utf8"));
      expect(sorted(Object.keys(texts)), file).toEqual(used);
      expect(Object.values(texts).filter((value) => value.trim() === "")).toEqual([]);
    }
  });
});
