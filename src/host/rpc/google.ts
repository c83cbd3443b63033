/** Requests about the Google account: who is signed in, signing in and out. */
import { randomUUID } from "node:crypto";
import type { MessageConnection } from "vscode-jsonrpc/node";
import type { SignIn, SignInOptions } from "../../adapters/drive/sign-in.ts";
import { defaultTokenFile, readTokenFile, type StoredToken } from "../../adapters/drive/token-file.ts";
import { EdaError } from "../../domain/errors.ts";
import {
  AwaitGoogleSignIn,
  BeginGoogleSignIn,
  FinishGoogleSignIn,
  GoogleAccess,
  GoogleSignOut,
  type GoogleStatus,
  type SignedIn,
} from "../../protocol/google.ts";
import type { Host } from "../host.ts";
import type { Registrar } from "./register.ts";

/** With it comes the client of Google, which few hosts need. */
const loadSignIn = () => import("../../adapters/drive/sign-in.ts");

export function registerGoogle(registrar: Registrar, rpc: MessageConnection, host: Host): void {
  let pending: { readonly id: string; readonly signIn: SignIn } | undefined;
  rpc.onClose(() => pending?.signIn.cancel());

  function pendingSignIn(id: string): SignIn {
    if (pending?.id === id) return pending.signIn;
    throw new EdaError("usage", "google-sign-in-unknown", "No such sign-in is under way.", { todo: "Start again." });
  }

  registrar.handle0(GoogleAccess, async () => statusOf(host));
  registrar.handle0(BeginGoogleSignIn, async () => {
    const options = signInOptions(host);
    const { beginSignIn } = await loadSignIn();
    pending?.signIn.cancel();
    pending = { id: randomUUID(), signIn: await beginSignIn(options) };
    return { signIn: pending.id, url: pending.signIn.url };
  });
  registrar.handle(AwaitGoogleSignIn, async ({ signIn }, signal) => {
    const { done } = pendingSignIn(signIn);
    const left = new Promise<never>((_, reject) => {
      const leave = () => reject(new EdaError("cancelled", "cancelled", "Nobody waits for the sign-in any more."));
      if (signal.aborted) leave();
      else signal.addEventListener("abort", leave, { once: true });
    });
    return signedIn(await Promise.race([done, left]));
  });
  registrar.handle(FinishGoogleSignIn, async ({ signIn, address }) => signedIn(await pendingSignIn(signIn).finish(address)));
  registrar.handle0(GoogleSignOut, async () => {
    const options = signInOptions(host);
    const { signOut } = await loadSignIn();
    const found = await signOut(options);
    return found === undefined ? null : { account: found.email, revoked: found.revoked };
  });
}

function statusOf(host: Host): GoogleStatus {
  const { drive } = host.stores.configuration;
  if (drive.kind !== "google") return { access: "folder", account: null, signedInAt: null };
  if (drive.credentials.kind !== "client") return { access: "service-account", account: null, signedInAt: null };
  const token = readTokenFile(defaultTokenFile(host.env));
  return { access: "sign-in", account: token?.email ?? null, signedInAt: token?.signedInAt ?? null };
}

/** @throws EdaError `precondition` `google-not-configured`, `google-service-account` */
function signInOptions({ stores, env }: Host): SignInOptions {
  const { drive } = stores.configuration;
  if (drive.kind !== "google") {
    throw new EdaError("precondition", "google-not-configured", "Drive is a folder here, so there is nothing to sign in to.", {
      todo: "Set stores.drive.kind to google in configs/eda.yaml and give the host an OAuth client: EDA_GOOGLE_CREDENTIALS_FILE.",
    });
  }
  const { credentials, account, redirectUri, apiRoot, oauthRoot } = drive;
  if (credentials.kind !== "client") {
    throw new EdaError("precondition", "google-service-account", "The host captures with a service account: nobody signs in.", {
      todo: "Name the file of an OAuth client (of type Desktop app) in EDA_GOOGLE_CREDENTIALS_FILE to sign in as a person.",
    });
  }
  return {
    clientId: credentials.clientId,
    clientSecret: credentials.clientSecret.reveal(),
    tokenFile: defaultTokenFile(env),
    ...(account === undefined ? {} : { account }),
    ...(redirectUri === undefined ? {} : { redirectUri }),
    ...(apiRoot === undefined ? {} : { apiRoot }),
    ...(oauthRoot === undefined ? {} : { oauthRoot }),
  };
}

function signedIn({ email }: StoredToken): SignedIn {
  return { account: email };
}
