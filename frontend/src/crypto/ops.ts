/** What a commit changes, and the roster that follows from it (docs/protocol.md §6.3). */
import {
  HASH_SIZE,
  ID_SIZE,
  KEY_SIZE,
  EMPTY,
  ascending,
  compareBytes,
  concat,
  equalBytes,
  hex,
  lp,
  lpFields,
  lpSplit,
  u32,
  u64,
  u8,
  uint,
} from "./encoding";
import { ProtocolError } from "./errors";
import {
  MAX_MEMBERS,
  type Member,
  type Origin,
  type Roster,
  encodeMember,
  encodeRoster,
  parseMember,
  parseOrigin,
  parseRoster,
} from "./roster";

export const MAX_OPS = 8192;
export const COUNTER_LIMIT = 4096;

/** The type byte of each operation. */
export const OP_TYPE = {
  create: 1,
  add: 2,
  remove: 3,
  role: 4,
  refresh: 5,
  state: 6,
  seen: 7,
} as const;

/** Epoch 0: where the room comes from and who is in it. */
export interface Create {
  readonly op: "create";
  readonly origin: Origin;
  readonly roster: Roster;
}

/** A new account joins. */
export interface Add {
  readonly op: "add";
  readonly member: Member;
}

/** An account goes; `statement` says why when the committer is no admin, else it is empty. */
export interface Remove {
  readonly op: "remove";
  readonly user: Uint8Array;
  readonly amkPub: Uint8Array;
  readonly joinedEpoch: number;
  readonly statement: Uint8Array;
}

/** An account becomes admin or member. */
export interface SetRole {
  readonly op: "role";
  readonly user: Uint8Array;
  readonly role: number;
}

/** A newer device list of an account. */
export interface Refresh {
  readonly op: "refresh";
  readonly user: Uint8Array;
  readonly listVersion: number;
  readonly listHash: Uint8Array;
}

/** The clear state or the title changes in this commit. */
export interface ChangeState {
  readonly op: "state";
}

/** How far a device's messages of the closing epoch were seen. */
export interface Seen {
  readonly op: "seen";
  readonly device: Uint8Array;
  readonly nextN: number;
}

/** An operation that this version does not know; `applyOps` refuses it. */
export interface UnknownOp {
  readonly op: "unknown";
  readonly data: Uint8Array;
}

export type Op = Create | Add | Remove | SetRole | Refresh | ChangeState | Seen | UnknownOp;

/** Write one operation. */
export function encodeOp(op: Op): Uint8Array {
  switch (op.op) {
    case "create":
      return lp(u8(OP_TYPE.create), op.origin.data, encodeRoster(op.roster));
    case "add":
      return lp(u8(OP_TYPE.add), encodeMember(op.member));
    case "remove":
      return lp(u8(OP_TYPE.remove), op.user, op.amkPub, u64(op.joinedEpoch), op.statement);
    case "role":
      return lp(u8(OP_TYPE.role), op.user, u8(op.role));
    case "refresh":
      return lp(u8(OP_TYPE.refresh), op.user, u64(op.listVersion), op.listHash);
    case "state":
      return lp(u8(OP_TYPE.state));
    case "seen":
      return lp(u8(OP_TYPE.seen), op.device, u32(op.nextN));
    case "unknown":
      return op.data;
  }
}

function subjectOf(op: Op): Uint8Array {
  switch (op.op) {
    case "add":
      return op.member.user;
    case "remove":
    case "role":
    case "refresh":
      return op.user;
    case "seen":
      return op.device;
    default:
      return EMPTY;
  }
}

function orderOf(op: Op): Uint8Array {
  const type = op.op === "unknown" ? (lpSplit(op.data)[0] ?? EMPTY) : u8(OP_TYPE[op.op]);
  return concat(type, subjectOf(op));
}

/** Write operations in their one order: ascending by type and subject. */
export function encodeOps(ops: readonly Op[]): Uint8Array {
  const sorted = [...ops].sort((left, right) => compareBytes(orderOf(left), orderOf(right)));
  return lp(...sorted.map(encodeOp));
}

/** Read operations; `parse` for another shape or order, unknown types are kept. */
export function parseOps(data: Uint8Array): Op[] {
  const ops = lpSplit(data, MAX_OPS).map(parseOp);
  ascending(ops.map(orderOf));
  return ops;
}

function parseOp(data: Uint8Array): Op {
  const [type] = lpSplit(data);
  if (type?.length !== 1) throw new ProtocolError("parse", "an operation without a type");
  switch (uint(type)) {
    case OP_TYPE.create: {
      const [, origin, rows] = lpFields(data, [1, null, null]);
      return { op: "create", origin: parseOrigin(origin), roster: parseRoster(rows) };
    }
    case OP_TYPE.add: {
      const [, member] = lpFields(data, [1, null]);
      return { op: "add", member: parseMember(member) };
    }
    case OP_TYPE.remove: {
      const [, user, amkPub, joined, statement] = lpFields(data, [1, ID_SIZE, KEY_SIZE, 8, null]);
      return { op: "remove", user, amkPub, joinedEpoch: uint(joined), statement };
    }
    case OP_TYPE.role: {
      const [, user, role] = lpFields(data, [1, ID_SIZE, 1]);
      return { op: "role", user, role: uint(role) };
    }
    case OP_TYPE.refresh: {
      const [, user, version, listHash] = lpFields(data, [1, ID_SIZE, 8, HASH_SIZE]);
      return { op: "refresh", user, listVersion: uint(version), listHash };
    }
    case OP_TYPE.state:
      lpFields(data, [1]);
      return { op: "state" };
    case OP_TYPE.seen:
      return parseSeen(data);
    default:
      return { op: "unknown", data };
  }
}

function parseSeen(data: Uint8Array): Seen {
  const [, device, nextN] = lpFields(data, [1, ID_SIZE, 4]);
  if (uint(nextN) > COUNTER_LIMIT) {
    throw new ProtocolError("parse", "a counter beyond the epoch's limit");
  }
  return { op: "seen", device, nextN: uint(nextN) };
}

function refuse(why: string): never {
  throw new ProtocolError("roster", why);
}

/**
 * Compute the roster that operations make; `roster` when they do not fit (protocol.md §6.3).
 *
 * `previous` is null before epoch 0. The roster is never taken from a message: a commit that
 * changed it without saying so could drop a member or slip in a ghost. Whether the committer may
 * do the operations is not asked here.
 */
export function applyOps(previous: Roster | null, ops: readonly Op[]): Roster {
  if (previous === null) {
    const [first] = ops;
    return ops.length === 1 && first?.op === "create"
      ? first.roster
      : refuse("a room begins with one create");
  }
  const rows = new Map(previous.map((member) => [hex(member.user), member]));
  const touched = new Set<string>();
  for (const op of ops) {
    const user = applyOne(rows, op);
    if (user === null) continue;
    if (touched.has(user)) refuse("two operations on one account");
    touched.add(user);
  }
  if (rows.size < 1 || rows.size > MAX_MEMBERS) refuse("a roster has 1 to 1000 members");
  return [...rows.values()].sort((left, right) => compareBytes(left.user, right.user));
}

function applyOne(rows: Map<string, Member>, op: Op): string | null {
  switch (op.op) {
    case "state":
    case "seen":
      return null;
    case "create":
    case "unknown":
      return refuse("an operation that is unknown here");
    case "add":
      return applyAdd(rows, op);
    default:
      return applyToRow(rows, op);
  }
}

function applyAdd(rows: Map<string, Member>, { member }: Add): string {
  const user = hex(member.user);
  if (rows.has(user)) refuse("an account that is there already");
  rows.set(user, member);
  return user;
}

function applyToRow(rows: Map<string, Member>, op: Remove | SetRole | Refresh): string {
  const user = hex(op.user);
  const row = rows.get(user) ?? refuse("an operation on an account that is not there");
  if (op.op === "remove") {
    const namesRow = equalBytes(op.amkPub, row.amkPub) && op.joinedEpoch === row.joinedEpoch;
    if (!namesRow) refuse("a removal that names another row");
    rows.delete(user);
    return user;
  }
  const changed =
    op.op === "role"
      ? { ...row, role: op.role }
      : { ...row, listVersion: op.listVersion, listHash: op.listHash };
  if (equalBytes(encodeMember(changed), encodeMember(row))) {
    refuse("an operation that changes nothing");
  }
  rows.set(user, changed);
  return user;
}
