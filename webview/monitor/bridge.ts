/** The page's only way out: messages to the window, and a state that survives a reload. */
import {
  FIRST_VIEW_STATE,
  type PageMessage,
  readViewState,
  readWindowMessage,
  type ViewState,
  type WindowMessage,
} from "../../src/protocol/monitor-messages.ts";

interface VsCodeApi {
  postMessage(message: PageMessage): void;
  getState(): unknown;
  setState(state: ViewState): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

export interface Bridge {
  readonly firstState: ViewState;
  send(message: PageMessage): void;
  keep(state: ViewState): void;
}

/** @param onMessage what is not one of ours is dropped before it */
export function openBridge(onMessage: (message: WindowMessage) => void): Bridge {
  const api = acquireVsCodeApi();
  window.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    const message = readWindowMessage(data);
    if (message !== undefined) onMessage(message);
  });
  return {
    firstState: readViewState(api.getState()) ?? FIRST_VIEW_STATE,
    send: (message) => api.postMessage(message),
    keep: (state) => api.setState(state),
  };
}
