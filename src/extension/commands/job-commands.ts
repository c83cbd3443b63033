/** Commands on training jobs. */
import { RunNode } from "../views/runs.ts";
import type { Handlers } from "./handlers.ts";

export const jobCommands = {
  // A modeling run's job has the run's id.
  "eda.openMonitor": (session, argument) => session.monitor.show(argument instanceof RunNode ? argument.run : undefined),
} satisfies Partial<Handlers>;
