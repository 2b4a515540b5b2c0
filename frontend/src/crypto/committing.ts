/** Making commits (docs/protocol.md §7.2): a fresh secret, one wrap for each device. */
import {
  type ClearState,
  type Commit,
  NO_PREKEY,
  type PrekeyRow,
  commitHash,
  confirmTag,
  coreHash,
  defaultState,
  encodeCore,
  encodePrekeys,
  encodeState,
  sealTitle,
  sealWrap,
  withoutHistory,
} from "./commit";
import { type SignedDeviceList, listHash, parseDeviceList } from "./device_list";
import { EMPTY, KEY_SIZE, compareBytes, equalBytes, hex } from "./encoding";
import { ReadLists, type RoomView, type Sender, type Senders, sendersOf } from "./epoch";
import { ProtocolError } from "./errors";
import { type DeviceKeys, signAsDevice } from "./identity";
import { type Op, applyOps, encodeOps } from "./ops";
import { ownOrigin } from "./own_room";
import {
  type PrekeysByDevice,
  prekeyHash,
  tryPrekey,
  verifyPrekeyClaims,
} from "./prekeys";
import { type Random, h, systemRandom, wipe } from "./primitives";
import { type EpochState, seenOps } from "./ratchet";
import {
  KIND_DIRECT,
  KIND_GROUP,
  type Member,
  type Origin,
  ROLE_ADMIN,
  ROLE_MEMBER,
  type Roster,
  directOrigin,
  findMember,
  groupOrigin,
  originHead,
  roomOf,
  rosterHash,
} from "./roster";
import { type Statement, encodeStatement } from "./statements";
import type { Encapsulated } from "./xwing";

/**
 * A device about to commit, with what it fetched: lists by hexadecimal hash, prekeys by
 * hexadecimal device.
 *
 * `now` is in ms; `seqFloor` is `prekeyFloors` of the last commit, and own memory. `closing` is
 * the own state of the head epoch, null or absent when there is none. `read` is what was read of
 * lists before.
 */
export interface Committer {
  readonly keys: DeviceKeys;
  readonly lists: ReadonlyMap<string, SignedDeviceList>;
  readonly read?: ReadLists;
  readonly prekeys: PrekeysByDevice;
  readonly now: number;
  readonly seqFloor?: ReadonlyMap<string, number>;
  readonly closing?: EpochState | null;
  readonly random?: Random;
}

interface Recipient {
  readonly user: Uint8Array;
  readonly row: PrekeyRow;
  readonly encapsulated: Encapsulated | null;
}

/** One unusable prekey never stops a commit: its device gets no wrap (docs/protocol.md §4). */
function recipient(by: Committer, { user, entry }: Sender): Recipient {
  const { device } = entry;
  const without = { user, row: { device, seq: 0, prekeyHash: NO_PREKEY }, encapsulated: null };
  const signed = by.prekeys.get(hex(device));
  if (!signed) return without;
  const seqFloor = by.seqFloor?.get(hex(device)) ?? 0;
  try {
    const prekey = verifyPrekeyClaims(signed, { user, entry, now: by.now, seqFloor });
    const encapsulated = tryPrekey(prekey, by.random);
    return { user, row: { device, seq: prekey.seq, prekeyHash: prekeyHash(signed) }, encapsulated };
  } catch (error) {
    if (error instanceof ProtocolError) return without;
    throw error;
  }
}

function withSeen(view: RoomView | null, ops: readonly Op[], by: Committer, after: Senders): Op[] {
  if (view === null) return [...ops];
  const before = sendersOf(view.roster, by);
  const dropped = new Set([...before.keys()].filter((device) => !after.has(device)));
  const given = new Set(ops.map((op) => (op.op === "seen" ? hex(op.device) : "")));
  const added = seenOps(by.closing ?? null, dropped).filter((op) => !given.has(hex(op.device)));
  return [...ops, ...added];
}

interface Place {
  readonly room: Uint8Array;
  readonly epoch: number;
  readonly prevHash: Uint8Array;
  readonly kind: number;
}

function place(view: RoomView | null, ops: readonly Op[]): Place {
  if (view !== null) {
    const { room, epoch, head, clear } = view;
    return { room, epoch: epoch + 1, prevHash: head, kind: clear.kind };
  }
  const [create] = ops;
  if (create?.op !== "create") {
    throw new ProtocolError("committer", "a room begins with one create");
  }
  const { origin } = create;
  return { room: roomOf(origin), epoch: 0, prevHash: originHead(origin), kind: origin.kind };
}

/** What a commit says besides its operations; absent parts stay as they are. */
export interface NewState {
  readonly clear?: ClearState;
  readonly title?: string;
}

/**
 * Make a commit with these operations on the own head; `view` is null for a new room.
 *
 * `seen` operations are added, a device without a usable prekey gets no wrap. Everything is fresh
 * at each call, the secret included: after a lost race call it again on the new head. Refuses
 * `roster` for operations that do not fit and `committer` when the own account is not in the
 * result, because who makes an epoch's secret knows it.
 */
export async function makeCommit(
  view: RoomView | null,
  ops: readonly Op[],
  committer: Committer,
  { clear, title }: NewState = {},
): Promise<Commit> {
  const by = { ...committer, read: committer.read ?? new ReadLists() };
  const roster = applyOps(view?.roster ?? null, ops);
  if (!findMember(roster, by.keys.user)) {
    throw new ProtocolError("committer", "who leaves does not commit it");
  }
  const after = sendersOf(roster, by);
  const recipients = [...after.values()].map((sender) => recipient(by, sender));
  const at = place(view, ops);
  const secret = (by.random ?? systemRandom)(KEY_SIZE);
  const sealed = sealTitle(secret, at, title ?? view?.title ?? "");
  const parts = {
    ops: encodeOps(withSeen(view, ops, by, after)),
    state: encodeState(clear ?? view?.clear ?? defaultState(at.kind), sealed),
    prekeys: encodePrekeys(recipients.map(({ row }) => row)),
  };
  const core = encodeCore({
    ...at,
    rosterHash: rosterHash(roster),
    opsHash: h("ops", parts.ops),
    stateHash: h("state", parts.state),
    prekeysHash: h("prekeys", parts.prekeys),
    committerUser: by.keys.user,
    committerDevice: by.keys.device,
    time: by.now,
  });
  const tag = confirmTag(secret, coreHash({ core }));
  const sig = await signAsDevice(by.keys, "commit", commitHash({ core, tag }));
  const wraps = wrapForEach(secret, coreHash({ core }), recipients);
  wipe(secret);
  return { core, tag, sig, ...parts, wraps };
}

function wrapForEach(
  secret: Uint8Array,
  hashOfCore: Uint8Array,
  recipients: readonly Recipient[],
): Map<string, Uint8Array> {
  const wraps = new Map<string, Uint8Array>();
  for (const { user, row, encapsulated } of recipients) {
    if (!encapsulated) continue;
    const { device, prekeyHash: hash } = row;
    const whom = { coreHash: hashOfCore, user, device, prekeyHash: hash };
    wraps.set(hex(device), sealWrap(secret, encapsulated, whom));
  }
  return wraps;
}

/** Make the roster row of the account that a verified device list belongs to. */
export function memberRow(
  signed: SignedDeviceList,
  { role = ROLE_MEMBER, joinedEpoch }: { role?: number; joinedEpoch: number },
): Member {
  const { user, amkPub, version } = parseDeviceList(signed.data);
  return { user, amkPub, role, listVersion: version, listHash: listHash(signed), joinedEpoch };
}

function firstRoster(lists: readonly SignedDeviceList[], admin: Uint8Array | null): Roster {
  return lists
    .map((signed) => memberRow(signed, { joinedEpoch: 0 }))
    .map((row) => (admin && equalBytes(row.user, admin) ? { ...row, role: ROLE_ADMIN } : row))
    .sort((left, right) => compareBytes(left.user, right.user));
}

function create(origin: Origin, roster: Roster): Op {
  return { op: "create", origin, roster };
}

/** Begin a group with these accounts' lists (the own one among them) and a title. */
export async function createGroup(
  by: Committer,
  members: readonly SignedDeviceList[],
  { title, clear = defaultState(KIND_GROUP) }: { title: string; clear?: ClearState },
): Promise<Commit> {
  const origin = groupOrigin(by.keys, by.random);
  const ops = [create(origin, firstRoster(members, by.keys.user))];
  return makeCommit(null, ops, by, { clear, title });
}

/** Begin an own room (§8.9): its creator alone is in it, and it has no title. */
export async function createOwnRoom(by: Committer, own: SignedDeviceList): Promise<Commit> {
  const ops = [create(ownOrigin(by.keys, by.random), firstRoster([own], by.keys.user))];
  return makeCommit(null, ops, by, { clear: defaultState(KIND_GROUP), title: "" });
}

/** Begin the direct room of two accounts; its id follows from their keys. */
export async function createDirect(
  by: Committer,
  one: SignedDeviceList,
  other: SignedDeviceList,
  clear: ClearState = defaultState(KIND_DIRECT),
): Promise<Commit> {
  const origin = directOrigin(parseDeviceList(one.data), parseDeviceList(other.data));
  const ops = [create(origin, firstRoster([one, other], null))];
  return makeCommit(null, ops, by, { clear, title: "" });
}

/** Add accounts: a person's act, never an automatic one. */
export async function commitAdd(
  view: RoomView,
  members: readonly SignedDeviceList[],
  by: Committer,
): Promise<Commit> {
  const joinedEpoch = view.epoch + 1;
  const ops = members.map((signed): Op => ({ op: "add", member: memberRow(signed, { joinedEpoch }) }));
  return makeCommit(view, ops, by);
}

/** Remove an account, as an admin or with a statement; `roster` when it is not there. */
export async function commitRemove(
  view: RoomView,
  user: Uint8Array,
  by: Committer,
  statement: Statement | null = null,
): Promise<Commit> {
  const row = findMember(view.roster, user);
  if (!row) throw new ProtocolError("roster", "an account that is not there");
  const { amkPub, joinedEpoch } = row;
  const reason = statement ? encodeStatement(statement) : EMPTY;
  const op: Op = { op: "remove", user, amkPub, joinedEpoch, statement: reason };
  return makeCommit(view, [op], by);
}

/** Make an account admin (2) or member (1). */
export async function commitRole(
  view: RoomView,
  user: Uint8Array,
  role: number,
  by: Committer,
): Promise<Commit> {
  return makeCommit(view, [{ op: "role", user, role }], by);
}

/** Rename a room. */
export async function commitTitle(view: RoomView, title: string, by: Committer): Promise<Commit> {
  return makeCommit(view, [{ op: "state" }], by, { title });
}

/** Keep no history from here on; there is no way back (§6.4). */
export async function commitHistoryOff(view: RoomView, by: Committer): Promise<Commit> {
  return makeCommit(view, [{ op: "state" }], by, { clear: withoutHistory(view.clear) });
}

/** Bring newer device lists of members into the roster. */
export async function commitRefresh(
  view: RoomView,
  lists: readonly SignedDeviceList[],
  by: Committer,
): Promise<Commit> {
  const ops = lists
    .map((signed) => memberRow(signed, { joinedEpoch: 0 }))
    .map((row): Op => {
      const { user, listVersion, listHash: hash } = row;
      return { op: "refresh", user, listVersion, listHash: hash };
    });
  return makeCommit(view, ops, by);
}

/** Begin a new epoch without a change. */
export async function commitRotation(view: RoomView, by: Committer): Promise<Commit> {
  return makeCommit(view, [], by);
}
