/**
 * Comparing with a friend: the number, the code, and the mark that says it was done. A mark names
 * the account key that was compared and dies with it (docs/protocol.md §8.9, §10).
 */
import { KEY_SIZE, decodeBase64url, encodeBase64url, equalBytes } from "../crypto/encoding";
import { settle } from "../crypto/epoch";
import { ProtocolError } from "../crypto/errors";
import { findMember } from "../crypto/roster";
import {
  type AccountIdentity,
  compareCode,
  fingerprint,
  safetyCode,
  safetyNumber,
} from "../crypto/safety";
import type { CodeVerdict, Comparison, FriendTrust, Id } from "./contract";
import type { Core } from "./core";
import { idBytes } from "./ids";
import { type Notes, readNotes } from "./notes";
import { noteDown } from "./noting";
import type { Outbox } from "./outbox";
import { readEpoch, readRoom, readRooms, updateRoom } from "./records";
import { Refusal, refuse } from "./refusal";
import type { AccountRow } from "./store/schema";

/** Say how a friend's account key stands to what this person has compared. */
export function trustIn(notes: Notes, user: Uint8Array, account: AccountRow | undefined): FriendTrust {
  const compared = notes.verifiedKey(user);
  const current = account?.offered ?? account?.amkPub;
  if (compared && current && !equalBytes(compared, current)) return "verified_changed";
  if (account?.offered) return "changed";
  return compared ? "verified" : "unverified";
}

/** The account key that a person would have to say yes to: the newest that the server shows. */
async function shownAccount(core: Core, userId: Id): Promise<AccountIdentity> {
  const user = idBytes(userId);
  const account = await core.people.account(user);
  if (!account) throw refuse("keys_missing");
  return { user, amkPub: account.offered ?? account.amkPub };
}

/** Look once more which key the server shows; without a network the known one has to do. */
async function lookAgain(core: Core, userId: Id): Promise<void> {
  try {
    await core.people.refresh(userId);
  } catch (error) {
    const isAway = error instanceof Refusal && ["offline", "timeout"].includes(error.code);
    if (!isAway) throw error;
  }
}

/** Give what two people compare. */
export async function compareWith(core: Core, userId: Id): Promise<Comparison> {
  await lookAgain(core, userId);
  const own = core.keyring.device;
  const theirs = await shownAccount(core, userId);
  return {
    number: safetyNumber(own, theirs),
    own: fingerprint(own.user, own.amkPub),
    theirs: fingerprint(theirs.user, theirs.amkPub),
    code: encodeBase64url(safetyCode(own, theirs)),
    accountKey: encodeBase64url(theirs.amkPub),
  };
}

const VERDICTS: Partial<Record<string, CodeVerdict>> = {
  pin_mismatch: "different",
  reference: "other_people",
};

/** Compare the code of the other screen, byte by byte. */
export async function judgeCode(core: Core, userId: Id, code: string): Promise<CodeVerdict> {
  const theirs = await shownAccount(core, userId);
  try {
    compareCode(decodeBase64url(code.replace(/\s/g, "")), core.keyring.device, theirs);
    return "same";
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return VERDICTS[error.outcome] ?? "no_code";
  }
}

/**
 * A person says whether just this account key is their friend's. One that is not the pinned key
 * takes its place from now on: that is a person's act, and nothing else does it. Refuses
 * `unverified` when the server shows another key by now.
 */
export async function markFriend(
  core: Core,
  outbox: Outbox,
  { userId, accountKey, isSame }: { userId: Id; accountKey: string; isSame: boolean },
): Promise<void> {
  const account = decodeBase64url(accountKey, KEY_SIZE);
  const { user, amkPub } = await shownAccount(core, userId);
  if (!equalBytes(amkPub, account)) throw refuse("unverified");
  await accept(core, userId, account);
  const hasMark = (await readNotes(core.store)).verifiedKey(user) !== null;
  if (!isSame && !hasMark) return;
  await noteDown(core, outbox, { about: "verified", user, account, isSet: isSame });
}

async function accept(core: Core, userId: Id, amkPub: Uint8Array): Promise<void> {
  const user = idBytes(userId);
  const pinned = await core.people.account(user);
  if (!pinned || equalBytes(pinned.amkPub, amkPub)) return;
  await core.people.repin(userId, amkPub);
  await settleRooms(core, user, amkPub);
  core.changed({ friends: true, rooms: [] });
}

/** Rooms that already have the new key in their roster may be written in again. */
async function settleRooms(core: Core, user: Uint8Array, amkPub: Uint8Array): Promise<void> {
  for (const { info, view } of await readRooms(core.store)) {
    const row = view && findMember(view.roster, user);
    if (!row || !equalBytes(row.amkPub, amkPub)) continue;
    if (!view.unsettled.some((other) => equalBytes(other, user))) continue;
    const roomId = info.room_id;
    await core.lanes.run(roomId, () => settleRoom(core, roomId, user));
  }
}

async function settleRoom(core: Core, roomId: Id, user: Uint8Array): Promise<void> {
  const room = await readRoom(core.store, roomId);
  if (!room?.record.view) return;
  const view = settle(room.record.view, user);
  const isOpen = (await readEpoch(core.store, roomId, view.epoch))?.state.opened === true;
  const isSettled = view.unsettled.length === 0 && room.record.trouble === "pin_mismatch";
  const trouble = isOpen ? "none" : "getting_keys";
  await updateRoom(core.store, roomId, (record) => ({
    ...record,
    view,
    trouble: isSettled ? trouble : record.trouble,
  }));
}
