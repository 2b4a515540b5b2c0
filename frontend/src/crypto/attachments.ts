/** What a message says about its files (docs/protocol.md §8.8). */
import { type Body, bytes, count } from "./body";
import { HASH_SIZE, ID_SIZE, KEY_SIZE, encodeBase64url, equalBytes, hex, utf8 } from "./encoding";
import { ProtocolError } from "./errors";
import type { FileSeal } from "./file_seal";
import { type JsonObject, type JsonValue, isJsonObject } from "./strict_json";

const MAX_FILES = 16;
const MAX_NAME = 255;
const CLEAN_LENGTH = 120;
const INLINE = new Set([
  ...["image/png", "image/jpeg", "image/gif", "image/webp"],
  ...["audio/mpeg", "audio/mp4", "audio/ogg", "audio/wav", "audio/webm"],
  ...["video/mp4", "video/webm"],
]);
const MIME = /^[a-z0-9][a-z0-9.+-]{0,62}\/[a-z0-9][a-z0-9.+-]{0,62}$/;
// Control characters, and those that turn a name's direction so that exe.txt reads as txt.exe.
const HIDDEN =
  // eslint-disable-next-line no-control-regex -- control characters are what is removed
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const RESERVED = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/i;

/** One file of a message. */
export interface Attachment {
  readonly id: Uint8Array;
  readonly seal: FileSeal;
  readonly mime: string;
  readonly name: string;
}

/** Say whether a client may draw or play a file of this type; everything else is a download. */
export function isShownInline(mime: string): boolean {
  return INLINE.has(mime);
}

function trimmed(name: string): string {
  return name.replace(/^[ .]+|[ .]+$/g, "");
}

/** Make a file name safe: no folder, no hidden or turned characters, no device name. */
export function cleanName(name: string): string {
  const parts = name.replace(HIDDEN, "").split(/[/\\]/);
  // Characters and not halves of them: a cut must not leave a lone surrogate.
  let base = Array.from(trimmed((parts.at(-1) ?? "").replace(/[<>:"|?*]/g, "_")));
  const dot = base.lastIndexOf(".");
  const ending = base.slice(dot + 1);
  if (dot >= 0 && ending.length < 16) {
    const stem = base.slice(0, dot).slice(0, CLEAN_LENGTH - ending.length - 1);
    base = [...Array.from(stem.join("").replace(/[ .]+$/, "")), ".", ...ending];
  }
  const clean = trimmed(base.slice(0, CLEAN_LENGTH).join(""));
  return (RESERVED.test(clean) ? `_${clean}` : clean) || "file";
}

function members({ id, seal, mime, name }: Attachment): JsonObject {
  const [key, hash] = [encodeBase64url(seal.key), encodeBase64url(seal.hash)];
  return { id: encodeBase64url(id), key, hash, size: seal.size, len: seal.length, mime, name };
}

/** Give the members of a body that carries files; the header lists the same ids. */
export function filesOf(
  attachments: readonly Attachment[],
  { text = "" }: { text?: string } = {},
): JsonObject {
  return { type: "file", files: attachments.map(members), ...(text !== "" && { text }) };
}

/**
 * Read the files of a body of type `file`; `attachments` are the header's ids.
 *
 * Refuses `body` for another shape and `file` when header and body name different files or two
 * files have one key.
 */
export function readFiles(body: Body, attachments: readonly Uint8Array[]): Attachment[] {
  const { files } = body.members;
  if (body.type !== "file" || !Array.isArray(files)) {
    throw new ProtocolError("body", "a body with files");
  }
  if (files.length < 1 || files.length > MAX_FILES) {
    throw new ProtocolError("body", "a body with 1 to 16 files");
  }
  const read = files.map(attachment);
  const isSame =
    read.length === attachments.length &&
    attachments.every((id, at) => equalBytes(id, read[at]?.id ?? new Uint8Array(0)));
  if (!isSame) throw new ProtocolError("file", "other files than the header names");
  if (new Set(read.map(({ seal }) => hex(seal.key))).size !== read.length) {
    throw new ProtocolError("file", "one key for two files");
  }
  return read;
}

function attachment(value: JsonValue): Attachment {
  if (!isJsonObject(value)) throw new ProtocolError("body", "an attachment is an object");
  const { id, key, hash, size, len, mime, name } = value;
  if (typeof mime !== "string" || !MIME.test(mime)) {
    throw new ProtocolError("body", "a type is two lower-case words");
  }
  if (typeof name !== "string" || utf8(name).length > MAX_NAME) {
    throw new ProtocolError("body", "a name has at most 255 bytes");
  }
  const seal = {
    key: bytes(key, KEY_SIZE),
    hash: bytes(hash, HASH_SIZE),
    size: count(size),
    length: count(len),
  };
  return { id: bytes(id, ID_SIZE), seal, mime, name };
}
