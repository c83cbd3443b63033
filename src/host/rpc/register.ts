/** Registering typed handlers on a client's connection: every failure crosses the socket as an error document. */
import {
  type CancellationToken,
  ErrorCodes,
  type MessageConnection,
  type RequestType,
  type RequestType0,
  ResponseError,
} from "vscode-jsonrpc/node";
import type { Logger } from "pino";
import { EdaError, toEdaError } from "../../domain/errors.ts";

export interface Registrar {
  handle<P, R>(type: RequestType<P, R, void>, work: (params: P, signal: AbortSignal) => Promise<R>): void;
  handle0<R>(type: RequestType0<R, void>, work: (signal: AbortSignal) => Promise<R>): void;
}

export function registrarFor(rpc: MessageConnection, logger: Logger): Registrar {
  // What a client asked for ends with it: watching, verifying. Runs are not requests and go on.
  const gone = new AbortController();
  rpc.onClose(() => gone.abort());
  const guarded = async <R>(
    method: string,
    token: CancellationToken,
    work: (signal: AbortSignal) => Promise<R>,
  ): Promise<R | ResponseError<unknown>> => {
    const controller = new AbortController();
    const subscription = token.onCancellationRequested(() => controller.abort());
    try {
      return await work(AbortSignal.any([controller.signal, gone.signal]));
    } catch (error) {
      const failure = toEdaError(error);
      if (!(error instanceof EdaError)) logger.error({ method, error: failure.message, stack: (error as Error)?.stack }, "request failed");
      return new ResponseError(ErrorCodes.InternalError, failure.message, failure.toDocument());
    } finally {
      subscription.dispose();
    }
  };
  return {
    handle(type, work) {
      rpc.onRequest(type, (params, token) => guarded(type.method, token, (signal) => work(params, signal)) as never);
    },
    handle0(type, work) {
      rpc.onRequest(type, (token) => guarded(type.method, token, work) as never);
    },
  };
}

/** A page size that was asked for, as one that is given: 1 to `most`. */
export function clamp(limit: number, most: number): number {
  return Number.isFinite(limit) ? Math.min(Math.max(Math.trunc(limit), 1), most) : most;
}
