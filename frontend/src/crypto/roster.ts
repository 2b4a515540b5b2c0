/** Who is in a room: where it came from and its roster (docs/protocol.md §6.1–6.2). */
import {
  HASH_SIZE,
  ID_SIZE,
  KEY_SIZE,
  SUITE_BYTE,
  ascending,
  compareBytes,
  equalBytes,
  lp,
  lpFields,
  lpSplit,
  typedFields,
  u64,
  u8,
  uint,
  utf8,
} from "./encoding";
import { ProtocolError } from "./errors";
import { type Random, h, systemRandom } from "./primitives";
import type { AccountIdentity } from "./safety";

export const KIND_GROUP = 1;
export const KIND_DIRECT = 2;
export const ROLE_MEMBER = 1;
export const ROLE_ADMIN = 2;
export const MAX_MEMBERS = 1000;

/** One account's row of a roster. */
export interface Member {
  readonly user: Uint8Array;
  readonly amkPub: Uint8Array;
  readonly role: number;
  readonly listVersion: number;
  readonly listHash: Uint8Array;
  readonly joinedEpoch: number;
}

/** The rows of a room, ascending by user. */
export type Roster = readonly Member[];

/** Every commit hashes a whole roster, of which it changes a row or none. */
const ENCODED = new WeakMap<Member, Uint8Array>();

/** Write `member` of docs/protocol.md §6.2. */
export function encodeMember(member: Member): Uint8Array {
  const encoded = ENCODED.get(member) ?? encodeAnew(member);
  ENCODED.set(member, encoded);
  return encoded;
}

function encodeAnew(member: Member): Uint8Array {
  return lp(
    member.user,
    member.amkPub,
    u8(member.role),
    u64(member.listVersion),
    member.listHash,
    u64(member.joinedEpoch),
  );
}

/** Read a row; `parse` for another shape or role. */
export function parseMember(data: Uint8Array): Member {
  const sizes = [ID_SIZE, KEY_SIZE, 1, 8, HASH_SIZE, 8] as const;
  const [user, amkPub, role, listVersion, listHash, joinedEpoch] = lpFields(data, sizes);
  if (uint(role) !== ROLE_MEMBER && uint(role) !== ROLE_ADMIN) {
    throw new ProtocolError("parse", "an unknown role");
  }
  return {
    user,
    amkPub,
    role: uint(role),
    listVersion: uint(listVersion),
    listHash,
    joinedEpoch: uint(joinedEpoch),
  };
}

/** Write a roster; its hash is H("roster", …). */
export function encodeRoster(roster: Roster): Uint8Array {
  return lp(...roster.map(encodeMember));
}

/** Read a roster: 1 to 1000 rows, ascending by user; else `parse`. */
export function parseRoster(data: Uint8Array): Roster {
  const roster = lpSplit(data, MAX_MEMBERS).map(parseMember);
  ascending(roster.map((member) => member.user));
  if (roster.length === 0) throw new ProtocolError("parse", "a roster without members");
  return roster;
}

/** Hash a roster. */
export function rosterHash(roster: Roster): Uint8Array {
  return h("roster", encodeRoster(roster));
}

/** Give the row of an account, or null. */
export function findMember(roster: Roster, user: Uint8Array): Member | null {
  return roster.find((member) => equalBytes(member.user, user)) ?? null;
}

/** Say whether somebody in the room is admin. */
export function hasAdmin(roster: Roster): boolean {
  return roster.some((member) => member.role === ROLE_ADMIN);
}

/** How a room began: a group's genesis or the two accounts of a direct room. */
export interface Origin {
  readonly data: Uint8Array;
  readonly kind: number;
  readonly accounts: readonly AccountIdentity[];
  readonly creatorDevice: Uint8Array | null;
}

/** The room id, 16 bytes, which follows from the origin. */
export function roomOf(origin: Origin): Uint8Array {
  return h("room-id", origin.data).slice(0, ID_SIZE);
}

/** What the first commit names as its predecessor. */
export function originHead(origin: Origin): Uint8Array {
  return h("origin", origin.data);
}

/** Make the genesis of a new group. */
export function groupOrigin(
  { user, amkPub, device }: AccountIdentity & { device: Uint8Array },
  random: Random = systemRandom,
): Origin {
  const kind = u8(KIND_GROUP);
  return parseOrigin(lp(utf8("genesis"), SUITE_BYTE, kind, user, amkPub, device, random(32)));
}

/** Make the origin of the one direct room of two accounts. */
export function directOrigin(one: AccountIdentity, other: AccountIdentity): Origin {
  const pairs = [one, other]
    .sort((left, right) => compareBytes(left.user, right.user))
    .map(({ user, amkPub }) => lp(user, amkPub));
  return parseOrigin(lp(utf8("direct"), SUITE_BYTE, ...pairs));
}

/** Read a genesis or direct origin; `parse` or `suite` for anything else. */
export function parseOrigin(data: Uint8Array): Origin {
  const [label] = lpSplit(data);
  return label && equalBytes(label, utf8("direct")) ? parseDirect(data) : parseGenesis(data);
}

function parseDirect(data: Uint8Array): Origin {
  const accounts = typedFields(data, "direct", [null, null]).map((pair) => {
    const [user, amkPub] = lpFields(pair, [ID_SIZE, KEY_SIZE]);
    return { user, amkPub };
  });
  ascending(accounts.map(({ user }) => user));
  return { data, kind: KIND_DIRECT, accounts, creatorDevice: null };
}

function parseGenesis(data: Uint8Array): Origin {
  const sizes = [1, ID_SIZE, KEY_SIZE, ID_SIZE, 32] as const;
  const [kind, user, amkPub, creatorDevice] = typedFields(data, "genesis", sizes);
  if (uint(kind) !== KIND_GROUP) throw new ProtocolError("parse", "a genesis of another kind");
  return { data, kind: KIND_GROUP, accounts: [{ user, amkPub }], creatorDevice };
}
