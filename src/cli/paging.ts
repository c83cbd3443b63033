import type { PageResult } from "../protocol/messages.ts";

/** Rows asked for at once. */
const PAGE = 500;

export interface PageChoice {
  readonly limit: number;
  readonly all?: true;
  readonly cursor?: string;
}

/** Items up to the limit, or all, over as many requests as it takes. `cursor` is where the rest begins, or null at the end. */
export async function collectPages<T>(
  choice: PageChoice,
  page: (params: { limit: number; cursor?: string }) => Promise<PageResult<T>>,
): Promise<{ items: T[]; cursor: string | null }> {
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
