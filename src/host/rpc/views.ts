/** Requests that read: pipeline state, inventories, lineage. */
import { EdaError } from "../../domain/errors.ts";
import { assertProjectName } from "../../domain/names.ts";
import { isInventoryId } from "../../domain/stage.ts";
import { lineageOf } from "../../pipeline/lineage.ts";
import { pipelineStatus } from "../../pipeline/pipeline-status.ts";
import { Lineage, ListRows, PipelineStatus, RepositoryStatus } from "../../protocol/messages.ts";
import type { Host } from "../host.ts";
import { repositoryStatus } from "../repository-status.ts";
import { clamp, type Registrar } from "./register.ts";

export function registerViews(registrar: Registrar, host: Host): void {
  const { services } = host;
  const { inventory } = services;

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
  registrar.handle(Lineage, ({ asset }) => lineageOf(services, asset));
}
