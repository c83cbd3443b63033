/** A service account's key, made at run time, and the JSON file that Google gives people for it. */
import { generateKeyPair, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { ServiceKey } from "./credentials.ts";

export interface ServiceAccount {
  readonly key: ServiceKey;
  /** PEM; lives in memory and in files that a test asks for. */
  readonly privateKey: string;
}

export async function newServiceAccount(email: string, delegates: readonly string[]): Promise<ServiceAccount> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  return { key: { email, keyId: randomBytes(20).toString("hex"), publicKey, delegates }, privateKey };
}

/** Writes the key file into the folder, for its owner only; answers its path. */
export async function writeKeyFile({ key, privateKey }: ServiceAccount, serverUrl: string, folder: string): Promise<string> {
  const file = join(folder, "service-account.json");
  const document = {
    type: "service_account",
    project_id: "fake-drive",
    private_key_id: key.keyId,
    private_key: privateKey,
    client_email: key.email,
    client_id: "100000000000000000000",
    auth_uri: `${serverUrl}/o/oauth2/v2/auth`,
    token_uri: `${serverUrl}/token`,
    universe_domain: "googleapis.com",
  };
  await writeFile(file, `${JSON.stringify(document, null, 2)}\n`, { mode: 0o600 });
  return file;
}
