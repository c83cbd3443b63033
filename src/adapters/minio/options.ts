/** How the object store is reached. */
import { EdaError } from "../../domain/errors.ts";

export interface S3Options {
  /** Scheme, host and port: `https://minio.example:9000`. Buckets are addressed by path. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly sessionToken?: string;
  /** Certificates (PEM) of the authority that vouches for the server; the system's own when absent. */
  readonly ca?: string;
  /** Buckets are created with object lock, so that versions can be put under retention. */
  readonly objectLock?: boolean;
  /** How long the bytes of an upload may stand still before the connection is given up, milliseconds; 30,000 when absent. */
  readonly stallMs?: number;
  /**
   * Folder of this process alone that outlives it: notes which uploads are under way, so that the next process aborts what a killed one left.
   * Absent: a killed process's parts stay until the server expires them.
   */
  readonly uploadNotes?: string;
}

/** @throws EdaError `precondition` `invalid-endpoint` */
export function endpointUrl({ endpoint }: S3Options): URL {
  const url = URL.parse(endpoint);
  const isPlain =
    url !== null && url.pathname === "/" && url.search === "" && url.hash === "" && url.username === "" && url.password === "";
  if (isPlain && (url.protocol === "http:" || url.protocol === "https:")) return url;
  // The text itself is not shown: a mistaken one may hold a password.
  throw new EdaError("precondition", "invalid-endpoint", "The object store's endpoint is not an address.", {
    todo: "Write scheme, host and port, nothing else: https://minio.example:9000",
  });
}
