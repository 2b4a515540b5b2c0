/** Who may commit what: steps 3 and 4 of receiving a commit (docs/protocol.md §7.3). */
import { ADD_BY_MEMBERS, type ClearState, type Core } from "./commit";
import { parseDeviceList, verifyDeviceList } from "./device_list";
import { equalBytes, hex } from "./encoding";
import { ProtocolError, refusedAs } from "./errors";
import { type RoomView, type Senders, type Trust, findList, verifiedListOf } from "./epoch";
import type { DeviceEntry } from "./identity";
import type { Create, Op, Refresh, Remove, SetRole } from "./ops";
import {
  KIND_DIRECT,
  KIND_GROUP,
  type Member,
  ROLE_ADMIN,
  ROLE_MEMBER,
  type Roster,
  findMember,
  hasAdmin,
} from "./roster";
import type { AccountIdentity } from "./safety";
import {
  LEAVE,
  REMOVE_INTENT,
  SERVER_REMOVE,
  type Statement,
  isServersWord,
  parseStatement,
  verifyStatement,
} from "./statements";

/** One commit under judgement: what was before, what it says, and what follows. */
export interface Step {
  readonly view: RoomView | null;
  readonly core: Core;
  readonly ops: readonly Op[];
  readonly clear: ClearState;
  readonly roster: Roster;
  readonly before: Senders;
  readonly after: Senders;
  readonly trust: Trust;
}

function forbid(unless: boolean, why: string): void {
  if (!unless) throw new ProtocolError("op_forbidden", why);
}

function isSameAccount(left: AccountIdentity, right: AccountIdentity): boolean {
  return equalBytes(left.user, right.user) && equalBytes(left.amkPub, right.amkPub);
}

/** Check that committer and device may commit here, else `committer`; gives the device. */
export function checkCommitter(step: Step): DeviceEntry {
  const refuse = (why: string): never => {
    throw new ProtocolError("committer", why);
  };
  const { committerUser, committerDevice } = step.core;
  const row = findMember(step.roster, committerUser) ?? refuse("not in the new roster");
  if (step.view === null) {
    checkCreator(step, row);
  } else {
    const before = findMember(step.view.roster, row.user);
    if (!before || !isSameAccount(before, row)) refuse("not in the previous roster");
  }
  const sender = step.after.get(hex(committerDevice));
  if (!sender || !equalBytes(sender.user, row.user)) {
    return refuse("a device that the new roster's list does not name");
  }
  return sender.entry;
}

function checkCreator(step: Step, row: Member): void {
  const [create] = step.ops;
  if (create?.op !== "create") {
    throw new ProtocolError("committer", "a room begins with one create");
  }
  const { accounts, creatorDevice } = create.origin;
  const isNamed = accounts.some((account) => isSameAccount(account, row));
  const isRightDevice =
    creatorDevice === null || equalBytes(creatorDevice, step.core.committerDevice);
  if (!isNamed || !isRightDevice) {
    throw new ProtocolError("committer", "a creator whom the origin does not name");
  }
}

/** Check that each operation is allowed; gives the users whose account key is not the pin. */
export function checkOps(step: Step): Uint8Array[] {
  const strangers = step.ops.flatMap((op) => checkOp(step, op));
  checkAdminLeft(step);
  checkState(step);
  const seen = new Set(step.ops.map((op) => (op.op === "seen" ? hex(op.device) : "")));
  const dropped = [...step.before.keys()].filter((device) => !step.after.has(device));
  forbid(
    dropped.every((device) => seen.has(device)),
    "a dropped device without seen",
  );
  return strangers;
}

function checkOp(step: Step, op: Op): Uint8Array[] {
  switch (op.op) {
    case "create":
      checkCreate(step, op);
      return strangersIn(op.roster, step.trust);
    case "add":
      checkAdd(step, existing(step), op.member);
      return strangersIn([op.member], step.trust);
    case "remove":
      checkRemove(step, existing(step), op);
      return [];
    case "role":
      checkRole(step, existing(step), op);
      return [];
    case "refresh":
      checkRefresh(step, existing(step), op);
      return [];
    case "seen":
      forbid(step.before.has(hex(op.device)), "seen of a device that was not there");
      return [];
    default:
      return [];
  }
}

function existing(step: Step): RoomView {
  if (step.view === null) {
    throw new ProtocolError("op_forbidden", "an operation before the room exists");
  }
  return step.view;
}

/** Name the accounts of these rows whose key is not the pinned one. */
export function strangersIn(rows: Roster, trust: Trust): Uint8Array[] {
  return rows
    .filter((row) => !equalBytes(trust.pins.get(hex(row.user)) ?? row.amkPub, row.amkPub))
    .map((row) => row.user);
}

function isAdmin(roster: Roster, user: Uint8Array): boolean {
  return findMember(roster, user)?.role === ROLE_ADMIN;
}

function isExactly(rows: Roster, accounts: readonly AccountIdentity[]): boolean {
  return (
    rows.length === accounts.length &&
    accounts.every((account) => rows.some((row) => isSameAccount(row, account)))
  );
}

function checkCreate(step: Step, { origin, roster }: Create): void {
  forbid(step.clear.kind === origin.kind, "a state of another kind than the origin");
  forbid(
    roster.every((row) => row.joinedEpoch === 0),
    "joined before the room",
  );
  const admins = roster.filter((row) => row.role === ROLE_ADMIN);
  if (origin.kind === KIND_DIRECT) {
    const isPair = isExactly(roster, origin.accounts) && admins.length === 0;
    forbid(isPair, "a direct room has its two accounts");
  } else {
    forbid(isExactly(admins, origin.accounts), "a group begins with its creator as only admin");
  }
  for (const row of roster) verifiedListOf(step.trust, row);
}

function checkAdd(step: Step, view: RoomView, row: Member): void {
  forbid(view.clear.kind === KIND_GROUP, "nobody is added to a direct room");
  const isOpen = view.clear.addPolicy === ADD_BY_MEMBERS;
  forbid(isOpen || isAdmin(view.roster, step.core.committerUser), "only an admin adds here");
  forbid(hasAdmin(view.roster), "a room without an admin");
  const isNew = row.role === ROLE_MEMBER && row.joinedEpoch === step.core.epoch;
  forbid(isNew, "a new member has role 1 and joins now");
  verifiedListOf(step.trust, row);
}

function checkRemove(step: Step, view: RoomView, op: Remove): void {
  forbid(view.clear.kind === KIND_GROUP, "nobody is removed from a direct room");
  if (op.statement.length === 0) {
    forbid(isAdmin(view.roster, step.core.committerUser), "only an admin removes");
    return;
  }
  refusedAs("op_forbidden", () => {
    const statement = parseStatement(op.statement);
    const { user, amkPub, joinedEpoch } = op;
    const subject = { room: view.room, user, amkPub, joinedEpoch };
    if (statement.kind === SERVER_REMOVE) {
      forbid(isServersWord(statement, subject, step.trust.serverKeys), "not the server's word");
    } else {
      verifyStatement(statement, subject, signerKey(step, view, op, statement));
    }
  });
}

function signerKey(step: Step, view: RoomView, op: Remove, statement: Statement): Uint8Array {
  const { kind, signerUser, signerDevice } = statement;
  if (kind === LEAVE) forbid(equalBytes(signerUser, op.user), "everybody leaves for himself");
  if (kind === REMOVE_INTENT) forbid(isAdmin(view.roster, signerUser), "only an admin may want it");
  const sender = step.before.get(hex(signerDevice));
  if (!sender || !equalBytes(sender.user, signerUser)) {
    throw new ProtocolError("op_forbidden", "a statement by a device that is not there");
  }
  return sender.entry.dskPub;
}

function checkRole(step: Step, view: RoomView, op: SetRole): void {
  forbid(view.clear.kind === KIND_GROUP, "a direct room has no roles");
  forbid(isAdmin(view.roster, step.core.committerUser), "only an admin gives roles");
  forbid(op.role === ROLE_MEMBER || op.role === ROLE_ADMIN, "an unknown role");
}

function checkRefresh(step: Step, view: RoomView, op: Refresh): void {
  const row = findMember(view.roster, op.user);
  const newRow = findMember(step.roster, op.user);
  if (!row || !newRow) throw new ProtocolError("op_forbidden", "a refresh of nobody");
  if (op.listVersion <= row.listVersion) {
    throw new ProtocolError("list_rollback", "a refresh to a list that is not newer");
  }
  let list = verifiedListOf(step.trust, newRow);
  while (list.version > row.listVersion + 1) {
    const signed = findList(step.trust, list.prevListHash);
    if (parseDeviceList(signed.data).version !== list.version - 1) {
      throw new ProtocolError("list_fork", "device lists that do not follow each other");
    }
    list = verifyDeviceList(signed, row.user, row.amkPub);
  }
  if (!equalBytes(list.prevListHash, row.listHash)) {
    throw new ProtocolError("list_fork", "a device list that does not follow the roster's");
  }
}

function checkAdminLeft({ view, roster, ops }: Step): void {
  if (view === null || view.clear.kind === KIND_DIRECT) return;
  const admins = view.roster.filter((row) => row.role === ROLE_ADMIN);
  if (admins.length === 0 || hasAdmin(roster)) return;
  const gone = ops.filter((op) => op.op === "remove").filter(isByServer);
  const areAllGone = admins.every((row) => gone.some((op) => equalBytes(op.user, row.user)));
  forbid(areAllGone, "a group needs an admin");
}

function isByServer(op: Remove): boolean {
  return op.statement.length > 0 && parseStatement(op.statement).kind === SERVER_REMOVE;
}

function checkState({ view, ops, clear, core }: Step): void {
  if (view === null) return;
  const before = view.clear;
  if (!ops.some((op) => op.op === "state")) {
    const isSame =
      clear.kind === before.kind &&
      clear.historyPolicy === before.historyPolicy &&
      clear.addPolicy === before.addPolicy &&
      clear.ttlSeconds === before.ttlSeconds;
    forbid(isSame, "the clear state changes without an operation");
    return;
  }
  const mayChange = before.kind === KIND_DIRECT || isAdmin(view.roster, core.committerUser);
  forbid(mayChange, "only an admin changes the state");
  forbid(clear.kind === before.kind, "a room keeps its kind");
  forbid(clear.historyPolicy <= before.historyPolicy, "history only becomes stricter");
}
