/** Pages of a listing: what was found at its first page is what the later ones continue. */
import { randomBytes } from "node:crypto";
import { invalidParameter, type Parameters } from "./parameters.ts";

interface OpenListing {
  readonly fingerprint: string;
  readonly rest: readonly string[];
}

export interface Page {
  readonly ids: readonly string[];
  readonly nextPageToken?: string;
}

export class Pages {
  /** Drive may answer fewer than were asked for; so does this server when a test sets it. */
  most = Number.POSITIVE_INFINITY;
  readonly #open = new Map<string, OpenListing>();

  /** @param find every id, in order; asked at the first page. @throws ApiError `invalid` for an unknown token or one of another request */
  page(parameters: Parameters, find: () => readonly string[], sizes: { readonly absent: number; readonly most: number }): Page {
    const size = Math.min(parameters.whole("pageSize", sizes), this.most);
    const fingerprint = parameters.fingerprint("pageToken", "pageSize");
    const token = parameters.text("pageToken");
    const open = token === undefined ? { fingerprint, rest: find() } : this.#open.get(token);
    if (open === undefined || open.fingerprint !== fingerprint) throw invalidParameter("pageToken");
    const [ids, rest] = [open.rest.slice(0, size), open.rest.slice(size)];
    if (rest.length === 0) return { ids };
    const nextPageToken = `~!!~${randomBytes(24).toString("base64url")}`;
    this.#open.set(nextPageToken, { fingerprint, rest });
    return { ids, nextPageToken };
  }

  /** Tokens live for some hours. */
  expire(): void {
    this.#open.clear();
  }
}
