/** A text that must not be shown. It prints, serialises and inspects as a placeholder, wherever it ends up by mistake. */
import { inspect } from "node:util";

const PLACEHOLDER = "[secret]";

export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself: for the library that needs it, and nothing else. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return PLACEHOLDER;
  }

  toJSON(): string {
    return PLACEHOLDER;
  }

  [inspect.custom](): string {
    return PLACEHOLDER;
  }
}
