/**
 * Errors as Drive answers them. Statuses, domains and reasons follow
 * https://developers.google.com/workspace/drive/api/guides/handle-errors.
 */
export interface Failure {
  readonly status: number;
  readonly domain: "global" | "usageLimits";
  readonly message: string;
}

const failure = (status: number, message: string, domain: Failure["domain"] = "global"): Failure => ({ status, domain, message });

/** By reason: what a client reads to know whether a retry helps. */
export const FAILURES = {
  appNotAuthorizedToFile: failure(403, "The user has not granted the app read access to the file."),
  authError: failure(401, "Invalid Credentials"),
  backendError: failure(500, "Backend Error"),
  badGateway: failure(502, "Bad Gateway"),
  badRequest: failure(400, "Bad Request"),
  cannotAddParent: failure(403, "Increasing the number of parents is not allowed"),
  cannotDownloadAbusiveFile: failure(403, "This file has been identified as malware or spam and cannot be downloaded."),
  cannotDownloadFile: failure(403, "This file cannot be downloaded by the user."),
  dailyLimitExceeded: failure(403, "Daily Limit Exceeded", "usageLimits"),
  downloadQuotaExceeded: failure(403, "The download quota for this file has been exceeded."),
  exportSizeLimitExceeded: failure(403, "This file is too large to be exported."),
  fieldNotWritable: failure(403, "The resource body includes fields which are not directly writable."),
  fileIdInUse: failure(409, "A file already exists with the provided ID."),
  fileNotDownloadable: failure(403, "Only files with binary content can be downloaded. Use Export with Docs Editors files."),
  fileNotExportable: failure(403, "Export only supports Docs Editors files."),
  gone: failure(410, "Gone"),
  insufficientFilePermissions: failure(403, "The user does not have sufficient permissions for this file."),
  insufficientParentPermissions: failure(403, "Insufficient permissions for the specified parent."),
  insufficientPermissions: failure(403, "Request had insufficient authentication scopes."),
  invalid: failure(400, "Invalid Value"),
  invalidParameter: failure(400, "Invalid Value"),
  notFound: failure(404, "Not Found"),
  parentNotAFolder: failure(403, "The specified parent is not a folder."),
  rateLimitExceeded: failure(403, "Rate Limit Exceeded", "usageLimits"),
  requestedRangeNotSatisfiable: failure(416, "Requested range not satisfiable"),
  required: failure(401, "Login Required."),
  serviceUnavailable: failure(503, "The service is currently unavailable."),
  sharingRateLimitExceeded: failure(403, 'Rate limit exceeded. User message: "Sorry, you have exceeded your sharing quota."'),
  storageQuotaExceeded: failure(403, "The user's Drive storage quota has been exceeded."),
  teamDriveIdRequiresTeamDriveCorpora: failure(403, "The driveId parameter must be specified if and only if corpora is set to drive."),
  teamDrivesInclusionRequired: failure(
    403,
    "The includeItemsFromAllDrives parameter must be set to true when driveId is specified or corpora contains drive or allDrives.",
  ),
  tooManyRequests: failure(429, "Too many requests", "usageLimits"),
  userRateLimitExceeded: failure(403, "User Rate Limit Exceeded", "usageLimits"),
} as const satisfies Record<string, Failure>;

export type Reason = keyof typeof FAILURES;

/** Reasons of this catalogue that Drive itself spells otherwise: the status tells them apart. */
const WIRE_REASON: Partial<Record<Reason, string>> = {
  badGateway: "backendError",
  serviceUnavailable: "backendError",
  tooManyRequests: "rateLimitExceeded",
};

export interface ErrorPlace {
  readonly message?: string;
  /** The parameter, header or field at fault. */
  readonly location?: string;
  readonly locationType?: "parameter" | "header" | "other";
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown by what answers a request; becomes `{error: {code, message, errors: [{domain, reason, message}]}}`. */
export class ApiError extends Error {
  readonly reason: Reason;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly #place: ErrorPlace;

  constructor(reason: Reason, place: ErrorPlace = {}) {
    super(place.message ?? FAILURES[reason].message);
    this.reason = reason;
    this.status = FAILURES[reason].status;
    this.headers = place.headers ?? {};
    this.#place = place;
  }

  toJSON(): object {
    const { location, locationType = location === undefined ? undefined : "parameter" } = this.#place;
    const detail = {
      domain: FAILURES[this.reason].domain,
      reason: WIRE_REASON[this.reason] ?? this.reason,
      message: this.message,
      ...(location === undefined ? {} : { locationType, location }),
    };
    return { error: { errors: [detail], code: this.status, message: this.message } };
  }
}

/** The request asks for something that Drive has and this fake has not: never answered by a guess. */
export function notImplemented(what: string): ApiError {
  return new ApiError("badRequest", { message: `The fake Drive server does not implement ${what}.` });
}

export function fileNotFound(id: string): ApiError {
  return new ApiError("notFound", { message: `File not found: ${id}.`, location: "fileId" });
}
