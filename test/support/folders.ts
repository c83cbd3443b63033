import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A folder that lives as long as the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "eda-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A file with this content in a folder of its own. */
export async function temporaryFile(content: string | Uint8Array): Promise<string> {
  const file = join(await temporaryFolder(), "file");
  await writeFile(file, content);
  return file;
}
