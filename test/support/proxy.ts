/** A TCP proxy in front of a server: the network between, which a test lets down where the traffic says a given text. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface NetworkProxy {
  readonly port: number;
  /** Sets a trap for the next bytes from a client that hold the text, once. */
  trap(text: string, options?: TrapOptions): Trap;
  /** Breaks every connection that is open now. */
  cut(): void;
  /** From now on new connections are broken at once. */
  close(): void;
  open(): void;
  /** Number of connections broken, by traps too. */
  readonly cuts: number;
  stop(): Promise<void>;
}

export interface TrapOptions {
  /** `request`, the default: the server does not get what was caught. `answer`: the server gets it, and its answer is kept back. */
  readonly holds?: "request" | "answer";
  /** So many times the text passes first. */
  readonly skip?: number;
  /** What was sent on the connection before, for texts that are no telling ones by themselves. */
  readonly after?: string;
}

/** A connection that stands still, as on a network that drops packets, until it is released or cut. */
export interface Trap {
  readonly caught: Promise<void>;
  /** What was kept back goes on, and all that follows. */
  release(): void;
  /** The connection is broken, and what was kept back is lost. */
  cut(): void;
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  /** The end of what the client sent: a text may come in two pieces. */
  sent: string;
  held: { readonly requests: Buffer[]; readonly answers: Buffer[]; readonly holds: "request" | "answer" } | undefined;
}

interface ArmedTrap extends Required<Pick<TrapOptions, "holds">> {
  readonly text: string;
  readonly after: string;
  skip: number;
  catch(link: Link): void;
}

const KEPT_TEXT = 64 * 1024;

/** @param target port of the server, on this machine */
export async function startProxy(target: number): Promise<NetworkProxy> {
  const links = new Set<Link>();
  const traps = new Set<ArmedTrap>();
  let isOpen = true;
  let cuts = 0;

  const cutLink = (link: Link) => {
    if (!links.delete(link)) return;
    cuts += 1;
    // A reset, as a network that fails gives: an orderly end would be the server's own word.
    link.client.resetAndDestroy();
    link.server.destroy();
  };

  const trapFor = (link: Link): ArmedTrap | undefined =>
    [...traps].find((trap) => {
      const at = link.sent.lastIndexOf(trap.text);
      if (at < 0 || link.sent.lastIndexOf(trap.after, at) < 0) return false;
      trap.skip -= 1;
      link.sent = "";
      return trap.skip < 0;
    });

  const server = createServer((client) => {
    if (!isOpen) {
      client.resetAndDestroy();
      return;
    }
    const link: Link = { client, server: connect(target, "127.0.0.1"), sent: "", held: undefined };
    links.add(link);
    client.on("data", (bytes: Buffer) => {
      if (link.held?.holds === "request") {
        link.held.requests.push(bytes);
        return;
      }
      if (traps.size > 0) {
        link.sent = (link.sent + bytes.toString("latin1")).slice(-KEPT_TEXT);
        const trap = trapFor(link);
        if (trap !== undefined) {
          traps.delete(trap);
          link.held = { requests: trap.holds === "request" ? [bytes] : [], answers: [], holds: trap.holds };
          trap.catch(link);
          if (trap.holds === "request") return;
        }
      }
      passOn(client, link.server, bytes);
    });
    link.server.on("data", (bytes: Buffer) => {
      if (link.held === undefined) passOn(link.server, client, bytes);
      else link.held.answers.push(bytes);
    });
    client.on("error", () => undefined).on("close", () => link.server.destroy());
    link.server
      .on("error", () => undefined)
      .on("close", () => {
        links.delete(link);
        client.destroySoon();
      });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    port: (server.address() as AddressInfo).port,
    get cuts() {
      return cuts;
    },
    trap(text, { holds = "request", skip = 0, after = "" } = {}) {
      let link: Link | undefined;
      let armed: ArmedTrap;
      const caught = new Promise<void>((resolve) => {
        armed = {
          text,
          after,
          holds,
          skip,
          catch(found) {
            link = found;
            resolve();
          },
        };
        traps.add(armed);
      });
      return {
        caught,
        release() {
          traps.delete(armed);
          const held = link?.held;
          if (link === undefined || held === undefined) return;
          link.held = undefined;
          for (const bytes of held.requests) link.server.write(bytes);
          for (const bytes of held.answers) link.client.write(bytes);
        },
        cut() {
          traps.delete(armed);
          if (link !== undefined) cutLink(link);
        },
      };
    },
    cut() {
      for (const link of links) cutLink(link);
    },
    close() {
      isOpen = false;
    },
    open() {
      isOpen = true;
    },
    async stop() {
      for (const link of links) cutLink(link);
      server.close();
      await once(server, "close");
    },
  };
}

/** A side that does not read is not written to without end. */
function passOn(from: Socket, to: Socket, bytes: Buffer): void {
  if (to.write(bytes)) return;
  from.pause();
  to.once("drain", () => from.resume());
}
