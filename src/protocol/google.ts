/** Requests about the Google account that the host captures with. Tokens never cross the socket. */
import { RequestType, RequestType0 } from "vscode-jsonrpc";

export interface GoogleStatus {
  /** How the host gets into Drive: a person signs in, a service account's key, or not at all: Drive is a folder. */
  readonly access: "sign-in" | "service-account" | "folder";
  /** Who is signed in; null when nobody is, or Google did not say who. */
  readonly account: string | null;
  /** ISO 8601, UTC; null when nobody is. */
  readonly signedInAt: string | null;
}

export interface BegunSignIn {
  readonly signIn: string;
  /** Google's page, to be opened in a browser. */
  readonly url: string;
}

export interface SignedIn {
  readonly account: string | null;
}

export const GoogleAccess = new RequestType0<GoogleStatus, void>("google/status");
/** One at a time: an earlier one of this client is given up. It ends with the connection. */
export const BeginGoogleSignIn = new RequestType0<BegunSignIn, void>("google/begin-sign-in");
/** Waits for a browser on the host's machine. */
export const AwaitGoogleSignIn = new RequestType<{ readonly signIn: string }, SignedIn, void>("google/await-sign-in");
/** For a browser elsewhere: the address at which it ended, or its query. */
export const FinishGoogleSignIn = new RequestType<{ readonly signIn: string; readonly address: string }, SignedIn, void>(
  "google/finish-sign-in",
);
/** Null when nobody was signed in. `revoked` false: Google could not be told. */
export const GoogleSignOut = new RequestType0<{ readonly account: string | null; readonly revoked: boolean } | null, void>(
  "google/sign-out",
);
