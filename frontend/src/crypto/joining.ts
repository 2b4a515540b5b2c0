/** Entering a room by a pinned contact's signed checkpoint (docs/protocol.md §7.4). */
import type { Commit } from "./commit";
import { entryOf } from "./device_list";
import { SUITE_BYTE, equalBytes, hex, lp, u64 } from "./encoding";
import { type RoomView, type Trust, verifiedListOf } from "./epoch";
import { ProtocolError } from "./errors";
import { type DeviceKeys, signAsDevice } from "./identity";
import { verify } from "./primitives";
import { type Reader, type Received, enterAt, readCommit } from "./receiving";
import {
  type Member,
  type Origin,
  type Roster,
  findMember,
  parseOrigin,
  roomOf,
  rosterHash,
} from "./roster";
import type { AccountIdentity } from "./safety";

/** A checkpoint: this room, at this commit, with this roster, for this newcomer. */
export interface Invite {
  readonly room: Uint8Array;
  readonly origin: Uint8Array;
  readonly epoch: number;
  readonly prevHash: Uint8Array;
  readonly rosterHash: Uint8Array;
  readonly newUser: Uint8Array;
  readonly newAmkPub: Uint8Array;
  readonly adderUser: Uint8Array;
  readonly adderDevice: Uint8Array;
  readonly sig: Uint8Array;
}

function signedContent(invite: Omit<Invite, "adderUser" | "adderDevice" | "sig">): Uint8Array {
  return lp(
    SUITE_BYTE,
    invite.room,
    invite.origin,
    u64(invite.epoch),
    invite.prevHash,
    invite.rosterHash,
    invite.newUser,
    invite.newAmkPub,
  );
}

/** Sign a checkpoint of the commit that added `newcomer`: `view` is the view after it. */
export async function makeInvite(
  keys: DeviceKeys,
  view: RoomView,
  newcomer: Member,
  prevHash: Uint8Array,
): Promise<Invite> {
  const claim = {
    room: view.room,
    origin: view.origin,
    epoch: view.epoch,
    prevHash,
    rosterHash: rosterHash(view.roster),
    newUser: newcomer.user,
    newAmkPub: newcomer.amkPub,
  };
  const sig = await signAsDevice(keys, "invite", signedContent(claim));
  return { ...claim, adderUser: keys.user, adderDevice: keys.device, sig };
}

function checkAdder(invite: Invite, roster: Roster, trust: Trust): void {
  const pinned = trust.pins.get(hex(invite.adderUser));
  if (!pinned) {
    throw new ProtocolError("pin_mismatch", "an invitation by somebody who is no contact");
  }
  const row = findMember(roster, invite.adderUser);
  if (!row || !equalBytes(row.amkPub, pinned)) {
    throw new ProtocolError("roster", "an invitation by somebody who is not in the roster");
  }
  const entry = entryOf(verifiedListOf(trust, row), invite.adderDevice);
  if (!entry) throw new ProtocolError("signature", "an invitation by an unknown device");
  verify(entry.dskPub, "invite", signedContent(invite), invite.sig);
}

function checkNewcomer(invite: Invite, roster: Roster, own: AccountIdentity): Origin {
  const origin = parseOrigin(invite.origin);
  const isForMe =
    equalBytes(invite.newUser, own.user) && equalBytes(invite.newAmkPub, own.amkPub);
  if (!equalBytes(roomOf(origin), invite.room) || !isForMe) {
    throw new ProtocolError("reference", "an invitation for another room or account");
  }
  const row = findMember(roster, own.user);
  if (!row || !equalBytes(rosterHash(roster), invite.rosterHash)) {
    throw new ProtocolError("roster", "another roster than the invitation's");
  }
  if (!equalBytes(row.amkPub, own.amkPub) || row.joinedEpoch !== invite.epoch) {
    throw new ProtocolError("roster", "a roster that does not add this account here");
  }
  return origin;
}

/**
 * Begin a room at the commit that added the own account.
 *
 * Refuses `reference`, `roster`, `pin_mismatch` (the adder is no pinned contact), `fork`,
 * `committer` and `signature` as docs/protocol.md §7.4 says.
 */
export async function joinByInvite(
  invite: Invite,
  commit: Commit,
  { roster, own, ...reader }: Reader & { roster: Roster; own: AccountIdentity },
): Promise<Received> {
  const { trust } = reader;
  const origin = checkNewcomer(invite, roster, own);
  checkAdder(invite, roster, trust);
  const read = readCommit(commit, invite.room);
  const isNamed =
    read.core.epoch === invite.epoch &&
    equalBytes(read.core.prevHash, invite.prevHash) &&
    equalBytes(read.core.rosterHash, invite.rosterHash);
  if (!isNamed) throw new ProtocolError("fork", "another commit than the invitation's");
  if (read.clear.kind !== origin.kind) {
    throw new ProtocolError("fork", "a room of another kind than its origin");
  }
  if (!findMember(roster, read.core.committerUser)) {
    throw new ProtocolError("committer", "a committer who is not in the roster");
  }
  for (const row of roster) verifiedListOf(trust, row);
  return enterAt(read, { origin, roster }, reader);
}
