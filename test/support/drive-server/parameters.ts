/** Query parameters of a request, checked against what its operation knows. */
import { ApiError } from "./errors.ts";

/** Of every operation: https://cloud.google.com/apis/docs/system-parameters. */
const SYSTEM_PARAMETERS = ["alt", "fields", "key", "prettyPrint", "quotaUser"];

export class Parameters {
  readonly #values: URLSearchParams;

  /** @throws ApiError for a parameter that the operation does not know or that is given twice */
  constructor(values: URLSearchParams, known: readonly string[]) {
    for (const name of values.keys()) {
      if (!known.includes(name) && !SYSTEM_PARAMETERS.includes(name)) {
        const message = `Invalid JSON payload received. Unknown name "${name}": Cannot bind query parameter. Field '${name}' could not be found in request message.`;
        throw new ApiError("badRequest", { message, location: name });
      }
      if (values.getAll(name).length > 1) throw invalidParameter(name, `The parameter ${name} is given more than once.`);
    }
    this.#values = values;
  }

  text(name: string): string | undefined {
    return this.#values.get(name) ?? undefined;
  }

  /** @throws ApiError when it is missing */
  required(name: string): string {
    const value = this.text(name);
    if (value === undefined || value === "") throw invalidParameter(name, `Required parameter: ${name}`);
    return value;
  }

  flag(name: string, absent = false): boolean {
    const value = this.text(name);
    if (value === undefined) return absent;
    if (value !== "true" && value !== "false") throw invalidParameter(name, `Invalid boolean value: '${value}'.`);
    return value === "true";
  }

  whole(name: string, { absent, most }: { readonly absent: number; readonly most: number }): number {
    const value = this.text(name);
    if (value === undefined) return absent;
    const number = Number(value);
    if (!Number.isInteger(number) || number < 1 || number > most) {
      throw invalidParameter(name, `Invalid value '${value}'. Values must be within the range: [1, ${most}]`);
    }
    return number;
  }

  choice<Choice extends string>(name: string, choices: readonly Choice[], absent: Choice): Choice {
    const value = this.text(name) ?? absent;
    const found = choices.find((choice) => choice === value);
    if (found === undefined) throw invalidParameter(name, `Invalid string value: '${value}'. Allowed values: [${choices.join(", ")}]`);
    return found;
  }

  /** All of them but the named, in a canonical order: tells whether a page token is used with the request that it came from. */
  fingerprint(...without: readonly string[]): string {
    return JSON.stringify([...this.#values].filter(([name]) => !without.includes(name)).sort());
  }
}

export function invalidParameter(location: string, message = "Invalid Value"): ApiError {
  return new ApiError("invalid", { message, location });
}
