/** Mistakes on the command line, as errors that say what to type instead. */
import type { Command, CommanderError } from "commander";
import { EdaError } from "../domain/errors.ts";
import { unknownName } from "./suggest.ts";

/** Exits of the parser that are no mistake: help or the version was asked for. */
const ASKED_FOR = new Set(["commander.helpDisplayed", "commander.version"]);

/** Undefined when help or the version was asked for, and has been printed. @param command the one that was being parsed */
export function usageError(error: CommanderError, command: Command): EdaError | undefined {
  if (ASKED_FOR.has(error.code) || (error.code === "commander.help" && error.exitCode === 0)) return undefined;
  const name = pathOf(command);
  if (error.code === "commander.help") {
    return new EdaError("usage", "missing-command", `Say what to do: ${name} <command>`, {
      todo: `See the list above, or: ${name} --help`,
    });
  }
  // A group that can also be called by itself takes no arguments: what was typed was meant as a subcommand.
  const [typed] = command.args;
  if (error.code === "commander.excessArguments" && command.commands.length > 0 && typed !== undefined) {
    return unknownName(
      "command",
      typed,
      command.commands.map((each) => each.name()),
    );
  }
  const [message = "", suggestion] = error.message.replace(/^error: /u, "").split("\n");
  const hint = /^\((Did you mean .*\?)\)$/u.exec(suggestion ?? "")?.[1];
  return new EdaError("usage", kebab(error.code), message, { todo: `${hint === undefined ? "" : `${hint} `}See: ${name} --help` });
}

/** `eda runs show`, from the innermost command outwards. */
function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/** `commander.unknownOption` → `unknown-option`. */
function kebab(code: string): string {
  return code.replace(/^commander\./u, "").replace(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`);
}
