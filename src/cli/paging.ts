/** Lists that come in pages: the options that choose a part of them, and the requests that fetch it. */
import type { Command } from "commander";
import type { PageResult } from "../protocol/messages.ts";
import { positiveInteger } from "./context.ts";

/** Rows asked for at once. */
const PAGE = 500;

export interface PageChoice {
  readonly limit: number;
  readonly all?: true;
  readonly cursor?: string;
}

/** Gives a command the options of {@link PageChoice}. @param limit how many are shown when nobody says */
export function addPaging(command: Command, limit: number): Command {
  return command
    .option("--limit <count>", "show at most this many", positiveInteger, limit)
    .option("--all", "show everything")
    .option("--cursor <cursor>", "go on where an earlier list ended");
}

/** What a paged command answers: one JSON document, or a table. */
export interface Listing<T> {
  readonly items: readonly T[];
  /** Where the rest begins; null at the end. */
  readonly cursor: string | null;
}

/** Items up to the limit, or all, over as many requests as it takes. */
export async function collectPages<T>(
  choice: PageChoice,
  page: (params: { limit: number; cursor?: string }) => Promise<PageResult<T>>,
): Promise<Listing<T>> {
  const wanted = choice.all === true ? Number.POSITIVE_INFINITY : choice.limit;
  const items: T[] = [];
  let cursor = choice.cursor;
  do {
    const limit = Math.min(PAGE, wanted - items.length);
    const result = await page(cursor === undefined ? { limit } : { limit, cursor });
    items.push(...result.items);
    cursor = result.cursor;
  } while (cursor !== undefined && items.length < wanted);
  return { items, cursor: cursor ?? null };
}
