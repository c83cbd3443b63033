/** What can go wrong on purpose: rules that say which requests fail, how often and how. */
import type { Reason } from "./errors.ts";
import { seededRandom } from "./random.ts";

/** What a request is for; `sessions.*` are resumable uploads. */
export type Operation =
  | "about.get"
  | "changes.getStartPageToken"
  | "changes.list"
  | "drives.get"
  | "drives.list"
  | "files.create"
  | "files.delete"
  | "files.export"
  | "files.generateIds"
  | "files.get"
  | "files.list"
  /** `files.get` with `alt=media`. */
  | "files.media"
  | "files.update"
  /** Content in one request: `uploadType` media or multipart. */
  | "files.upload"
  | "oauth.auth"
  | "oauth.revoke"
  | "oauth.token"
  | "permissions.create"
  | "permissions.list"
  | "sessions.cancel"
  | "sessions.put"
  | "sessions.query"
  | "sessions.start"
  | "unknown";

export type Fault =
  /** Drive's error with this reason; `Retry-After` in seconds. */
  | { readonly kind: "error"; readonly reason: Reason; readonly retryAfter?: number }
  | { readonly kind: "delay"; readonly milliseconds: number }
  /** The connection ends before anything was done. */
  | { readonly kind: "cut" }
  /** The request is carried out, and the connection ends before the answer. */
  | { readonly kind: "lose-answer" }
  /** The connection ends once this many bytes of the answer's body were sent. */
  | { readonly kind: "cut-download"; readonly afterBytes: number }
  /** After this many bytes of the answer's body nothing more comes, and the connection stays open. */
  | { readonly kind: "stall-download"; readonly afterBytes: number }
  /** One byte of the answer's body is another one. */
  | { readonly kind: "corrupt-download" }
  /** The connection ends once this many bytes of the request's body came in; a session keeps whole blocks of them. */
  | { readonly kind: "cut-upload"; readonly afterBytes: number }
  /** The access token of the request is valid no more, from this request on. */
  | { readonly kind: "expired-token" }
  /** The upload session of the request is gone, from this request on. */
  | { readonly kind: "expired-session"; readonly status: 404 | 410 }
  /** Metadata whose checksums do not fit the content. */
  | { readonly kind: "wrong-checksums" };

export type FaultOf<Kind extends Fault["kind"]> = Extract<Fault, { kind: Kind }>;

/** What a rule can tell requests apart by. */
export interface FaultSubject {
  readonly operation: Operation;
  readonly method: string;
  readonly path: string;
  /** From the path. */
  readonly fileId: string | undefined;
}

export interface FaultRule {
  /** All of them when absent. */
  readonly operations?: readonly Operation[];
  readonly fileId?: string;
  readonly matches?: (subject: FaultSubject) => boolean;
  /** So many matching requests go well first. */
  readonly skip?: number;
  /** So many fail; without limit when absent. */
  readonly times?: number;
  /** Of failing, for each matching request; 1 when absent. */
  readonly probability?: number;
  readonly fault: Fault | ((subject: FaultSubject, random: () => number) => Fault);
}

export interface ActiveRule {
  /** How often it struck. */
  readonly hits: number;
  remove(): void;
}

interface Entry {
  readonly rule: FaultRule;
  readonly random: () => number;
  seen: number;
  hits: number;
}

export class Faults {
  readonly #entries = new Set<Entry>();

  /** @param seed of the rule's own random numbers */
  add(rule: FaultRule, seed = 1): ActiveRule {
    const entry: Entry = { rule, random: seededRandom(seed), seen: 0, hits: 0 };
    this.#entries.add(entry);
    return {
      get hits() {
        return entry.hits;
      },
      remove: () => void this.#entries.delete(entry),
    };
  }

  /** The next `times` requests of these operations fail so. */
  fail(operations: Operation | readonly Operation[], fault: Fault, times = 1): ActiveRule {
    return this.add({ operations: typeof operations === "string" ? [operations] : operations, fault, times });
  }

  /** This part of all requests fails, each in a way that a retry can mend; sign-in only with 503. */
  failRandomly(probability: number, seed = 1): ActiveRule {
    return this.add({ probability, fault: passingFault }, seed);
  }

  clear(): void {
    this.#entries.clear();
  }

  /** What strikes this request. */
  strike(subject: FaultSubject): Fault[] {
    return [...this.#entries].flatMap((entry) => {
      const { rule, random } = entry;
      if (!applies(rule, subject)) return [];
      entry.seen++;
      if (entry.seen <= (rule.skip ?? 0) || entry.hits >= (rule.times ?? Number.POSITIVE_INFINITY)) return [];
      if (rule.probability !== undefined && random() >= rule.probability) return [];
      entry.hits++;
      return [typeof rule.fault === "function" ? rule.fault(subject, random) : rule.fault];
    });
  }
}

export function faultOf<Kind extends Fault["kind"]>(faults: readonly Fault[], kind: Kind): FaultOf<Kind> | undefined {
  return faults.find((fault): fault is FaultOf<Kind> => fault.kind === kind);
}

function applies({ operations, fileId, matches }: FaultRule, subject: FaultSubject): boolean {
  if (operations !== undefined && !operations.includes(subject.operation)) return false;
  if (fileId !== undefined && fileId !== subject.fileId) return false;
  return matches?.(subject) ?? true;
}

function passingFault({ operation }: FaultSubject, random: () => number): Fault {
  if (operation.startsWith("oauth.")) return { kind: "error", reason: "serviceUnavailable" };
  const kinds: readonly Fault[] = [
    { kind: "error", reason: "userRateLimitExceeded" },
    { kind: "error", reason: "rateLimitExceeded" },
    { kind: "error", reason: "tooManyRequests", retryAfter: 0 },
    { kind: "error", reason: "backendError" },
    { kind: "error", reason: "badGateway" },
    { kind: "error", reason: "serviceUnavailable" },
    { kind: "cut" },
    { kind: "lose-answer" },
    { kind: "cut-download", afterBytes: Math.floor(random() * 100_000) },
    { kind: "cut-upload", afterBytes: Math.floor(random() * 1_000_000) },
  ];
  return kinds[Math.floor(random() * kinds.length)] as Fault;
}
