/** What is inside a message: the strict JSON body (docs/protocol.md §8.3). */
import { HASH_SIZE, ID_SIZE, MAX_BODY, decodeBase64url, encodeBase64url, utf8 } from "./encoding";
import { ProtocolError, refusedAs } from "./errors";
import type { Counter } from "./log_hash";
import { type JsonObject, type JsonValue, dumpJson, isJsonObject, parseJson } from "./strict_json";

export const MAX_VOID = 256;
const MAX_EMOJI = 64;
const ATTACHED_LATER = new Set(["seen", "void", "kt"]);

/** The writer's rolling log hash at a number. */
export interface SeenLog {
  readonly seq: number;
  readonly log: Uint8Array;
}

/** A message by its writer's device, its id and the commitment of one of its versions. */
export interface Reference {
  readonly device: Uint8Array;
  readonly msgId: Uint8Array;
  readonly c: Uint8Array;
}

/** The newest head of the key log that a writer has verified; `log` counts the server's logs. */
export interface KeyLogClaim {
  readonly size: number;
  readonly root: Uint8Array;
  readonly log: number;
}

/** A message body that has been read; `members` holds all of it, unknown members too. */
export interface Body {
  readonly data: Uint8Array;
  readonly type: string;
  readonly text: string | null;
  readonly seen: SeenLog | null;
  readonly void: readonly Counter[];
  readonly kt: KeyLogClaim | null;
  readonly reply: Reference | null;
  readonly target: Reference | null;
  readonly members: JsonObject;
}

function refuse(why: string): never {
  throw new ProtocolError("body", why);
}

/** Read a member that is a whole number from 0; else `body`. */
export function count(value: JsonValue | undefined): number {
  return typeof value === "number" && value >= 0 ? value : refuse("a count is a number from 0");
}

/** Read a member that holds this many bytes; else `body`. */
export function bytes(value: JsonValue | undefined, size: number): Uint8Array {
  if (typeof value !== "string") return refuse("bytes are base64url");
  return refusedAs("body", () => decodeBase64url(value, size));
}

function object(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : refuse("an object belongs here");
}

function seenLog(value: JsonValue): SeenLog {
  const { seq, log } = object(value);
  return { seq: count(seq), log: bytes(log, HASH_SIZE) };
}

function keyLogClaim(value: JsonValue): KeyLogClaim {
  const { size, root, log = 1 } = object(value);
  if (count(log) === 0) refuse("logs are counted from 1");
  return { size: count(size), root: bytes(root, HASH_SIZE), log: count(log) };
}

function claimMember({ size, root, log }: KeyLogClaim): JsonObject {
  return { size, root: encodeBase64url(root), ...(log > 1 && { log }) };
}

function reference(value: JsonValue | undefined): Reference {
  const { device, id, c } = object(value);
  return { device: bytes(device, ID_SIZE), msgId: bytes(id, ID_SIZE), c: bytes(c, HASH_SIZE) };
}

function checkEdit({ rev, text }: JsonObject): void {
  if (count(rev) === 0) refuse("an edit has a revision from 1 on");
  if (typeof text !== "string") refuse("an edit has a text");
}

function checkReaction({ emoji, set }: JsonObject): void {
  const size = typeof emoji === "string" ? utf8(emoji).length : 0;
  if (size < 1 || size > MAX_EMOJI) refuse("a reaction is a short string");
  if (typeof set !== "boolean") refuse("a reaction is set or cleared");
}

function nothingMore(): void {
  // The target says it all.
}

const ACTS = new Map<string, (members: JsonObject) => void>([
  ["edit", checkEdit],
  ["delete", nothingMore],
  ["hide", nothingMore],
  ["reaction", checkReaction],
]);

function targetOf(type: string, members: JsonObject): Reference | null {
  const check = ACTS.get(type);
  if (!check) return null;
  const { target } = members;
  const named = reference(target);
  check(members);
  return named;
}

function voids(value: JsonValue): Counter[] {
  if (!Array.isArray(value) || value.length > MAX_VOID) {
    return refuse("void is a list of at most 256 pairs");
  }
  return value.map((pair): Counter => {
    if (!Array.isArray(pair) || pair.length !== 2) return refuse("a void counter is [epoch, n]");
    return [count(pair[0]), count(pair[1])];
  });
}

/** Read a body of at most 32,764 bytes; `body` for anything outside the profile. */
export function parseBody(data: Uint8Array): Body {
  if (data.length > MAX_BODY) refuse("a body is at most 32,764 bytes");
  const members = object(parseJson(data));
  const { type, text = null, seen, void: unused, kt, reply } = members;
  if (typeof type !== "string") return refuse("a body has a type");
  if (text !== null && typeof text !== "string") return refuse("text is a string");
  if (type === "text" && text === null) refuse("a text has a text");
  return {
    data,
    type,
    text,
    seen: seen === undefined ? null : seenLog(seen),
    void: unused === undefined ? [] : voids(unused),
    kt: kt === undefined ? null : keyLogClaim(kt),
    reply: reply === undefined ? null : reference(reply),
    target: targetOf(type, members),
    members,
  };
}

/** Say a value in one way: lists of pairs, since objects put names that look like numbers first. */
function ordered(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return ["array", ...value.map(ordered)];
  if (!isJsonObject(value)) return value;
  const names = Object.keys(value).sort();
  return ["object", ...names.map((name): JsonValue => [name, ordered(value[name] ?? null)])];
}

/** What two copies of one message must share: all but `seen`, `void` and `kt`. */
export function bodyContent(body: Body): string {
  const kept = Object.entries(body.members).filter(([name]) => !ATTACHED_LATER.has(name));
  const names = kept.map(([name]) => name).sort();
  return JSON.stringify(names.map((name) => [name, ordered(body.members[name] ?? null)]));
}

/** Write a reference as it stands in a body. */
export function referenceMembers({ device, msgId, c }: Reference): JsonObject {
  const [named, id] = [encodeBase64url(device), encodeBase64url(msgId)];
  return { device: named, id, c: encodeBase64url(c) };
}

/** What a device attaches to whatever it writes: its log hash, the counters it lost, its key-log head. */
export interface Attached {
  readonly seen?: SeenLog | null;
  readonly void?: readonly Counter[];
  readonly kt?: KeyLogClaim | null;
}

/** Write the body of a text message. */
export function textBody(
  text: string,
  { reply = null, ...attached }: Attached & { reply?: Reference | null } = {},
): Uint8Array {
  const replying = reply && { reply: referenceMembers(reply) };
  return writeBody({ type: "text", text, ...replying }, attached);
}

/** Write a body of any type; `body` when it is malformed. */
export function writeBody(
  members: Readonly<Record<string, JsonValue>>,
  { seen = null, void: unused = [], kt = null }: Attached = {},
): Uint8Array {
  const data = dumpJson({
    ...members,
    ...(seen && { seen: { seq: seen.seq, log: encodeBase64url(seen.log) } }),
    ...(unused.length > 0 && { void: unused }),
    ...(kt && { kt: claimMember(kt) }),
  });
  parseBody(data);
  return data;
}
