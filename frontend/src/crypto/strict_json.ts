/**
 * The JSON profile of bodies and titles (docs/protocol.md §1.2).
 *
 * `JSON.parse` takes the last of two equal names and every number; a text that two readers
 * understand differently is a text that a moderator may not see. Hence this reader.
 */
import { utf8 } from "./encoding";
import { ProtocolError } from "./errors";

/** What the profile can say; objects have no prototype. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;

/** A JSON object: names and values. */
export interface JsonObject {
  [name: string]: JsonValue;
}

/** Say whether a value is an object. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export const MAX_JSON_DEPTH = 6;

const WHITE_SPACE = /[ \t\n\r]*/y;
const INTEGER = /-?(?:0|[1-9][0-9]*)(?![0-9.eE])/y;
// eslint-disable-next-line no-control-regex -- the profile forbids raw control characters
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function refuse(why: string): never {
  throw new ProtocolError("body", why);
}

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  document(): JsonValue {
    this.match(WHITE_SPACE);
    const value = this.value(1);
    this.match(WHITE_SPACE);
    if (this.at !== this.text.length) refuse("something after the end");
    return value;
  }

  private match(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (!found) return null;
    this.at += found[0].length;
    return found[0];
  }

  private take(token: string): boolean {
    if (!this.text.startsWith(token, this.at)) return false;
    this.at += token.length;
    return true;
  }

  private value(depth: number): JsonValue {
    if (this.take("{")) return this.object(depth);
    if (this.take("[")) return this.array(depth);
    if (this.take("true")) return true;
    if (this.take("false")) return false;
    if (this.take("null")) return null;
    return this.text[this.at] === '"' ? this.string() : this.integer();
  }

  private integer(): number {
    const text = this.match(INTEGER) ?? refuse("not an integer");
    const value = Number(text);
    if (text === "-0" || !Number.isSafeInteger(value)) refuse("an integer is out of range");
    return value;
  }

  private string(): string {
    const token = this.match(STRING) ?? refuse("not a string");
    const value = JSON.parse(token) as string;
    if (!value.isWellFormed()) refuse("a lone surrogate");
    return value;
  }

  private object(depth: number): JsonObject {
    if (depth > MAX_JSON_DEPTH) refuse("nested too deeply");
    const members = Object.create(null) as JsonObject;
    this.list("}", () => {
      const name = this.string();
      if (name in members) refuse("a name appears twice");
      this.match(WHITE_SPACE);
      if (!this.take(":")) refuse("a name without a value");
      this.match(WHITE_SPACE);
      members[name] = this.value(depth + 1);
    });
    return members;
  }

  private array(depth: number): JsonValue[] {
    if (depth > MAX_JSON_DEPTH) refuse("nested too deeply");
    const items: JsonValue[] = [];
    this.list("]", () => items.push(this.value(depth + 1)));
    return items;
  }

  private list(end: string, item: () => void): void {
    this.match(WHITE_SPACE);
    if (this.take(end)) return;
    do {
      this.match(WHITE_SPACE);
      item();
      this.match(WHITE_SPACE);
    } while (this.take(","));
    if (!this.take(end)) refuse("a list that does not end");
  }
}

/** Read JSON under the strict profile of docs/protocol.md §1.2; everything else is `body`. */
export function parseJson(data: Uint8Array): JsonValue {
  let text: string;
  try {
    text = DECODER.decode(data);
  } catch {
    return refuse("not UTF-8");
  }
  return new Reader(text).document();
}

/** Write JSON that `parseJson` accepts; `body` when the value is outside the profile. */
export function dumpJson(value: unknown): Uint8Array {
  const text = JSON.stringify(value) as string | undefined;
  const encoded = utf8(text ?? "");
  parseJson(encoded);
  return encoded;
}
