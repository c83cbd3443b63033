/** Undoing a run that will not be published: nothing of it stays in the object store. */
import { BUCKETS } from "../domain/stage.ts";
import type { Services } from "./stage-definition.ts";

/**
 * Removes every object version the run wrote. It looks at the stores rather than at results, because a unit that failed half-way
 * has none.
 * @returns the number of versions removed
 */
export async function removeRunObjects(services: Services, project: string, run: string): Promise<number> {
  let removed = 0;
  for (const bucket of BUCKETS) {
    const mine = [];
    for await (const info of services.objects.versions(bucket, `${project}/`)) {
      if (info.run === run) mine.push({ bucket, key: info.key, versionId: info.versionId });
    }
    for (const ref of mine) await services.objects.removeVersion(ref);
    removed += mine.length;
  }
  return removed;
}
