/** `eda doctor`: is everything here that a run needs? */
import type { Command } from "commander";
import type { Colors } from "picocolors/types";
import { EXIT_CODES, toEdaError } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";
import { checksWithoutHost } from "../../protocol/check-stores.ts";
import { installationAt } from "../../protocol/installation.ts";
import { Doctor, type DoctorCheck } from "../../protocol/messages.ts";
import type { Cli, GlobalOptions } from "../context.ts";
import { print, printDocument } from "../output/terminal.ts";
import { withHost } from "../session.ts";
import { requireWorkspace } from "../workspace.ts";

/** The oldest Node that the host runs on. */
const OLDEST_NODE = 22;

const HELP = `
Exit code 0 when a run can start, 4 when a service is away, 1 when another check failed; each failed check says what to do.`;

export function addDoctor(program: Command, cli: Cli): void {
  program
    .command("doctor")
    .summary("check that everything a run needs is here")
    .description("Checks the installation, the workspace, its repository and every service a run needs.")
    .addHelpText("after", HELP)
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const checks = [checkNode(), checkInstallation(cli), ...(await checkWorkspace(cli, options))];
      const failed = checks.filter((check) => check.state === "failed");
      const ok = failed.length === 0;
      if (!ok) cli.outcome.exitCode = failed.some(({ kind }) => kind === "unavailable") ? EXIT_CODES.unavailable : EXIT_CODES.terminal;
      if (options.json === true) return printDocument(cli.terminal, { ok, checks });
      for (const check of checks) print(cli.terminal, renderCheck(check, cli.terminal.out.colours));
    });
}

function checkNode(): DoctorCheck {
  const isFit = Number.parseInt(process.versions.node, 10) >= OLDEST_NODE;
  return {
    name: "node",
    state: isFit ? "ok" : "failed",
    message: `Node ${process.versions.node}`,
    todo: isFit ? null : `Use Node ${OLDEST_NODE} or later.`,
  };
}

function checkInstallation(cli: Cli): DoctorCheck {
  const build = installationAt(cli.home, cli.env)?.build;
  return {
    name: "installation",
    state: build === undefined ? "failed" : "ok",
    message: build === undefined ? `There is no eda host in ${cli.home}.` : `eda ${cli.version}, build ${build}, in ${cli.home}`,
    todo: build === undefined ? "Build it with: npm run build" : null,
  };
}

/** What the host can say of the workspace; that it cannot be asked is itself a finding, and its stores are then looked at without it. */
async function checkWorkspace(cli: Cli, options: GlobalOptions): Promise<readonly DoctorCheck[]> {
  let workspace: string | undefined;
  try {
    workspace = requireWorkspace(cli, options);
    return await withHost(cli, workspace, (session) => session.ask0(Doctor));
  } catch (error) {
    const failure = toEdaError(error);
    if (workspace !== undefined) return checksWithoutHost(failure, workspace, installationAt(cli.home, cli.env)?.program);
    const { kind, message, todo } = failure;
    return [{ name: "workspace", state: "failed", message, todo: todo ?? null, kind }];
  }
}

function renderCheck({ name, state, message, todo }: DoctorCheck, colours: Colors): string {
  const mark = { ok: colours.green("✔"), warning: colours.yellow("!"), failed: colours.red("✖") }[state];
  const head = `${mark} ${colours.bold(name.padEnd(14))} ${printable(message)}`;
  return todo === null ? head : `${head}\n  ${colours.yellow("→")} ${printable(todo)}`;
}
