/** `eda google`: the Google account that the host captures with. */
import { createInterface } from "node:readline";
import type { Command } from "commander";
import { toEdaError } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";
import {
  AwaitGoogleSignIn,
  BeginGoogleSignIn,
  FinishGoogleSignIn,
  GoogleAccess,
  GoogleSignOut,
  type GoogleStatus,
  type SignedIn,
} from "../../protocol/google.ts";
import type { Cli, GlobalOptions } from "../context.ts";
import { renderError } from "../output/errors.ts";
import { note, print, printDocument } from "../output/terminal.ts";
import { type HostSession, withHost } from "../session.ts";
import { requireWorkspace } from "../workspace.ts";

const HELP = `
The permission is kept for the user that runs the host, in ~/.config/eda/google-token.json, never in the workspace.`;

const PERMISSIONS_PAGE = "https://myaccount.google.com/permissions";

export function addGoogle(program: Command, cli: Cli): void {
  const google = program
    .command("google")
    .summary("sign in to Google, or out")
    .description("The Google account that the host captures with.")
    .addHelpText("after", HELP);
  google
    .command("sign-in")
    .summary("let eda use a person's Google Drive")
    .description("Shows the address of Google's page, and waits until access was allowed there.")
    .action((_options, command: Command) => signIn(cli, command.optsWithGlobals<GlobalOptions>()));
  google
    .command("sign-out")
    .summary("withdraw the permission and forget it")
    .description("Withdraws the permission at Google and forgets it here.")
    .action((_options, command: Command) => signOut(cli, command.optsWithGlobals<GlobalOptions>()));
  google
    .command("status")
    .summary("say who is signed in")
    .description("Says how the host gets into Drive, and who is signed in.")
    .action((_options, command: Command) => status(cli, command.optsWithGlobals<GlobalOptions>()));
}

async function signIn(cli: Cli, options: GlobalOptions): Promise<void> {
  await withHost(cli, requireWorkspace(cli, options), async (session) => {
    const { signIn: id, url } = await session.ask0(BeginGoogleSignIn);
    note(cli.terminal, `Open this page in a browser and allow access:\n\n${url}\n`);
    note(cli.terminal, "If the browser then cannot open a page at 127.0.0.1, paste that page's whole address here and press Enter:");
    const { account } = await answered(cli, session, id);
    if (options.json === true) printDocument(cli.terminal, { account });
    else note(cli.terminal, account === null ? "Signed in." : `Signed in as ${printable(account)}.`);
  });
}

/** By the browser, or by a line with the address at which it ended. */
async function answered(cli: Cli, session: HostSession, signIn: string): Promise<SignedIn> {
  // Not a terminal's editing: Ctrl-C must end the command.
  const lines = createInterface({ input: process.stdin, terminal: false });
  try {
    const pasted = new Promise<SignedIn>((resolve, reject) => {
      lines.on("line", (address) => {
        if (address.trim() === "") return;
        session.ask(FinishGoogleSignIn, { signIn, address }).then(resolve, (error: unknown) => {
          const failure = toEdaError(error);
          if (failure.code === "google-sign-in-address") note(cli.terminal, renderError(failure.toDocument(), cli.terminal.err.colours));
          else reject(failure);
        });
      });
    });
    return await Promise.race([session.ask(AwaitGoogleSignIn, { signIn }), pasted]);
  } finally {
    lines.close();
    process.stdin.destroy();
  }
}

async function signOut(cli: Cli, options: GlobalOptions): Promise<void> {
  const found = await withHost(cli, requireWorkspace(cli, options), (session) => session.ask0(GoogleSignOut));
  if (options.json === true) return printDocument(cli.terminal, { signedOut: found !== null, ...found });
  if (found === null) return note(cli.terminal, "Nothing to do: nobody is signed in.");
  note(cli.terminal, `Signed out${found.account === null ? "" : ` ${printable(found.account)}`}.`);
  if (!found.revoked) note(cli.terminal, `Google could not be told: withdraw the permission at ${PERMISSIONS_PAGE}`);
}

async function status(cli: Cli, options: GlobalOptions): Promise<void> {
  const found = await withHost(cli, requireWorkspace(cli, options), (session) => session.ask0(GoogleAccess));
  if (options.json === true) printDocument(cli.terminal, found);
  else print(cli.terminal, printable(describe(found)));
}

function describe({ access, account, signedInAt }: GoogleStatus): string {
  if (access === "folder") return "Drive is a folder: nobody signs in";
  if (access === "service-account") return "a service account's key: nobody signs in";
  if (signedInAt === null) return "nobody is signed in";
  return `signed in${account === null ? "" : ` as ${account}`} since ${signedInAt}`;
}
