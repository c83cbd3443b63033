/** The JSON file that Google's console gives: a service account's key, or the client that people sign in with. */
import { z } from "zod";
import { EdaError } from "../../domain/errors.ts";
import { Secret } from "../../domain/secret.ts";
import type { ReadFile } from "./variables.ts";

export type GoogleCredentials =
  | { readonly kind: "service-account"; readonly keyFile: string }
  | { readonly kind: "client"; readonly clientId: string; readonly clientSecret: Secret };

const client = z.object({ client_id: z.string().min(1), client_secret: z.string().min(1) });
const fileSchema = z.union([
  z.object({ type: z.literal("service_account") }),
  z.object({ installed: client }).transform(({ installed }) => installed),
  z.object({ web: client }).transform(({ web }) => web),
]);

/** @throws EdaError `precondition` `secret-file-unreadable`, `google-credentials-invalid`: with the file, never what is in it */
export function readGoogleCredentials(file: string, readFile: ReadFile): GoogleCredentials {
  let text: string;
  try {
    text = readFile(file);
  } catch (error) {
    throw new EdaError(
      "precondition",
      "secret-file-unreadable",
      `The file that EDA_GOOGLE_CREDENTIALS_FILE names cannot be read: ${file}`,
      {
        todo: "Correct the path, or let the user that runs eda read the file.",
        cause: error,
      },
    );
  }
  const parsed = fileSchema.safeParse(jsonOf(text));
  if (!parsed.success) {
    throw new EdaError(
      "precondition",
      "google-credentials-invalid",
      `${file} is neither a service account's key nor an OAuth client of Google.`,
      {
        todo: "Download the JSON file in the Google Cloud console: of a service account's key, or of a client of type Desktop app.",
      },
    );
  }
  if ("type" in parsed.data) return { kind: "service-account", keyFile: file };
  return { kind: "client", clientId: parsed.data.client_id, clientSecret: new Secret(parsed.data.client_secret) };
}

/** A parser's message shows what it could not read. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
