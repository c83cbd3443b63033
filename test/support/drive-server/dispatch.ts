/** From a request to its answer: which operation, which faults, who asks. */
import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { bearerToken, type Credentials } from "./credentials.ts";
import { ApiError, notImplemented } from "./errors.ts";
import { type Fault, type Faults, faultOf, type Operation } from "./faults.ts";
import { type Answer, ConnectionCut, errorAnswer, receiveAll } from "./http.ts";
import { authorize, revoke, token } from "./oauth.ts";
import { OAuthError, oauthErrorAnswer } from "./oauth-error.ts";
import type { Pages } from "./pages.ts";
import { Parameters } from "./parameters.ts";
import { ROUTES, type Route } from "./routes.ts";
import { cancelSession, putPiece, type Sessions } from "./sessions.ts";
import type { DriveStore } from "./store.ts";

export interface Services {
  readonly store: DriveStore;
  readonly credentials: Credentials;
  readonly sessions: Sessions;
  readonly pages: Pages;
  readonly faults: Faults;
  readonly url: string;
}

/** A request that found its operation; `answer` carries it out. */
export interface Dispatched {
  readonly operation: Operation;
  readonly fileId: string | undefined;
  readonly answer: (faults: readonly Fault[]) => Answer | Promise<Answer>;
}

/** What is no operation of Drive's, or none of this fake's, is answered with 404. */
export function dispatch(request: IncomingMessage, url: URL, services: Services): Dispatched {
  const special = signIn(request, url, services) ?? session(request, url, services);
  if (special !== undefined) return special;
  const route = ROUTES.find(
    ({ method, path, when }) => method === request.method && path.test(url.pathname) && (when?.(url.searchParams) ?? true),
  );
  const id = decoded(route?.path.exec(url.pathname)?.[1] ?? "");
  if (route === undefined || id === undefined)
    return { operation: "unknown", fileId: undefined, answer: () => unknownRequest(request, url) };
  return {
    operation: route.operation,
    fileId: id === "" ? undefined : id,
    answer: (faults) => call(route, id, request, url, services, faults),
  };
}

/** Carries the request out as far as its faults let it; failures become answers. @throws ConnectionCut */
export async function answerOf({ answer }: Dispatched, faults: readonly Fault[]): Promise<Answer> {
  const delay = faultOf(faults, "delay");
  if (delay !== undefined) await sleep(delay.milliseconds);
  if (faultOf(faults, "cut") !== undefined) throw new ConnectionCut();
  const error = faultOf(faults, "error");
  try {
    if (error !== undefined) throw new ApiError(error.reason, { headers: retryAfter(error.retryAfter) });
    return await answer(faults);
  } catch (failure) {
    if (failure instanceof ApiError) return errorAnswer(failure);
    if (failure instanceof OAuthError) return oauthErrorAnswer(failure);
    throw failure;
  }
}

function unknownRequest(request: IncomingMessage, url: URL): never {
  throw new ApiError("notFound", { message: `The fake Drive server does not implement ${request.method} ${url.pathname}.` });
}

function call(
  route: Route,
  id: string,
  request: IncomingMessage,
  url: URL,
  services: Services,
  faults: readonly Fault[],
): Answer | Promise<Answer> {
  const { store, credentials } = services;
  const { authorization } = request.headers;
  if (faultOf(faults, "expired-token") !== undefined) credentials.expireAccessTokens(bearerToken(authorization) ?? "");
  const email = credentials.authenticate(authorization, route.use);
  const parameters = new Parameters(url.searchParams, route.parameters);
  const alt = parameters.choice("alt", ["json", "media"], "json");
  if (alt === "media" && route.operation !== "files.media") throw notImplemented(`alt=media for ${route.operation}`);
  const view = { store, email, wrongChecksums: faultOf(faults, "wrong-checksums") !== undefined };
  const access = { store, email, supportsAllDrives: parameters.flag("supportsAllDrives") };
  return route.handle({ ...services, request, parameters, id, email, view, access, faults });
}

function session(request: IncomingMessage, url: URL, { sessions, credentials }: Services): Dispatched | undefined {
  const sessionId = url.searchParams.get("upload_id");
  if (sessionId === null || !url.pathname.startsWith("/upload/drive/v3/files")) return undefined;
  // The address is enough; a token that comes along must be good.
  const checkToken = () => {
    if (request.headers.authorization !== undefined) credentials.authenticate(request.headers.authorization, "write");
  };
  const asks = request.headers["content-range"]?.startsWith("bytes */");
  if (request.method === "PUT") {
    const answer = (faults: readonly Fault[]) => {
      if (faultOf(faults, "expired-token") !== undefined) credentials.expireAccessTokens(bearerToken(request.headers.authorization) ?? "");
      checkToken();
      return putPiece({ request, sessions, sessionId, faults });
    };
    return { operation: asks ? "sessions.query" : "sessions.put", fileId: undefined, answer };
  }
  if (request.method !== "DELETE") return undefined;
  const answer = (faults: readonly Fault[]) => {
    checkToken();
    return cancelSession({ request, sessions, sessionId, faults });
  };
  return { operation: "sessions.cancel", fileId: undefined, answer };
}

function signIn(request: IncomingMessage, url: URL, services: Services): Dispatched | undefined {
  const form = async (faults: readonly Fault[]) => new URLSearchParams((await receiveAll(request, faults)).toString());
  switch (`${request.method} ${url.pathname}`) {
    case "GET /o/oauth2/v2/auth":
      return { operation: "oauth.auth", fileId: undefined, answer: () => authorize(services, url.searchParams) };
    case "POST /token":
      return { operation: "oauth.token", fileId: undefined, answer: async (faults) => token(services, await form(faults)) };
    case "POST /revoke":
      return {
        operation: "oauth.revoke",
        fileId: undefined,
        answer: async (faults) => {
          const body = await form(faults);
          return revoke(services, body.has("token") ? body : url.searchParams);
        },
      };
    default:
      return undefined;
  }
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

function retryAfter(seconds: number | undefined): Readonly<Record<string, string>> {
  return seconds === undefined ? {} : { "Retry-After": String(seconds) };
}
