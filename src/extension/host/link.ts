/**
 * The window's connection to the host of its workspace. Requests connect on demand and start the host when there is none. A lost host is
 * started again at once while runs are active, and otherwise with the next request: one that was stopped on purpose stays stopped.
 */
import {
  type CancellationToken,
  type Disposable,
  Emitter,
  type Event,
  type RequestParam,
  type RequestType,
  type RequestType0,
} from "vscode-jsonrpc/node";
import { EdaError, toEdaError } from "../../domain/errors.ts";
import { isTerminal, type RunEvent, type RunProgress, type RunSummary } from "../../domain/run.ts";
import { checksWithoutHost } from "../../protocol/check-stores.ts";
import { call, connectHost, type HostConnection, type HostProgram } from "../../protocol/client.ts";
import type { Installation } from "../../protocol/installation.ts";
import { JobChanged, type JobView } from "../../protocol/jobs.ts";
import {
  Doctor,
  type DoctorCheck,
  type HostStatus,
  type ListingRead,
  ListingReadAgain,
  PROTOCOL_VERSION,
  RunChanged,
  RunEvents,
  Status,
  Stop,
  WorkProgress,
} from "../../protocol/messages.ts";

/** How often a window without a host looks whether another client has started one. */
const LOOK_INTERVAL_MS = 3_000;

export type LinkState =
  | { readonly kind: "idle" }
  | { readonly kind: "connecting"; readonly starting: boolean }
  /** `ownBuild` false: a host of another build is busy with runs; it is only read from until they end. */
  | { readonly kind: "connected"; readonly status: HostStatus; readonly ownBuild: boolean }
  /** Stopped, or gone while nothing was running. */
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly error: EdaError };

export interface LinkOptions {
  readonly workspace: string;
  /** Version of the extension, for a host when there is no installation to compare with. */
  readonly version: string;
  readonly installation: () => Installation | undefined;
  readonly notInstalled: () => EdaError;
  readonly log: (message: string) => void;
}

export class HostLink implements Disposable {
  readonly #options: LinkOptions;
  readonly #states = new Emitter<LinkState>();
  readonly #runEvents = new Emitter<RunEvent>();
  readonly #runChanges = new Emitter<RunSummary>();
  readonly #jobChanges = new Emitter<JobView>();
  readonly #listingReads = new Emitter<ListingRead>();
  readonly #active = new Set<string>();
  #state: LinkState = { kind: "idle" };
  #connection: HostConnection | undefined;
  #ended: Promise<never> | undefined;
  #connecting: Promise<HostConnection> | undefined;
  #lookTimer: NodeJS.Timeout | undefined;
  #disposed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  get workspace(): string {
    return this.#options.workspace;
  }

  get state(): LinkState {
    return this.#state;
  }

  get onState(): Event<LinkState> {
    return this.#states.event;
  }

  get onRunEvent(): Event<RunEvent> {
    return this.#runEvents.event;
  }

  get onRunChanged(): Event<RunSummary> {
    return this.#runChanges.event;
  }

  get onJobChanged(): Event<JobView> {
    return this.#jobChanges.event;
  }

  get onListingRead(): Event<ListingRead> {
    return this.#listingReads.event;
  }

  /** @throws EdaError as the host sent it, or why there is no host */
  ask<P, R>(type: RequestType<P, R, void>, params: P, token?: CancellationToken): Promise<R> {
    return this.#request(({ rpc }) => rpc.sendRequest(type, params as RequestParam<P>, token));
  }

  /** Like {@link ask}, for a request without parameters. */
  ask0<R>(type: RequestType0<R, void>, token?: CancellationToken): Promise<R> {
    return this.#request(({ rpc }) => rpc.sendRequest(type, token));
  }

  /**
   * Like {@link ask}, for what changes something: refused while the host is of another build.
   * @throws EdaError `precondition` `host-busy`
   */
  async askToChange<P, R>(type: RequestType<P, R, void>, params: P): Promise<R> {
    await this.connect();
    if (this.#state.kind === "connected" && !this.#state.ownBuild) {
      throw new EdaError("precondition", "host-busy", "The running host is of another version and still has active runs.", {
        todo: "Wait for them to end: the host is then restarted by itself.",
      });
    }
    return this.ask(type, params);
  }

  /** What the doctor says; of a host that cannot be asked, what is known without it. */
  diagnose(): Promise<readonly DoctorCheck[]> {
    const { workspace, installation } = this.#options;
    return this.ask0(Doctor).catch((error: unknown) => checksWithoutHost(toEdaError(error), workspace, installation()?.program));
  }

  /** Progress of one long request, by its token, on the present connection. */
  onWorkProgress(token: string, listener: (progress: RunProgress) => void): Disposable {
    return this.#connection?.rpc.onProgress(WorkProgress, token, listener) ?? { dispose: () => undefined };
  }

  /** What runs in the host's place when no host is to. @throws EdaError `unavailable` `host-not-installed` */
  program(): HostProgram {
    const { installation, notInstalled } = this.#options;
    const found = installation();
    if (found === undefined) throw notInstalled();
    return found.program;
  }

  /** Connects, starting the host when none runs. */
  async connect(): Promise<void> {
    await this.#connected();
  }

  /** @param force also when runs are active: they go on at the next start */
  async stop(force: boolean): Promise<void> {
    if (this.#connection === undefined) return;
    await this.ask(Stop, { force });
    this.#active.clear();
    this.#connection?.dispose();
    this.#lose();
  }

  /** Forgets the present host, for instance after the installation changed; the next request connects anew. */
  reset(): void {
    this.#drop();
    this.#setState({ kind: "idle" });
  }

  /** Looks from time to time whether another client has started a host, without starting one. */
  lookForHost(): void {
    this.#lookTimer ??= setInterval(() => void this.#look(), LOOK_INTERVAL_MS);
  }

  dispose(): void {
    this.#disposed = true;
    clearInterval(this.#lookTimer);
    this.#drop();
    this.#states.dispose();
    this.#runEvents.dispose();
    this.#runChanges.dispose();
    this.#jobChanges.dispose();
    this.#listingReads.dispose();
  }

  async #request<R>(send: (connection: HostConnection) => Promise<R>): Promise<R> {
    const connection = await this.#connected();
    // A request on a connection that has just ended throws instead of rejecting.
    const sent = async () => send(connection);
    return call(Promise.race([sent(), this.#ended ?? Promise.reject(new Error("connection closed"))]));
  }

  #connected(): Promise<HostConnection> {
    if (this.#connection !== undefined) return Promise.resolve(this.#connection);
    this.#connecting ??= this.#open().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #open(): Promise<HostConnection> {
    const { workspace, version, installation, notInstalled, log } = this.#options;
    this.#setState({ kind: "connecting", starting: false });
    try {
      const found = installation();
      const own =
        found === undefined
          ? undefined
          : { program: found.program, onStarting: () => this.#setState({ kind: "connecting", starting: true }) };
      const base = { workspace, client: "extension", build: found?.build ?? version } as const;
      const connection = await connectHost({ ...base, ...own }).catch((error: unknown) => {
        const failure = toEdaError(error);
        if (failure.code === "host-busy") return connectHost(base);
        throw failure.code === "host-not-running" ? notInstalled() : failure;
      });
      const ownBuild = found === undefined || connection.status.build === found.build;
      this.#adopt(connection, ownBuild);
      return connection;
    } catch (error) {
      const failure = toEdaError(error);
      log(`host: ${failure.message}`);
      this.#setState({ kind: "failed", error: failure });
      throw failure;
    }
  }

  #adopt(connection: HostConnection, ownBuild: boolean): void {
    if (connection.status.protocol !== PROTOCOL_VERSION) {
      connection.dispose();
      throw new EdaError(
        "precondition",
        "host-busy",
        "The running host speaks another version of the protocol and still has active runs.",
        {
          todo: "Wait for them to end, then try again.",
        },
      );
    }
    if (this.#disposed) {
      connection.dispose();
      throw new EdaError("cancelled", "window-closed", "The window was closed.");
    }
    this.#connection = connection;
    this.#ended = new Promise<never>((_, reject) => {
      connection.rpc.onClose(() => {
        reject(new Error("connection closed"));
        if (this.#connection === connection) this.#lose();
      });
    });
    this.#ended.catch(() => undefined);
    connection.rpc.onNotification(RunEvents, (event) => this.#runEvents.fire(event));
    connection.rpc.onNotification(JobChanged, (job) => this.#jobChanges.fire(job));
    connection.rpc.onNotification(ListingReadAgain, (read) => this.#listingReads.fire(read));
    connection.rpc.onNotification(RunChanged, (summary) => {
      if (isTerminal(summary.state)) this.#active.delete(summary.runId);
      else this.#active.add(summary.runId);
      this.#runChanges.fire(summary);
      if (!ownBuild && isTerminal(summary.state)) void this.#replaceWhenIdle(connection);
    });
    this.#active.clear();
    for (const run of connection.status.activeRuns) this.#active.add(run);
    this.#options.log(`connected to host ${connection.status.pid}, build ${connection.status.build}`);
    this.#setState({ kind: "connected", status: connection.status, ownBuild });
  }

  /** The other build's last run has ended: its host is restarted as ours. */
  async #replaceWhenIdle(connection: HostConnection): Promise<void> {
    const status = await connection.rpc.sendRequest(Status).catch(() => undefined);
    if (status === undefined || status.activeRuns.length > 0 || this.#connection !== connection) return;
    this.reset();
    await this.connect().catch(() => undefined);
  }

  #lose(): void {
    this.#drop();
    if (this.#disposed) return;
    this.#options.log("the host went away");
    this.#setState({ kind: "stopped" });
    if (this.#active.size > 0) void this.connect().catch(() => undefined);
  }

  #drop(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#ended = undefined;
    connection?.dispose();
  }

  async #look(): Promise<void> {
    const quiet = this.#state.kind === "stopped" || this.#state.kind === "failed";
    if (!quiet || this.#connecting !== undefined) return;
    const { workspace, version, installation } = this.#options;
    const found = installation();
    const connection = await connectHost({ workspace, client: "extension", build: found?.build ?? version }).catch(() => undefined);
    if (connection === undefined) return;
    // A host of another build is left to #open, which knows what to do with it.
    const adoptable = connection.status.protocol === PROTOCOL_VERSION && (found === undefined || found.build === connection.status.build);
    if (this.#connection === undefined && this.#connecting === undefined && adoptable) this.#adopt(connection, true);
    else connection.dispose();
  }

  #setState(state: LinkState): void {
    this.#state = state;
    if (!this.#disposed) this.#states.fire(state);
  }
}
