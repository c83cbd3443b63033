/** A page of a folder of the object store, as clients see it. */
import type { ListRequest, ObjectStore } from "../../ports/object-store.ts";
import type { ObjectEntry, PageResult } from "../../protocol/messages.ts";

/** @throws EdaError as the store does */
export async function listEntries(objects: ObjectStore, request: Omit<ListRequest, "hierarchical">): Promise<PageResult<ObjectEntry>> {
  const page = await objects.list({ ...request, hierarchical: true });
  const items = page.items.map(
    (item): ObjectEntry =>
      item.type === "prefix"
        ? { type: "prefix", key: item.prefix, size: null, versionId: null, sha256: null, mediaType: null, storedAt: null }
        : { type: "object", ...item.info },
  );
  return { items, ...(page.cursor === undefined ? {} : { cursor: page.cursor }) };
}
