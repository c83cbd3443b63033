/** Requests that read: pipeline state, inventories, objects, lineage. */
import { EdaError } from "../../domain/errors.ts";
import { assertProjectName } from "../../domain/names.ts";
import { BUCKETS, type BucketName, isInventoryId } from "../../domain/stage.ts";
import { lineageOf } from "../../pipeline/lineage.ts";
import { pipelineStatus } from "../../pipeline/pipeline-status.ts";
import {
  Lineage,
  ListBuckets,
  ListObjects,
  ListRows,
  type ObjectEntry,
  PipelineStatus,
  RepositoryStatus,
} from "../../protocol/messages.ts";
import type { Host } from "../host.ts";
import { repositoryStatus } from "../repository-status.ts";
import type { Registrar } from "./register.ts";

export function registerViews(registrar: Registrar, host: Host): void {
  const { services } = host;
  const { inventory, objects } = services;

  registrar.handle(PipelineStatus, ({ project, freshness = true }, signal) =>
    pipelineStatus(services, host.stages, { ...(project === undefined ? {} : { project }), freshness, signal }),
  );
  registrar.handle0(RepositoryStatus, () => repositoryStatus(services.repository));
  registrar.handle(ListRows, ({ inventory: id, project, limit, cursor, search }) => {
    if (!isInventoryId(id)) throw new EdaError("usage", "unknown-inventory", `There is no inventory "${String(id)}".`);
    assertProjectName(project);
    return inventory.rows({
      inventory: id,
      project,
      limit: clamp(limit, 10_000),
      ...(cursor === undefined ? {} : { cursor }),
      ...(search === undefined ? {} : { search }),
    });
  });
  registrar.handle0(ListBuckets, () => objects.listBuckets());
  registrar.handle(ListObjects, async ({ bucket, prefix, limit, cursor }, signal) => {
    const page = await objects.list({
      bucket: knownBucket(bucket),
      prefix,
      hierarchical: true,
      limit: clamp(limit, 1000),
      signal,
      ...(cursor === undefined ? {} : { cursor }),
    });
    const items = page.items.map(
      (item): ObjectEntry =>
        item.type === "prefix"
          ? { type: "prefix", key: item.prefix, size: null, versionId: null, sha256: null, mediaType: null, storedAt: null }
          : { type: "object", ...item.info },
    );
    return { items, ...(page.cursor === undefined ? {} : { cursor: page.cursor }) };
  });
  registrar.handle(Lineage, ({ asset }) => lineageOf(services, asset));
}

function knownBucket(text: string): BucketName {
  const bucket = BUCKETS.find((name) => name === text);
  if (bucket === undefined) {
    throw new EdaError("usage", "unknown-bucket", `There is no bucket "${text}".`, { todo: `Use one of: ${BUCKETS.join(", ")}.` });
  }
  return bucket;
}

function clamp(limit: number, most: number): number {
  return Number.isFinite(limit) ? Math.min(Math.max(Math.trunc(limit), 1), most) : most;
}
