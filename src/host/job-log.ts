/** The end of an attempt's output, from the logs in the job's mirror. */
import type { JobMirror } from "../pipeline/jobs/mirror.ts";

export interface LogTail {
  readonly attempt: string | null;
  readonly text: string;
  readonly isCut: boolean;
}

/** @param wanted the newest attempt that put anything out when absent @param bytes most of it */
export async function logTail(mirror: JobMirror, wanted: string | undefined, bytes: number): Promise<LogTail> {
  const names = await mirror.names("logs");
  const attempt = wanted ?? names.at(-1)?.slice(0, 12) ?? null;
  const own = names.filter((name) => attempt !== null && name.startsWith(`${attempt}-`));
  let text = "";
  let isCut = false;
  for (const name of own.reverse()) {
    const room = bytes - Buffer.byteLength(text);
    if (room <= 0) {
      isCut = true;
      break;
    }
    const part = Buffer.from((await mirror.read(`logs/${name}`)).text);
    if (part.length > room) isCut = true;
    // A character that was cut in two is left out.
    text =
      part
        .subarray(Math.max(0, part.length - room))
        .toString()
        .replace(/^\uFFFD+/u, "") + text;
    if (isCut) break;
  }
  return { attempt, text, isCut };
}
