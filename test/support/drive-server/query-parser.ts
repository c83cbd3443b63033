/**
 * The `q` parameter of `files.list`: a small recursive-descent parser of
 * https://developers.google.com/workspace/drive/api/guides/ref-search-terms.
 * Precedence, strongest first: not, and, or.
 */
import { invalidParameter } from "./parameters.ts";

export type Comparison = "=" | "!=" | "<" | "<=" | ">" | ">=" | "contains";

export type Query =
  | { readonly kind: "and" | "or"; readonly left: Query; readonly right: Query }
  | { readonly kind: "not"; readonly query: Query }
  | { readonly kind: "in"; readonly value: string; readonly collection: Collection }
  | { readonly kind: "text"; readonly field: TextField; readonly comparison: Comparison; readonly value: string }
  | { readonly kind: "time"; readonly field: TimeField; readonly comparison: Comparison; readonly value: number }
  | { readonly kind: "flag"; readonly field: FlagField; readonly equal: boolean }
  | { readonly kind: "has"; readonly field: MapField; readonly key: string; readonly value: string };

type Collection = "parents" | "owners" | "writers" | "readers";
type TextField = "name" | "mimeType" | "shortcutDetails.targetId";
type TimeField = "modifiedTime" | "createdTime";
type FlagField = "trashed" | "sharedWithMe";
type MapField = "properties" | "appProperties";

const COMPARISONS: Readonly<Record<string, readonly Comparison[]>> = {
  name: ["contains", "=", "!="],
  mimeType: ["contains", "=", "!="],
  "shortcutDetails.targetId": ["=", "!="],
  modifiedTime: ["<=", "<", "=", "!=", ">", ">="],
  createdTime: ["<=", "<", "=", "!=", ">", ">="],
  trashed: ["=", "!="],
  sharedWithMe: ["=", "!="],
};

interface Token {
  readonly kind: "word" | "string" | "symbol";
  readonly text: string;
}

/** @throws ApiError `invalid` at `q`, for what Drive refuses and for terms that the fake does not know */
export function parseQuery(text: string): Query {
  return new QueryParser(tokens(text)).parse();
}

function tokens(text: string): Token[] {
  const found: Token[] = [];
  const pattern = /\s+|'((?:[^'\\]|\\.)*)'|([A-Za-z][A-Za-z.]*)|(<=|>=|!=|[=<>(){}])/sy;
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (match === null) throw invalidQuery();
    const [, string, word, symbol] = match;
    if (string !== undefined) found.push({ kind: "string", text: unescaped(string) });
    else if (word !== undefined) found.push({ kind: "word", text: word });
    else if (symbol !== undefined) found.push({ kind: "symbol", text: symbol });
  }
  return found;
}

/** Drive knows `\'` and `\\` and no other escape. */
function unescaped(string: string): string {
  return string.replace(/\\(.)/gs, (_, character: string) => {
    if (character !== "'" && character !== "\\") throw invalidQuery();
    return character;
  });
}

class QueryParser {
  readonly #tokens: readonly Token[];
  #position = 0;

  constructor(list: readonly Token[]) {
    this.#tokens = list;
  }

  parse(): Query {
    const query = this.#or();
    if (this.#position < this.#tokens.length) throw invalidQuery();
    return query;
  }

  #or(): Query {
    let left = this.#and();
    while (this.#take("word", "or")) left = { kind: "or", left, right: this.#and() };
    return left;
  }

  #and(): Query {
    let left = this.#not();
    while (this.#take("word", "and")) left = { kind: "and", left, right: this.#not() };
    return left;
  }

  #not(): Query {
    if (this.#take("word", "not")) return { kind: "not", query: this.#not() };
    if (!this.#take("symbol", "(")) return this.#term();
    const query = this.#or();
    this.#expect("symbol", ")");
    return query;
  }

  #term(): Query {
    const { kind, text } = this.#next();
    if (kind === "string") return this.#membership(text);
    if (kind !== "word") throw invalidQuery();
    if (text === "properties" || text === "appProperties") return this.#has(text);
    const comparison = this.#next().text as Comparison;
    if (!COMPARISONS[text]?.includes(comparison)) throw invalidQuery();
    return this.#compared(text, comparison);
  }

  #membership(value: string): Query {
    this.#expect("word", "in");
    const collection = this.#expect("word");
    if (collection !== "parents" && collection !== "owners" && collection !== "writers" && collection !== "readers") throw invalidQuery();
    return { kind: "in", value, collection };
  }

  #compared(field: string, comparison: Comparison): Query {
    switch (field) {
      case "trashed":
      case "sharedWithMe": {
        const value = this.#expect("word");
        if (value !== "true" && value !== "false") throw invalidQuery();
        return { kind: "flag", field, equal: (value === "true") === (comparison === "=") };
      }
      case "modifiedTime":
      case "createdTime":
        return { kind: "time", field, comparison, value: instant(this.#expect("string")) };
      default:
        return { kind: "text", field: field as TextField, comparison, value: this.#expect("string") };
    }
  }

  #has(field: MapField): Query {
    this.#expect("word", "has");
    this.#expect("symbol", "{");
    this.#expect("word", "key");
    this.#expect("symbol", "=");
    const key = this.#expect("string");
    this.#expect("word", "and");
    this.#expect("word", "value");
    this.#expect("symbol", "=");
    const value = this.#expect("string");
    this.#expect("symbol", "}");
    return { kind: "has", field, key, value };
  }

  #next(): Token {
    const token = this.#tokens[this.#position++];
    if (token === undefined) throw invalidQuery();
    return token;
  }

  #take(kind: Token["kind"], text: string): boolean {
    const token = this.#tokens[this.#position];
    if (token?.kind !== kind || token.text !== text) return false;
    this.#position++;
    return true;
  }

  #expect(kind: Token["kind"], text?: string): string {
    const token = this.#next();
    if (token.kind !== kind || (text !== undefined && token.text !== text)) throw invalidQuery();
    return token.text;
  }
}

/** RFC 3339; without a zone it is UTC. */
function instant(text: string): number {
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?)?$/.test(text)) throw invalidQuery();
  const milliseconds = Date.parse(/Z|[+-]\d\d:\d\d$/.test(text) || !text.includes("T") ? text : `${text}Z`);
  if (Number.isNaN(milliseconds)) throw invalidQuery();
  return milliseconds;
}

const invalidQuery = () => invalidParameter("q");
