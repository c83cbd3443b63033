/** The labels in two halves, so that two files, and so two cores, share the walk. */
import type { FaultLabel } from "./kill-everywhere.ts";

export const BEFORE_PUBLICATION: readonly FaultLabel[] = [
  "plan:start",
  "plan:done",
  "commit-before:start",
  "git-before:start",
  "git-before:done",
  "commit-before:done",
  "execute:start",
  "put:done",
  "execute:done",
  "seal:start",
  "seal:done",
];

export const FROM_PUBLICATION: readonly FaultLabel[] = [
  "publish:start",
  "publish:done",
  "settle:start",
  "settle:done",
  "commit-after:start",
  "git-after:start",
  "git-after:done",
  "commit-after:done",
  "finish:start",
  "finish:done",
];
