/** The `fields` mask: `nextPageToken,files(id,owners/emailAddress)`, `*`. Applied for real, unknown fields refused. */
import { ApiError } from "./errors.ts";
import type { AnswerShape, Shape } from "./shapes.ts";

/** What to keep; `all` keeps everything below. */
type Mask = "all" | Map<string, Mask>;

/** Parses a mask for answers of this shape. @throws ApiError `invalidParameter` */
export function parseFields(text: string | undefined, { shape, defaults }: AnswerShape): (answer: object) => unknown {
  const source = text ?? defaults;
  if (source === null) {
    throw new ApiError("badRequest", { message: "The 'fields' parameter is required for this method.", location: "fields" });
  }
  const mask = new MaskParser(source).parse(shape);
  return (answer) => keep(answer, mask);
}

class MaskParser {
  readonly #tokens: readonly string[];
  #position = 0;

  constructor(text: string) {
    this.#tokens = text.match(/[A-Za-z0-9_]+|[*,/()]|[^\s]/g) ?? [];
  }

  parse(shape: Shape): Mask {
    const mask = this.#list(shape, "");
    if (this.#peek() !== undefined) throw invalidSelection(this.#peek() as string);
    return mask;
  }

  #list(shape: Shape, path: string): Mask {
    const fields = new Map<string, Mask>();
    let all = false;
    do {
      const name = this.#next();
      if (name === "*") all = true;
      else fields.set(name, merged(fields.get(name), this.#below(fieldOf(shape, name, path), `${path}${name}`)));
    } while (this.#take(","));
    return all ? "all" : fields;
  }

  /** What follows a field's name: `/field`, `(fields)` or nothing. */
  #below(shape: Shape, path: string): Mask {
    if (this.#take("/")) {
      const name = this.#next();
      if (name === "*") return "all";
      return new Map([[name, this.#below(fieldOf(shape, name, `${path}/`), `${path}/${name}`)]]);
    }
    if (!this.#take("(")) return "all";
    const mask = this.#list(shape, `${path}/`);
    if (!this.#take(")")) throw invalidSelection(path);
    return mask;
  }

  #peek(): string | undefined {
    return this.#tokens[this.#position];
  }

  #next(): string {
    const token = this.#peek();
    if (token === undefined || !/^([A-Za-z0-9_]+|\*)$/.test(token)) throw invalidSelection(token ?? "");
    this.#position++;
    return token;
  }

  #take(token: string): boolean {
    if (this.#peek() !== token) return false;
    this.#position++;
    return true;
  }
}

function fieldOf(shape: Shape, name: string, path: string): Shape {
  const field = shape === true || !Object.hasOwn(shape, name) ? undefined : shape[name];
  if (field === undefined) throw invalidSelection(`${path}${name}`);
  return field;
}

function merged(one: Mask | undefined, other: Mask): Mask {
  if (one === undefined) return other;
  if (one === "all" || other === "all") return "all";
  const union = new Map(one);
  for (const [name, mask] of other) union.set(name, merged(union.get(name), mask));
  return union;
}

function keep(value: unknown, mask: Mask): unknown {
  if (mask === "all" || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((element) => keep(element, mask));
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, below]) => {
      const inner = mask.get(name);
      return inner === undefined ? [] : [[name, keep(below, inner)]];
    }),
  );
}

function invalidSelection(field: string): ApiError {
  return new ApiError("invalidParameter", { message: `Invalid field selection ${field}`, location: "fields" });
}
