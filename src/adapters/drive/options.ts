/** How Google Drive is reached, and how patient eda is with it. */
import { EdaError } from "../../domain/errors.ts";
import type { ExportChoice } from "./export-formats.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** Chunks of a resumable upload, the last one aside, are multiples of it: https://developers.google.com/workspace/drive/api/guides/manage-uploads. */
export const CHUNK_UNIT_BYTES = 256 * KIB;

export const GOOGLE_API_ROOT = "https://www.googleapis.com/";
export const GOOGLE_OAUTH_ROOT = "https://oauth2.googleapis.com/";

export type GoogleAuth =
  | {
      readonly kind: "service-account";
      /** The JSON key of the service account. */
      readonly keyFile: string;
      /** Address of the person in whose name it acts, where the domain's administrator allows that. */
      readonly subject?: string;
    }
  | {
      readonly kind: "user";
      /** Written by signing in; see `token-file.ts`. */
      readonly tokenFile: string;
      readonly clientId: string;
      readonly clientSecret: string;
    };

export interface DriveLimits {
  /** Of one request, the first try included. */
  readonly attempts: number;
  /** Wait before the second try; doubled each time. */
  readonly retryBaseMs: number;
  readonly retryCapMs: number;
  /** Without a byte or an answer for this long, a request is given up and tried again. */
  readonly stallMs: number;
  /** Bytes of a resumable upload sent in one request: a multiple of {@link CHUNK_UNIT_BYTES}. */
  readonly chunkBytes: number;
  /** Folders listed at the same time. */
  readonly concurrency: number;
  /** Entries a page of a listing holds. */
  readonly pageSize: number;
  /** After this long a remembered listing is made anew, whatever the changes say. */
  readonly listingMaxAgeMs: number;
  /** A listing may miss what was put there up to this long before: changes are followed from before that time. */
  readonly listingSettleMs: number;
}

/** Backoff as Google asks for: https://developers.google.com/workspace/drive/api/guides/handle-errors. */
const DEFAULT_LIMITS: DriveLimits = {
  attempts: 8,
  retryBaseMs: 1_000,
  retryCapMs: 64_000,
  stallMs: 60_000,
  chunkBytes: 8 * MIB,
  concurrency: 8,
  pageSize: 1_000,
  listingMaxAgeMs: 24 * 3_600_000,
  listingSettleMs: 2 * 60_000,
};

export interface GoogleDriveOptions {
  readonly auth: GoogleAuth;
  /** Folder of this host that outlives it: upload sessions and listings. */
  readonly stateFolder: string;
  /** Google's own when absent. */
  readonly apiRoot?: string;
  /** Where tokens are had; Google's own when absent. */
  readonly oauthRoot?: string;
  readonly exports?: Partial<ExportChoice>;
  readonly limits?: Partial<DriveLimits>;
  readonly log?: DriveLog;
}

/** Never gets a token or the address of an upload session. */
export type DriveLog = (level: "info" | "warn", message: string) => void;

/** @throws RangeError for a chunk that Drive would refuse */
export function limitsOf(options: Pick<GoogleDriveOptions, "limits">): DriveLimits {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  if (limits.chunkBytes < CHUNK_UNIT_BYTES || limits.chunkBytes % CHUNK_UNIT_BYTES !== 0) {
    throw new RangeError(`chunkBytes must be a multiple of ${CHUNK_UNIT_BYTES}`);
  }
  return limits;
}

/** Ends in a slash. @throws EdaError `precondition` `invalid-endpoint`: tokens go over TLS, or stay on this machine */
export function rootUrl(text: string): URL {
  const url = URL.parse(text.endsWith("/") ? text : `${text}/`);
  const isLocal = url?.protocol === "http:" && ["127.0.0.1", "[::1]", "localhost"].includes(url.hostname);
  if (url !== null && (url.protocol === "https:" || isLocal) && url.pathname === "/" && url.username === "") return url;
  throw new EdaError("precondition", "invalid-endpoint", "The address of the Drive server is not one of an https server.", {
    todo: "Leave it out: Google's own is used then.",
  });
}
