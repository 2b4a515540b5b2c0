/** A commit as bytes: core, state, prekey list, wraps (docs/protocol.md §6.4, §7, §7.1). */
import {
  HASH_SIZE,
  ID_SIZE,
  KEY_SIZE,
  SUITE_BYTE,
  TITLE_BUCKETS,
  ascending,
  compareBytes,
  concat,
  equalBytes,
  hex,
  lp,
  lpFields,
  lpSplit,
  pad,
  typedFields,
  u32,
  u64,
  u8,
  uint,
  unpad,
  utf8,
} from "./encoding";
import { ProtocolError } from "./errors";
import { TAG_SIZE, ZERO_NONCE, aeadOpen, aeadSeal, h, kdf } from "./primitives";
import { KIND_DIRECT, KIND_GROUP } from "./roster";
import { dumpJson, isJsonObject, parseJson } from "./strict_json";
import { CIPHERTEXT_SIZE, type Encapsulated } from "./xwing";

export const HISTORY_OFF = 0;
export const HISTORY_FROM_JOIN = 1;
export const ADD_BY_ADMINS = 0;
export const ADD_BY_MEMBERS = 1;
export const WRAP_SIZE = CIPHERTEXT_SIZE + KEY_SIZE + TAG_SIZE;
export const NO_PREKEY = new Uint8Array(HASH_SIZE);

/** A commit as it travels: byte strings, and the wraps by hexadecimal device (perhaps only ours). */
export interface Commit {
  readonly core: Uint8Array;
  readonly tag: Uint8Array;
  readonly sig: Uint8Array;
  readonly ops: Uint8Array;
  readonly state: Uint8Array;
  readonly prekeys: Uint8Array;
  readonly wraps: ReadonlyMap<string, Uint8Array>;
}

/** What wraps and the tag are bound to. */
export function coreHash(commit: Pick<Commit, "core">): Uint8Array {
  return h("core", commit.core);
}

/** The commit's name in the chain, in messages and in the log. */
export function commitHash(commit: Pick<Commit, "core" | "tag">): Uint8Array {
  return h("commit", lp(commit.core, commit.tag));
}

/** The signed heart of a commit; `time` in ms. */
export interface Core {
  readonly room: Uint8Array;
  readonly epoch: number;
  readonly prevHash: Uint8Array;
  readonly rosterHash: Uint8Array;
  readonly opsHash: Uint8Array;
  readonly stateHash: Uint8Array;
  readonly prekeysHash: Uint8Array;
  readonly committerUser: Uint8Array;
  readonly committerDevice: Uint8Array;
  readonly time: number;
}

/** Write `core` of docs/protocol.md §7. */
export function encodeCore(core: Core): Uint8Array {
  return lp(
    utf8("commit"),
    SUITE_BYTE,
    core.room,
    u64(core.epoch),
    core.prevHash,
    core.rosterHash,
    core.opsHash,
    core.stateHash,
    core.prekeysHash,
    core.committerUser,
    core.committerDevice,
    u64(core.time),
  );
}

/** Read a core; `parse` or `suite` for another shape. */
export function parseCore(data: Uint8Array): Core {
  const [room, epoch, prevHash, rosterHash, ...rest] = typedFields(data, "commit", [
    ID_SIZE,
    8,
    HASH_SIZE,
    HASH_SIZE,
    HASH_SIZE,
    HASH_SIZE,
    HASH_SIZE,
    ID_SIZE,
    ID_SIZE,
    8,
  ]);
  const [opsHash, stateHash, prekeysHash, committerUser, committerDevice, time] = rest;
  return {
    room,
    epoch: uint(epoch),
    prevHash,
    rosterHash,
    opsHash,
    stateHash,
    prekeysHash,
    committerUser,
    committerDevice,
    time: uint(time),
  };
}

/** What the server may know about a room. */
export interface ClearState {
  readonly kind: number;
  readonly historyPolicy: number;
  readonly addPolicy: number;
  readonly ttlSeconds: number;
}

/** The clear state that a new room of this kind starts with, unless told otherwise. */
export function defaultState(kind: number): ClearState {
  return { kind, historyPolicy: HISTORY_FROM_JOIN, addPolicy: ADD_BY_ADMINS, ttlSeconds: 0 };
}

/** Give a clear state by which no history is kept. */
export function withoutHistory(clear: ClearState): ClearState {
  return { ...clear, historyPolicy: HISTORY_OFF };
}

/** Write `state` of docs/protocol.md §6.4 around the sealed title. */
export function encodeState(clear: ClearState, sealed: Uint8Array): Uint8Array {
  const { kind, historyPolicy, addPolicy, ttlSeconds } = clear;
  return lp(u8(kind), u8(historyPolicy), u8(addPolicy), u32(ttlSeconds), sealed);
}

/** Read a state: clear fields and sealed title; `parse` for values this version lacks. */
export function parseState(data: Uint8Array): { clear: ClearState; sealed: Uint8Array } {
  const [kind, history, add, ttl, sealed] = lpFields(data, [1, 1, 1, 4, null]);
  const clear = {
    kind: uint(kind),
    historyPolicy: uint(history),
    addPolicy: uint(add),
    ttlSeconds: uint(ttl),
  };
  const isKnown =
    (clear.kind === KIND_GROUP || clear.kind === KIND_DIRECT) &&
    clear.historyPolicy <= HISTORY_FROM_JOIN &&
    clear.addPolicy <= ADD_BY_MEMBERS &&
    clear.ttlSeconds === 0;
  if (!isKnown) throw new ProtocolError("parse", "a state that this version does not know");
  return { clear, sealed };
}

function titleKey(secret: Uint8Array, room: Uint8Array, epoch: number): Uint8Array {
  return kdf(secret, "state", lp(room, u64(epoch)));
}

/** Seal a room's title under an epoch secret; `body` when it is longer than 1,020 bytes of JSON. */
export function sealTitle(
  secret: Uint8Array,
  { room, epoch, prevHash }: Pick<Core, "room" | "epoch" | "prevHash">,
  title: string,
): Uint8Array {
  const padded = pad(dumpJson({ title }), TITLE_BUCKETS);
  const ad = lp(room, u64(epoch), prevHash);
  return aeadSeal(titleKey(secret, room, epoch), ZERO_NONCE, padded, ad);
}

/** Open a room's title; `aead` or `body` when it is not one. */
export function openTitle(secret: Uint8Array, core: Core, sealed: Uint8Array): string {
  const ad = lp(core.room, u64(core.epoch), core.prevHash);
  const padded = aeadOpen(titleKey(secret, core.room, core.epoch), ZERO_NONCE, sealed, ad);
  const content = parseJson(unpad(padded, TITLE_BUCKETS));
  const title = isJsonObject(content) ? content["title"] : null;
  if (typeof title !== "string") throw new ProtocolError("body", "not a title");
  return title;
}

/**
 * Give what a room is called after a commit that seals `said` (§6.4); null while nobody told.
 * `changes`: it has a `state` operation. After the first commit an empty title says that its
 * committer does not know it, as a device does not that came in without the room's past.
 */
export function titleAfter(
  known: string | null,
  said: string,
  { isFirst, changes }: { isFirst: boolean; changes: boolean },
): string | null {
  if (isFirst) return said;
  return said !== "" && (changes || known === null) ? said : known;
}

/** Which prekey a device's wrap was made for; `seq` 0 when it got none. */
export interface PrekeyRow {
  readonly device: Uint8Array;
  readonly seq: number;
  readonly prekeyHash: Uint8Array;
}

/** Write the prekey list of a commit, ascending by device. */
export function encodePrekeys(rows: readonly PrekeyRow[]): Uint8Array {
  const sorted = [...rows].sort((left, right) => compareBytes(left.device, right.device));
  return lp(...sorted.map((row) => lp(row.device, u64(row.seq), row.prekeyHash)));
}

/** Read the prekey list of a commit; `parse` for another shape or order. */
export function parsePrekeys(data: Uint8Array): PrekeyRow[] {
  const rows = lpSplit(data).map((item) => {
    const [device, seq, prekeyHash] = lpFields(item, [ID_SIZE, 8, HASH_SIZE]);
    return { device, seq: uint(seq), prekeyHash };
  });
  ascending(rows.map((row) => row.device));
  if (rows.some((row) => (row.seq === 0) !== equalBytes(row.prekeyHash, NO_PREKEY))) {
    throw new ProtocolError("parse", "a prekey row that is half empty");
  }
  return rows;
}

/** Give, for each (hexadecimal) device, the number below which its prekey must not fall. */
export function prekeyFloors(prekeys: Uint8Array): Map<string, number> {
  return new Map(parsePrekeys(prekeys).map((row) => [hex(row.device), row.seq]));
}

/** Make the tag by which all readers of one commit share one secret. */
export function confirmTag(secret: Uint8Array, hashOfCore: Uint8Array): Uint8Array {
  return kdf(kdf(secret, "confirm"), "tag", hashOfCore);
}

/** For whom a wrap is, in which commit, and with which of the device's prekeys. */
export interface WrapFor {
  readonly coreHash: Uint8Array;
  readonly user: Uint8Array;
  readonly device: Uint8Array;
  readonly prekeyHash: Uint8Array;
}

/** What a wrap is bound to; it also says which of the device's prekeys was meant. */
export function wrapAd({ coreHash: hashOfCore, user, device, prekeyHash }: WrapFor): Uint8Array {
  return lp(hashOfCore, user, device, prekeyHash);
}

/** Wrap an epoch secret for one device with what X-Wing encapsulated to its prekey. */
export function sealWrap(
  secret: Uint8Array,
  { ciphertext, sharedSecret }: Encapsulated,
  whom: WrapFor,
): Uint8Array {
  const ad = wrapAd(whom);
  return concat(ciphertext, aeadSeal(kdf(sharedSecret, "wrap", ad), ZERO_NONCE, secret, ad));
}
