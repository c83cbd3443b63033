/** Reading `EDA_*` variables: each value, secrets above all, may also lie in the file that the variable's `_FILE` twin names. */
import { EdaError } from "../../domain/errors.ts";
import { Secret } from "../../domain/secret.ts";

export type Environment = Readonly<Record<string, string | undefined>>;
export type ReadFile = (path: string) => string;

export interface Variables {
  /** Undefined when it is not set; a variable set to nothing is not set, as compose files leave them. */
  text(name: string): string | undefined;
  secret(name: string): Secret | undefined;
}

/**
 * Both `X` and `X_FILE` set, or a file that cannot be read, is an error when the variable is asked for.
 * @throws EdaError `precondition` `ambiguous-variable`, `secret-file-unreadable`
 */
export function openVariables(env: Environment, readFile: ReadFile): Variables {
  const text = (name: string): string | undefined => {
    const [value, file] = [env[name] || undefined, env[`${name}_FILE`] || undefined];
    if (value !== undefined && file !== undefined) {
      throw new EdaError("precondition", "ambiguous-variable", `Both ${name} and ${name}_FILE are set.`, { todo: "Set one of them." });
    }
    return file === undefined ? value : contentOf(`${name}_FILE`, file, readFile);
  };
  return {
    text,
    secret(name) {
      const value = text(name);
      return value === undefined ? undefined : new Secret(value);
    },
  };
}

/** Editors and `echo` end a file with a line break that is no part of the secret. */
function contentOf(variable: string, file: string, readFile: ReadFile): string | undefined {
  let content: string;
  try {
    content = readFile(file);
  } catch (error) {
    throw new EdaError("precondition", "secret-file-unreadable", `The file that ${variable} names cannot be read: ${file}`, {
      todo: "Correct the path, or let the user that runs eda read the file.",
      cause: error,
    });
  }
  return content.replace(/\r?\n$/u, "") || undefined;
}
