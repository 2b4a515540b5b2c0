/**
 * Who is in a room, as screens show it: from the roster that the chain makes, never from the
 * server's word. The server only gives the names that people have chosen.
 */
import { shownTitle } from "../crypto/epoch";
import { KIND_DIRECT, type Member, ROLE_ADMIN, directOrigin, findMember, roomOf } from "../crypto/roster";
import type { Id, RoomMember, RoomSummary } from "./contract";
import type { Core } from "./core";
import { idBytes, idOf } from "./ids";
import type { RoomRecord } from "./records";

/** The name of a person in a room; empty where nobody has told one. */
export function nameIn({ info, names }: RoomRecord, userId: Id): string {
  const member = info.members.find((one) => one.user_id === userId);
  return member?.nickname ?? names[userId] ?? "";
}

function shownMember(record: RoomRecord, { user, role }: Member): RoomMember {
  const userId = idOf(user);
  const nickname = nameIn(record, userId);
  return { userId, nickname, role: role === ROLE_ADMIN ? "admin" : "member" };
}

type Membership = Pick<RoomSummary, "kind" | "members" | "isAdmin" | "title">;

/** Give kind, members, own role and title; nobody is shown before the chain was verified. */
export function membershipOf(record: RoomRecord, own: Id): Membership {
  const { info, view, left } = record;
  if (!view) return { kind: info.kind, members: [], isAdmin: false, title: "" };
  const roster = view.roster.filter((row) => left === null || idOf(row.user) !== own);
  const members = roster.map((row) => shownMember(record, row));
  const isAdmin = left === null && findMember(view.roster, idBytes(own))?.role === ROLE_ADMIN;
  if (view.clear.kind !== KIND_DIRECT) {
    return { kind: "group", members, isAdmin, title: shownTitle(view) ?? "" };
  }
  const other = members.find((member) => member.userId !== own);
  return { kind: "direct", members, isAdmin, title: other?.nickname ?? "" };
}

/** The id of the direct room with a person under their pinned key; null before first contact. */
export async function directRoomWith(core: Core, userId: Id): Promise<Id | null> {
  const other = await core.people.account(idBytes(userId));
  if (!other) return null;
  const { amkPub } = other;
  return idOf(roomOf(directOrigin(core.keyring.device, { user: idBytes(userId), amkPub })));
}
