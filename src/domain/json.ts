import { hash } from "node:crypto";
import canonicalize from "canonicalize";

/** What a JSON document can hold. `undefined` members are dropped by serialisation and so are allowed. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };
export type JsonObject = { readonly [key: string]: Json | undefined };

/** RFC 8785 (JSON Canonicalization Scheme): the same value always gives the same text, so it can be hashed. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("value has no JSON representation");
  return text;
}

/** The RFC 8785 form of an array without its brackets, item by item. */
export function* canonicalItems(items: readonly unknown[]): Generator<string> {
  for (const [index, item] of items.entries()) yield index === 0 ? canonicalJson(item) : `,${canonicalJson(item)}`;
}

/** Lower-case hexadecimal SHA-256 of a text (UTF-8) or bytes. */
export function sha256Hex(data: string | Uint8Array): string {
  return hash("sha256", data);
}

/** SHA-256 of the RFC 8785 form of a value. */
export function hashJson(value: unknown): string {
  return sha256Hex(canonicalJson(value));
}
