/**
 * An object store into which versions were moved. To everybody above they keep the ids they were recorded with, which inventory rows,
 * manifests and the audit chain are hashed over; only here it is known that the store calls them otherwise.
 */
import type { MigratedVersions } from "../../adapters/postgres/migrated-versions.ts";
import type { ObjectRef } from "../../domain/asset.ts";
import type { ObjectInfo, ObjectStore } from "../../ports/object-store.ts";

/** Versions translated by one question. */
const GROUP = 500;

/** A put needs no translation: it answers a version of a run at work, and runs that were at work are not moved. */
export function withMigratedVersions(store: ObjectStore, versions: MigratedVersions): ObjectStore {
  const stored = async (ref: ObjectRef): Promise<ObjectRef> => ({ ...ref, versionId: await versions.storedId(ref) });
  const recorded = async (infos: readonly ObjectInfo[]): Promise<readonly ObjectInfo[]> => {
    const ids = await versions.recordedIds(infos);
    return infos.map((info, index) => ({ ...info, versionId: ids[index] as string }));
  };
  return {
    ...store,
    async head(bucket, key, versionId) {
      const wanted = versionId === undefined ? undefined : await versions.storedId({ bucket, key, versionId });
      const info = await store.head(bucket, key, wanted);
      return info === undefined ? undefined : (await recorded([info]))[0];
    },
    read: async (ref, signal) => store.read(await stored(ref), signal),
    materialize: async (ref, expected, directory, signal) => store.materialize(await stored(ref), expected, directory, signal),
    removeVersion: async (ref) => store.removeVersion(await stored(ref)),
    async list(request) {
      const page = await store.list(request);
      const infos = await recorded(page.items.flatMap((item) => (item.type === "object" ? [item.info] : [])));
      const next = infos[Symbol.iterator]();
      const items = page.items.map((item) => (item.type === "object" ? { ...item, info: next.next().value as ObjectInfo } : item));
      return { ...page, items };
    },
    async *versions(bucket, prefix) {
      let group: ObjectInfo[] = [];
      for await (const info of store.versions(bucket, prefix)) {
        group.push(info);
        if (group.length < GROUP) continue;
        yield* await recorded(group);
        group = [];
      }
      yield* await recorded(group);
    },
  };
}
