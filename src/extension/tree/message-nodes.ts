/** Rows that are not data: what went wrong, what is missing, how to see more. */
import * as l10n from "@vscode/l10n";
import type { EdaError } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";
import type { CommandId } from "../contributions.ts";
import { errorText } from "../text/runs.ts";
import type { Row, TreeNode } from "./node.ts";

/** A line to read, perhaps with a command to click. */
export class MessageNode implements TreeNode {
  readonly id: string;
  readonly expansion = "none";
  readonly #row: Row;

  constructor(id: string, row: Row) {
    this.id = id;
    this.#row = row;
  }

  row(): Row {
    return this.#row;
  }
}

export function emptyNode(id: string, label: string, command?: { readonly id: CommandId; readonly title: string }): MessageNode {
  return new MessageNode(id, { label, icon: { id: "info" }, context: "empty", ...(command === undefined ? {} : { command }) });
}

/** A failure in the place of what could not be loaded. A click tries again. */
export class ErrorNode implements TreeNode {
  readonly id: string;
  readonly expansion = "none";
  readonly error: EdaError;
  readonly retry: () => void;

  constructor(id: string, error: EdaError, retry: () => void) {
    this.id = id;
    this.error = error;
    this.retry = retry;
  }

  row(): Row {
    const text = errorText(this.error.toDocument());
    return {
      label: printable(this.error.message),
      ...(this.error.todo === undefined ? {} : { description: printable(this.error.todo) }),
      tooltip: `${text}\n\n${l10n.t("Click to try again.")}`,
      icon: { id: "error", color: "list.errorForeground" },
      context: "error",
      spoken: l10n.t("Error: {0}", text),
      command: { id: "eda.retry", title: l10n.t("Try again") },
    };
  }
}

/** The last row of a list that goes on. */
export class MoreNode implements TreeNode {
  readonly id: string;
  readonly expansion = "none";
  readonly load: () => Promise<void>;

  constructor(id: string, load: () => Promise<void>) {
    this.id = id;
    this.load = load;
  }

  row(): Row {
    return {
      label: l10n.t("Load more…"),
      icon: { id: "ellipsis" },
      context: "more",
      command: { id: "eda.loadMore", title: l10n.t("Load more…") },
    };
  }
}
