/** Failures to open a service, in words that say which service and where it was looked for. */
import { EdaError, type ErrorKind, toEdaError } from "../../domain/errors.ts";

/** Where nothing is running yet, a passing failure is one of the service; what is not understood is, too. */
const KINDS: Partial<Record<ErrorKind, ErrorKind>> = { transient: "unavailable", terminal: "unavailable" };

/**
 * @param service name and address, without credentials: `The object store at https://minio.example:9000`
 * @throws EdaError the failure with the service named first: `unavailable`, unless it is a `precondition` or the person's own wish
 */
export async function reach<T>(service: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { kind, code, message, todo, at, findings } = toEdaError(error);
    throw new EdaError(KINDS[kind] ?? kind, code, `${service}: ${message}`, {
      todo: todo ?? "See what is missing with: eda doctor",
      ...(at === undefined ? {} : { at }),
      ...(findings === undefined ? {} : { findings }),
      cause: error,
    });
  }
}
