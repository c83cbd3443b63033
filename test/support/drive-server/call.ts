/** One authenticated request on its way to the operation that answers it. */
import type { IncomingMessage } from "node:http";
import type { Access } from "./access.ts";
import type { Fault } from "./faults.ts";
import type { Answer } from "./http.ts";
import type { Pages } from "./pages.ts";
import type { Parameters } from "./parameters.ts";
import type { View } from "./resources.ts";
import type { Sessions } from "./sessions.ts";
import type { DriveStore } from "./store.ts";

export interface Call {
  readonly request: IncomingMessage;
  readonly parameters: Parameters;
  /** The id in the path; empty where there is none. */
  readonly id: string;
  readonly email: string;
  readonly view: View;
  readonly access: Access;
  readonly store: DriveStore;
  readonly sessions: Sessions;
  readonly pages: Pages;
  readonly faults: readonly Fault[];
}

export type Handler = (call: Call) => Answer | Promise<Answer>;
