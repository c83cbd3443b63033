/** Signing in to Google and out. Where the browser cannot come back to the host (code-server), the address at which it ended is pasted. */
import * as l10n from "@vscode/l10n";
import * as vscode from "vscode";
import { EdaError } from "../../domain/errors.ts";
import { AwaitGoogleSignIn, BeginGoogleSignIn, FinishGoogleSignIn, GoogleSignOut, type SignedIn } from "../../protocol/google.ts";
import { offer } from "../failures.ts";
import type { Session } from "../session.ts";
import type { Handlers } from "./handlers.ts";

const PERMISSIONS_PAGE = "https://myaccount.google.com/permissions";
/** `<scheme>://<extension>/google?…`: what a page registered for the OAuth client leads to. */
const URI_PATH = "/google";

/** Hands over what a browser brought back, while somebody signs in. */
type Deliver = (address: string) => void;

export interface GoogleCommands {
  readonly handlers: Pick<Handlers, "eda.signInToGoogle" | "eda.signOutOfGoogle">;
  readonly uriHandler: vscode.UriHandler;
}

export function googleCommands(): GoogleCommands {
  let deliver: Deliver | undefined;
  return {
    handlers: {
      "eda.signInToGoogle": async (session) => {
        const { account } = await signIn(session, (next) => {
          deliver = next;
        });
        const message = account === null ? l10n.t("Signed in to Google.") : l10n.t("Signed in to Google as {0}.", account);
        void vscode.window.showInformationMessage(message);
      },
      "eda.signOutOfGoogle": signOut,
    },
    uriHandler: {
      handleUri: ({ path, query }) => {
        if (path === URI_PATH) deliver?.(query);
      },
    },
  };
}

async function signIn({ link }: Session, listen: (deliver: Deliver | undefined) => void): Promise<SignedIn> {
  await link.connect();
  const { signIn: id, url } = await link.ask0(BeginGoogleSignIn);
  const giveUp = new vscode.CancellationTokenSource();
  const byBrowser = link.ask(AwaitGoogleSignIn, { signIn: id }, giveUp.token);
  const byAddress = Promise.withResolvers<SignedIn>();
  const box = addressBox((address) => link.ask(FinishGoogleSignIn, { signIn: id, address }).then(byAddress.resolve), byAddress.reject);
  listen((address) => void link.ask(FinishGoogleSignIn, { signIn: id, address }).then(byAddress.resolve, byAddress.reject));
  try {
    await vscode.env.openExternal(vscode.Uri.parse(url, true));
    box.show();
    return await Promise.race([byBrowser, byAddress.promise]);
  } finally {
    listen(undefined);
    box.dispose();
    giveUp.cancel();
    byBrowser.catch(() => undefined);
    byAddress.promise.catch(() => undefined);
  }
}

/** Stays while the person is in the browser. */
function addressBox(accept: (address: string) => Promise<void>, giveUp: (error: EdaError) => void): vscode.InputBox {
  const box = vscode.window.createInputBox();
  box.title = l10n.t("Sign in to Google");
  box.prompt = l10n.t("Allow access in the browser. If it then cannot open a page at 127.0.0.1, paste that page's whole address here.");
  box.placeholder = "http://127.0.0.1:…/?state=…&code=…";
  box.ignoreFocusOut = true;
  box.onDidAccept(async () => {
    box.busy = true;
    box.validationMessage = undefined;
    try {
      await accept(box.value);
    } catch (error) {
      if (error instanceof EdaError && error.code === "google-sign-in-address") {
        box.validationMessage = l10n.t("This is not the address at which this sign-in ended.");
      } else giveUp(error as EdaError);
    } finally {
      box.busy = false;
    }
  });
  box.onDidHide(() => giveUp(new EdaError("cancelled", "cancelled", "Signing in was cancelled.")));
  return box;
}

async function signOut({ link }: Session): Promise<void> {
  await link.connect();
  const found = await link.ask0(GoogleSignOut);
  if (found === null) {
    void vscode.window.showInformationMessage(l10n.t("Nobody is signed in to Google."));
  } else if (found.revoked) {
    void vscode.window.showInformationMessage(l10n.t("Signed out of Google."));
  } else {
    const open = { title: l10n.t("Open Permissions"), run: () => vscode.env.openExternal(vscode.Uri.parse(PERMISSIONS_PAGE)) };
    const message = l10n.t("Signed out here, but Google could not be told: withdraw the permission in your Google account.");
    void offer(vscode.window.showWarningMessage, message, [open]);
  }
}
