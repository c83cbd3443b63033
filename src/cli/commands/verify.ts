/** `eda verify`: everything stored against everything recorded. */
import { randomUUID } from "node:crypto";
import type { Command } from "commander";
import { CancellationTokenSource } from "vscode-jsonrpc";
import { EdaError, EXIT_CODES } from "../../domain/errors.ts";
import { Verify, type VerifyProblem, type VerifyReport } from "../../protocol/messages.ts";
import type { Cli, GlobalOptions } from "../context.ts";
import { interruptible } from "../interrupt.ts";
import { formatBytes, formatCount } from "../output/format.ts";
import { type Column, renderTable } from "../output/table.ts";
import { note, print, printDocument, widthOf } from "../output/terminal.ts";
import { openWorkView } from "../output/work-view.ts";
import { type HostSession, withHost } from "../session.ts";
import { requireProject, requireWorkspace } from "../workspace.ts";

interface VerifyOptions extends GlobalOptions {
  readonly project?: string;
}

const HELP = `
Reads every object again and compares it with the inventory, the manifests in Git and the audit chain.
Exit code 0 when all agree, 1 with each disagreement named.

Examples:
  $ eda verify
  $ eda verify --project vendas --json | jq '.problems[]'`;

export function addVerify(program: Command, cli: Cli): void {
  program
    .command("verify")
    .summary("check objects, inventories, manifests and audit chain")
    .description("Checks that objects, inventories, manifests in Git and the audit chain agree.")
    .option("--project <name>", "only this project (default: all)")
    .addHelpText("after", HELP)
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<VerifyOptions>();
      const workspace = requireWorkspace(cli, options);
      const project = options.project === undefined ? undefined : requireProject(workspace, options.project);
      const report = await withHost(cli, workspace, (session) => verify(cli, session, project));
      if (!report.ok) cli.outcome.exitCode = EXIT_CODES.terminal;
      if (options.json === true) printDocument(cli.terminal, report);
      else printReport(cli, report);
    });
}

/** @throws EdaError `cancelled` when the person has enough */
async function verify(cli: Cli, session: HostSession, project: string | undefined): Promise<VerifyReport> {
  const token = randomUUID();
  const cancellation = new CancellationTokenSource();
  const view = openWorkView(cli.terminal);
  session.onWorkProgress(token, view.progress);
  try {
    const work = session.ask(Verify, { token, ...(project === undefined ? {} : { project }) }, cancellation.token);
    const result = await interruptible(work, () => cancellation.cancel());
    if (result.left) throw new EdaError("cancelled", "cancelled", "The verification was left.");
    return result.value;
  } finally {
    view.close();
    cancellation.dispose();
  }
}

function printReport({ terminal }: Cli, report: VerifyReport): void {
  const { colours } = terminal.out;
  const { objects, bytes, rows, manifests, auditEntries, problems } = report;
  if (problems.length > 0) print(terminal, renderTable(COLUMNS, problems, widthOf(terminal.out), colours));
  const read =
    `${formatCount(objects)} objects (${formatBytes(bytes)}), ${formatCount(rows)} rows, ` +
    `${formatCount(manifests)} manifests, ${formatCount(auditEntries)} audit entries`;
  if (report.ok) print(terminal, `${colours.green("✔")} all agree: ${read}`);
  else note(terminal, `${terminal.err.colours.red("✖")} ${formatCount(problems.length)} problem(s) in ${read}`);
}

const COLUMNS: readonly Column<VerifyProblem>[] = [
  { header: "WHAT", value: ({ subject }) => subject },
  { header: "NAME", value: ({ name }) => name },
  { header: "PROBLEM", value: ({ message }) => message },
];
