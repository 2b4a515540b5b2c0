/** The own room: what an account keeps for all of its devices (docs/protocol.md §8.9). */
import { type Body, bytes } from "./body";
import {
  ID_SIZE,
  KEY_SIZE,
  SUITE_BYTE,
  compareBytes,
  concat,
  encodeBase64url,
  equalBytes,
  hex,
  lp,
  lpSplit,
  utf8,
} from "./encoding";
import type { RoomView } from "./epoch";
import { ProtocolError } from "./errors";
import { type Random, h, systemRandom } from "./primitives";
import { KIND_GROUP, type Origin, groupOrigin, parseOrigin } from "./roster";
import type { AccountIdentity } from "./safety";
import type { JsonObject } from "./strict_json";

export const NOTE_TYPE = "own";
const MAX_DEVICE_NAME = 128;
const SALT = 16;
// eslint-disable-next-line no-control-regex -- control characters are what is refused
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

function markOf({ user, amkPub }: AccountIdentity, salt: Uint8Array): Uint8Array {
  return h("own-room", lp(SUITE_BYTE, user, amkPub, salt)).slice(0, SALT);
}

/** Make the genesis of an own room: a group's, whose nonce names it as one. */
export function ownOrigin(
  keys: AccountIdentity & { device: Uint8Array },
  random: Random = systemRandom,
): Origin {
  const salt = random(SALT);
  return groupOrigin(keys, () => concat(salt, markOf(keys, salt)));
}

/**
 * Say whether an origin is an own room's of this account; `parse` or `suite` if it is none. Who
 * may begin it is for the chain to say: its first commit is by the device it names (§7.3).
 */
export function isOwnOrigin(data: Uint8Array, account: AccountIdentity): boolean {
  const { kind, accounts } = parseOrigin(data);
  const [creator] = accounts;
  if (kind !== KIND_GROUP || !creator || !isSameAccount(creator, account)) return false;
  const nonce = lpSplit(data).at(-1) ?? new Uint8Array(0);
  return equalBytes(nonce.slice(SALT), markOf(account, nonce.slice(0, SALT)));
}

function isSameAccount(one: AccountIdentity, other: AccountIdentity): boolean {
  return equalBytes(one.user, other.user) && equalBytes(one.amkPub, other.amkPub);
}

/** Say whether a verified room is an own room of this account, with nobody else in it. */
export function isOwnRoom({ origin, roster }: RoomView, account: AccountIdentity): boolean {
  const [row] = roster;
  const isAlone = roster.length === 1 && row !== undefined && isSameAccount(row, account);
  return isAlone && isOwnOrigin(origin, account);
}

/** Whether the account key of somebody was compared and found the same. */
export interface VerifiedMark {
  readonly about: "verified";
  readonly user: Uint8Array;
  readonly account: Uint8Array;
  readonly isSet: boolean;
}

/** What the owner calls a device; an empty string takes the name away. */
export interface DeviceName {
  readonly about: "device";
  readonly device: Uint8Array;
  readonly name: string;
}

export type Note = VerifiedMark | DeviceName;

/** Name what a later note takes the place of. */
export function slotOf(note: Note): string {
  return `${note.about}/${hex(note.about === "verified" ? note.user : note.device)}`;
}

/** Write a note as a body carries it. */
export function noteMembers(note: Note): JsonObject {
  const { about } = note;
  if (about === "device") {
    return { type: NOTE_TYPE, about, device: encodeBase64url(note.device), name: note.name };
  }
  const [user, account] = [encodeBase64url(note.user), encodeBase64url(note.account)];
  return { type: NOTE_TYPE, about, user, account, set: note.isSet };
}

/**
 * Read what a body of the own room notes; null for another type, or about something newer.
 * `author` and `own` are accounts. Refuses `reference` for a note by another account and `body`
 * for a malformed one: both are ignored and counted, never an error of the message.
 */
export function readNote(body: Body, { author, own }: { author: Uint8Array; own: Uint8Array }): Note | null {
  if (body.type !== NOTE_TYPE) return null;
  if (!equalBytes(author, own)) {
    throw new ProtocolError("reference", "everybody notes in their own room");
  }
  const { about } = body.members;
  if (about === "verified") return verifiedMark(body.members);
  if (about === "device") return deviceName(body.members);
  if (typeof about !== "string") throw new ProtocolError("body", "a note says what it is about");
  return null;
}

function verifiedMark({ user: whom, account: key, set: isSet }: JsonObject): VerifiedMark {
  const [user, account] = [bytes(whom, ID_SIZE), bytes(key, KEY_SIZE)];
  if (typeof isSet !== "boolean") throw new ProtocolError("body", "a mark is set or cleared");
  return { about: "verified", user, account, isSet };
}

function deviceName({ device: which, name }: JsonObject): DeviceName {
  const device = bytes(which, ID_SIZE);
  if (typeof name !== "string" || !isDeviceName(name)) {
    throw new ProtocolError("body", "a device's name is one short line");
  }
  return { about: "device", device, name };
}

/** Say whether a device may be called this: one line of at most 128 bytes. */
export function isDeviceName(name: string): boolean {
  return utf8(name).length <= MAX_DEVICE_NAME && !CONTROL.test(name);
}

/** Where a note stands: an own room and its number in that room's log. */
export interface NotePlace {
  readonly room: Uint8Array;
  readonly seq: number;
}

/**
 * Say whether what stands at `one` counts before what stands at `other`. The room with the lowest
 * id counts before all others, whenever they were written in.
 */
export function outranks(one: NotePlace, other: NotePlace): boolean {
  const rooms = compareBytes(one.room, other.room);
  return rooms === 0 ? one.seq > other.seq : rooms < 0;
}

/** A note with its place. */
export interface KeptNote {
  readonly note: Note;
  readonly place: NotePlace;
}

/**
 * Give what is kept after a note; the order in which notes arrive makes no difference. `rooms` are
 * the own rooms there are, hexadecimal. A note of one that is gone counts after all others.
 */
export function keepNote(
  kept: ReadonlyMap<string, KeptNote>,
  { note, place }: KeptNote,
  rooms: ReadonlySet<string>,
): ReadonlyMap<string, KeptNote> {
  const slot = slotOf(note);
  const known = kept.get(slot);
  const isHeld = known !== undefined && rooms.has(hex(known.place.room));
  if (isHeld && !outranks(place, known.place)) return kept;
  return new Map(kept).set(slot, { note, place });
}
