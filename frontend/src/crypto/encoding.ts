/** Strict encodings (docs/protocol.md §1): what two readers must never read differently. */
import { ProtocolError } from "./errors";

export const SUITE = 1;
export const SUITE_BYTE = Uint8Array.of(SUITE);
export const ID_SIZE = 16;
export const KEY_SIZE = 32;
export const HASH_SIZE = 32;
export const SIGNATURE_SIZE = 64;
export const EMPTY = new Uint8Array(0);

export const MESSAGE_BUCKETS = [256, 512, 1024, 2048, 4096, 8192, 16384, 32768] as const;
export const TITLE_BUCKETS = [256, 512, 1024] as const;
export const MAX_BODY = 32_764;

const ENCODER = new TextEncoder();
const BASE64URL = /^[A-Za-z0-9_-]*$/;

/** Write ASCII or other text as UTF-8. */
export function utf8(text: string): Uint8Array {
  return ENCODER.encode(text);
}

/** Join byte strings. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Order byte strings as unsigned numbers, left to right: negative, 0 or positive. Not for secrets. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const shared = Math.min(left.length, right.length);
  for (let at = 0; at < shared; at += 1) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** Say whether two byte strings are the same. Not for secrets: see `same`. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return compareBytes(left, right) === 0;
}

const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Write bytes as lower-case hexadecimal: the keys of our maps, since bytes cannot be keys. */
export function hex(data: Uint8Array): string {
  let text = "";
  for (const byte of data) text += DIGITS[byte] ?? "";
  return text;
}

/** Read hexadecimal; `parse` for anything else. */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) {
    throw new ProtocolError("parse", "not hexadecimal");
  }
  return Uint8Array.from({ length: text.length / 2 }, (_, at) =>
    Number.parseInt(text.slice(2 * at, 2 * at + 2), 16),
  );
}

function unsigned(value: number, size: number): Uint8Array {
  if (!Number.isSafeInteger(value) || value < 0 || value >= 2 ** (8 * size)) {
    throw new RangeError(`${value} does not fit in ${size} bytes`);
  }
  const data = new Uint8Array(size);
  let rest = value;
  for (let at = size - 1; at >= 0; at -= 1) {
    data[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return data;
}

/** Encode 0 ≤ value < 2^8; anything else is a RangeError, never a wrap. */
export function u8(value: number): Uint8Array {
  return unsigned(value, 1);
}

/** Encode 0 ≤ value < 2^32, big-endian; anything else is a RangeError, never a wrap. */
export function u32(value: number): Uint8Array {
  return unsigned(value, 4);
}

/** Encode 0 ≤ value < 2^53 in 8 bytes, big-endian; anything else is a RangeError. */
export function u64(value: number): Uint8Array {
  return unsigned(value, 8);
}

/** Read a fixed-width number whose length the caller has checked; `parse` from 2^53 on. */
export function uint(data: Uint8Array): number {
  const value = data.reduce((sum, byte) => sum * 256 + byte, 0);
  if (value > Number.MAX_SAFE_INTEGER) throw new ProtocolError("parse", "a number beyond 2^53");
  return value;
}

/** Join byte strings so that they come apart in one way only: u32 length ‖ bytes, each. */
export function lp(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((size, part) => size + 4 + part.length, 0));
  const view = new DataView(joined.buffer);
  let at = 0;
  for (const part of parts) {
    view.setUint32(at, part.length);
    joined.set(part, at + 4);
    at += 4 + part.length;
  }
  return joined;
}

/** Take an LP apart; `parse` for a length beyond the end or more than `maximum` fields. */
export function lpSplit(data: Uint8Array, maximum = Infinity): Uint8Array[] {
  const fields: Uint8Array[] = [];
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let at = 0;
  while (at < data.length) {
    const start = at + 4;
    const end = start > data.length ? Infinity : start + view.getUint32(at);
    if (end > data.length) {
      throw new ProtocolError("parse", "a length goes beyond the end");
    }
    fields.push(data.slice(start, end));
    if (fields.length > maximum) throw new ProtocolError("parse", "too many fields");
    at = end;
  }
  return fields;
}

/** The lengths that the fields of an object must have; null is any length. */
export type FieldSizes = readonly (number | null)[];

/** As many byte strings as there are sizes. */
export type Fields<S extends FieldSizes> = { [K in keyof S]: Uint8Array };

/** Take an LP of known field count and lengths apart; else `parse`. */
export function lpFields<const S extends FieldSizes>(data: Uint8Array, sizes: S): Fields<S> {
  const fields = lpSplit(data, sizes.length);
  if (fields.length !== sizes.length) {
    throw new ProtocolError("parse", `${fields.length} fields where ${sizes.length} belong`);
  }
  for (const [at, field] of fields.entries()) {
    const size = sizes[at] ?? null;
    if (size !== null && field.length !== size) {
      throw new ProtocolError("parse", `a field of ${field.length} bytes where ${size} belong`);
    }
  }
  return fields as Fields<S>;
}

/**
 * Read an object that starts with its label and the suite; returns the fields after these two.
 * Refuses another label or shape with `parse` and another suite with `suite`.
 */
export function typedFields<const S extends FieldSizes>(
  data: Uint8Array,
  label: string,
  sizes: S,
): Fields<S> {
  const [type, suite, ...rest] = lpFields(data, [null, 1, ...sizes]);
  if (!equalBytes(type, utf8(label))) {
    throw new ProtocolError("parse", `not a ${label} object`);
  }
  if (!equalBytes(suite, SUITE_BYTE)) throw new ProtocolError("suite", "an unknown suite");
  return rest;
}

/** Refuse a list that is not strictly ascending (so also one with duplicates) with `parse`. */
export function ascending(keys: readonly Uint8Array[]): void {
  for (const [at, key] of keys.entries()) {
    const before = keys[at - 1];
    if (before && compareBytes(before, key) >= 0) {
      throw new ProtocolError("parse", "a list is not strictly ascending");
    }
  }
}

/** Write bytes as base64url without padding. */
export function encodeBase64url(data: Uint8Array): string {
  const binary = Array.from(data, (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Read base64url without padding; `parse` unless encoding again gives the same text. */
export function decodeBase64url(text: string, size?: number): Uint8Array {
  if (!BASE64URL.test(text) || text.length % 4 === 1) {
    throw new ProtocolError("parse", "not base64url");
  }
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const data = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  if (encodeBase64url(data) !== text || (size !== undefined && data.length !== size)) {
    throw new ProtocolError("parse", "not base64url of this length");
  }
  return data;
}

/** Put the length in front and fill with zeros to the smallest bucket; too long is `body`. */
export function pad(content: Uint8Array, buckets: readonly number[]): Uint8Array {
  const bucket = buckets.find((size) => content.length + 4 <= size);
  if (bucket === undefined) throw new ProtocolError("body", "too long for the largest bucket");
  const padded = new Uint8Array(bucket);
  padded.set(lp(content));
  return padded;
}

/** Undo `pad`; `body` for a wrong bucket, a wrong length or any non-zero padding byte. */
export function unpad(padded: Uint8Array, buckets: readonly number[]): Uint8Array {
  if (!buckets.includes(padded.length)) throw new ProtocolError("body", "not a padding bucket");
  const content = padded.slice(4, 4 + uint(padded.subarray(0, 4)));
  if (!equalBytes(pad(content, buckets), padded)) {
    throw new ProtocolError("body", "padding is not canonical");
  }
  return content;
}
