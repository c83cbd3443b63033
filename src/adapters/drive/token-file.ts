/** The refresh token of the person who signed in: a file of the host's user that nobody else reads, never in the workspace. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { chmod, mkdir, open, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { EdaError } from "../../domain/errors.ts";

const schema = z.object({
  version: z.literal(1),
  refreshToken: z.string().min(1),
  email: z.string().nullable(),
  signedInAt: z.iso.datetime(),
});

export interface StoredToken {
  readonly refreshToken: string;
  /** Null when Google did not say. */
  readonly email: string | null;
  /** ISO 8601, UTC. */
  readonly signedInAt: string;
}

/** `eda/google-token.json` below the user's configuration (XDG). */
export function defaultTokenFile(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const config = env["XDG_CONFIG_HOME"];
  return join(config === undefined || config === "" ? join(homedir(), ".config") : config, "eda", "google-token.json");
}

/** Undefined when nobody is signed in. @throws EdaError `precondition` `drive-token-invalid` */
export function readTokenFile(file: string): StoredToken | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw invalid(file);
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw invalid(file);
  }
}

/** There whole, with mode 0600, or as it was. */
export async function writeTokenFile(file: string, token: StoredToken): Promise<void> {
  const folder = dirname(file);
  const partial = `${file}.${randomUUID()}`;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    await using handle = await open(partial, "wx", 0o600);
    // The process's mask only takes away; a folder's default ACL could add.
    await chmod(partial, 0o600);
    await handle.writeFile(JSON.stringify({ version: 1, ...token }));
    await handle.sync();
    await rename(partial, file);
  } finally {
    await rm(partial, { force: true });
  }
}

/** Idempotent. */
export async function removeTokenFile(file: string): Promise<void> {
  await rm(file, { force: true });
}

function invalid(file: string): EdaError {
  // The text is not shown: it may hold the token.
  return new EdaError("precondition", "drive-token-invalid", `${file} cannot be read, or is not what signing in to Google wrote.`, {
    todo: "Remove the file and sign in again: eda google sign-in.",
  });
}
