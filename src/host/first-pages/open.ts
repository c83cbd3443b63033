/** The first pages of this host: with what an earlier one remembered, and told when a run has ended. */
import type { Logger } from "pino";
import { toEdaError } from "../../domain/errors.ts";
import { isTerminal } from "../../domain/run.ts";
import { BUCKETS } from "../../domain/stage.ts";
import type { Services } from "../../pipeline/stage-definition.ts";
import type { RunBoard } from "../run-board.ts";
import { type FirstPages, openFirstPages } from "./first-pages.ts";
import { keptPages } from "./kept.ts";
import { listEntries } from "./list-entries.ts";

export interface OpenPagesOptions {
  readonly services: Pick<Services, "objects" | "inventory">;
  readonly stateFolder: string;
  /** What the object store is, for people. */
  readonly store: string;
  /** Of the program. */
  readonly build: string;
  readonly board: RunBoard;
  readonly logger: Logger;
  readonly onClose: (closer: () => Promise<void>) => void;
}

export function openHostPages({ services, stateFolder, store, build, board, logger, onClose }: OpenPagesOptions): FirstPages {
  const { objects, inventory } = services;
  const kept = keptPages(stateFolder, store, build);
  const pages = openFirstPages({
    list: (place, signal) => listEntries(objects, { ...place, signal }),
    kept: kept.read(),
  });
  // Asked for while the run is at work: at its end, clients are told at once and look again.
  const projects = new Map<string, Promise<string | undefined>>();
  const stop = board.watchAll((run, state) => {
    const project = projects.get(run) ?? inventory.getRun(run).then((record) => record?.project);
    projects.set(run, project);
    project.catch(() => undefined);
    if (!isTerminal(state)) return;
    projects.delete(run);
    project
      .then((name) => (name === undefined ? undefined : pages.changed(name, BUCKETS)))
      .catch((error: unknown) => logger.debug({ run, error: toEdaError(error).message }, "first pages not read ahead"));
  });
  onClose(async () => {
    stop();
    kept.write(pages.close());
  });
  return pages;
}
