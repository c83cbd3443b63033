/** One kernel on a Jupyter server, through `@jupyterlab/services`: started, fed cell by cell, interrupted, shut down. */
import type { Kernel, KernelMessage, ServerConnection as ServerConnectionTypes } from "@jupyterlab/services";
import { WebSocket } from "ws";
import { EdaError } from "../../domain/errors.ts";
import { quietConsole } from "./quiet-console.ts";
import type { JupyterAddress } from "./server.ts";

const SHUTDOWN_TIMEOUT_MS = 15_000;
const INTERRUPT_TIMEOUT_MS = 5_000;
/** Between a lost reply and the server's word that the kernel died (it looks every 3 seconds). */
const DEATH_NOTICE_MS = 15_000;

export type IopubMessage = KernelMessage.IIOPubMessage;

export type ExecuteOutcome =
  | { readonly status: "ok"; readonly executionCount: number | null }
  | {
      readonly status: "error";
      readonly executionCount: number | null;
      readonly name: string;
      readonly value: string;
      readonly traceback: readonly string[];
    };

export interface KernelSession {
  /** @throws EdaError `terminal` `kernel-died`, `transient` `jupyter-lost` */
  execute(code: string, onMessage: (message: IopubMessage) => void, options?: { readonly silent?: boolean }): Promise<ExecuteOutcome>;
  /** Best effort: a kernel that does not listen is shut down afterwards anyway. */
  interrupt(): Promise<void>;
  /** Ends kernel and connection. Idempotent. */
  close(): Promise<void>;
}

/**
 * @param notebookPath relative to the server's root, with `/`: its folder is the kernel's working folder
 * @param kernelName wanted by the notebook; the server's default one when it is not installed and the notebook wants plain `python3`
 */
export async function openKernel(
  address: JupyterAddress,
  notebookPath: string,
  kernelName: string | undefined,
  log: (message: string) => void,
): Promise<KernelSession> {
  const giveBack = quietConsole(log);
  try {
    const { KernelConnection, KernelSpecAPI, SessionAPI, KernelAPI, ServerConnection } = await import("@jupyterlab/services");
    const settings = serverSettings(address, ServerConnection);
    const specs = await reach(KernelSpecAPI.getSpecs(settings));
    const name = chooseKernel(kernelName, specs.default, Object.keys(specs.kernelspecs));
    const session = await reach(
      SessionAPI.startSession({ path: notebookPath, name: notebookPath, type: "notebook", kernel: { name } }, settings),
    );
    const model = session.kernel as Kernel.IModel;
    const connection = new KernelConnection({ model, serverSettings: settings, handleComms: false });
    return new JupyterKernel(connection, {
      interrupt: () => KernelAPI.interruptKernel(model.id, settings),
      shutdown: () => SessionAPI.shutdownSession(session.id, settings),
      released: giveBack,
    });
  } catch (error) {
    giveBack();
    throw error;
  }
}

interface KernelControl {
  interrupt(): Promise<void>;
  shutdown(): Promise<void>;
  released(): void;
}

class JupyterKernel implements KernelSession {
  readonly #connection: Kernel.IKernelConnection;
  readonly #control: KernelControl;
  readonly #death: Promise<never>;
  #closed = false;

  constructor(connection: Kernel.IKernelConnection, control: KernelControl) {
    this.#connection = connection;
    this.#control = control;
    this.#death = new Promise((_, reject) => {
      connection.statusChanged.connect((_sender, status) => {
        if (status === "dead" || status === "restarting" || status === "autorestarting") reject(kernelDied());
      });
      connection.connectionStatusChanged.connect((_sender, status) => {
        if (status !== "disconnected" || this.#closed) return;
        reject(
          new EdaError("transient", "jupyter-lost", "The connection to the Jupyter server was lost.", { todo: "Run the stage again." }),
        );
      });
    });
    // It may reject when nobody executes anything.
    this.#death.catch(() => undefined);
    // When a kernel restarts, the connection reconnects by itself, and nobody could catch it if that fails.
    const reconnect = connection.reconnect.bind(connection);
    connection.reconnect = async () => reconnect().catch(() => undefined);
  }

  async execute(
    code: string,
    onMessage: (message: IopubMessage) => void,
    options: { readonly silent?: boolean } = {},
  ): Promise<ExecuteOutcome> {
    const silent = options.silent ?? false;
    const future = this.#connection.requestExecute({ code, silent, store_history: !silent, allow_stdin: false, stop_on_error: false });
    future.onIOPub = onMessage;
    const reply = future.done.catch(async () => {
      // The request was dropped: the kernel is restarting, or the connection is gone. One of the two will say so.
      const notice = new Promise<never>((_, reject) => setTimeout(() => reject(kernelDied()), DEATH_NOTICE_MS).unref());
      return Promise.race([this.#death, notice]);
    });
    const { content } = await Promise.race([reply, this.#death]);
    if (content.status === "ok") return { status: "ok", executionCount: content.execution_count };
    if (content.status === "error") {
      const { ename, evalue, traceback, execution_count } = content;
      return { status: "error", executionCount: execution_count ?? null, name: ename, value: evalue, traceback };
    }
    return { status: "error", executionCount: null, name: "Aborted", value: "the kernel dropped the cell", traceback: [] };
  }

  async interrupt(): Promise<void> {
    await within(this.#control.interrupt(), INTERRUPT_TIMEOUT_MS);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await within(this.#control.shutdown(), SHUTDOWN_TIMEOUT_MS);
    this.#connection.dispose();
    // Late messages of the connection are still its own.
    setTimeout(this.#control.released, 1_000).unref();
  }
}

function serverSettings(address: JupyterAddress, api: typeof ServerConnectionTypes): ServerConnectionTypes.ISettings {
  return api.makeSettings({
    baseUrl: address.url,
    wsUrl: address.url.replace(/^http/u, "ws"),
    token: address.token,
    appendToken: true,
    WebSocket: WebSocket as unknown as typeof globalThis.WebSocket,
    fetch: globalThis.fetch as ServerConnectionTypes.ISettings["fetch"],
    init: { cache: "no-store" },
  });
}

function chooseKernel(wanted: string | undefined, fallback: string, installed: readonly string[]): string {
  if (wanted !== undefined && installed.includes(wanted)) return wanted;
  // Editors name the kernel of a plain Python environment in many ways; the server's default is such a one.
  if (wanted === undefined || wanted === "python3" || installed.length === 1) return fallback;
  throw new EdaError(
    "precondition",
    "kernel-missing",
    `The notebook wants the kernel "${wanted}", and the Jupyter server has: ${installed.join(", ")}.`,
    {
      todo: "Choose one of these in the notebook, or install the kernel.",
    },
  );
}

async function reach<T>(request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof EdaError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    const status = typeof error === "object" && error !== null && "response" in error ? (error.response as Response).status : undefined;
    if (status === 401 || status === 403) {
      throw new EdaError("precondition", "jupyter-refused", `The Jupyter server refused the token (${status}).`, {
        todo: "Give the token of that server in EDA_JUPYTER_TOKEN or EDA_JUPYTER_TOKEN_FILE.",
        cause: error,
      });
    }
    throw new EdaError("unavailable", "jupyter-away", `The Jupyter server cannot be used: ${message}`, {
      todo: "Check that it runs and that jupyter.url in configs/eda.yaml is right.",
      cause: error,
    });
  }
}

function kernelDied(): EdaError {
  return new EdaError("terminal", "kernel-died", "The kernel died while running the notebook.", {
    todo: "Most often memory ran out: train on fewer rows or columns, or on a larger machine, and run again.",
  });
}

async function within(work: Promise<void>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([work.catch(() => undefined), limit]);
  clearTimeout(timer);
}
