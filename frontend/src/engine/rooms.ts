/** The list of rooms: told by the server, verified by the chain, kept here. */
import type { Id } from "./contract";
import type { Core } from "./core";
import { isRestoring } from "./history";
import { rescueNotes } from "./notes";
import { isOwn } from "./own_room";
import {
  type RoomRecord,
  newRecord,
  putRoom,
  readRoom,
  updateRoom,
} from "./records";
import { Refusal, refuse } from "./refusal";
import { ROOM_TABLES } from "./store/schema";
import { Changes } from "./store/store";
import type { RoomJson } from "./wire";

/** How many messages of each room a restored browser shows before it fetches older ones. */
export const NEWEST = 50;

function namesIn(info: RoomJson): Record<Id, string> {
  return Object.fromEntries(info.members.map((member) => [member.user_id, member.nickname]));
}

function withInfo(record: RoomRecord, info: RoomJson, userId: Id): RoomRecord {
  const own = info.cursors.find((cursor) => cursor.user_id === userId);
  const isFormer = info.me.last_epoch !== null;
  const isLeaving = info.leaving.some((leaving) => leaving.user_id === userId);
  const leaveSent = isFormer ? record.leaveSent : isLeaving;
  const left = isFormer ? (record.left ?? (record.leaveSent ? "left" : "removed")) : null;
  return {
    ...record,
    info,
    left,
    leaveSent,
    head: Math.max(record.head, info.head_seq),
    readTo: Math.max(record.readTo, own?.read_to ?? 0),
    hiddenTo: info.me.hidden_to,
    names: { ...record.names, ...namesIn(info) },
  };
}

/** A restored browser begins with a room's newest messages; what is older comes after them. */
function fromNewest(record: RoomRecord, { head_seq: head }: RoomJson): RoomRecord {
  const before = Math.max(0, head - NEWEST);
  return { ...record, cursor: before, olderTo: before };
}

/** Take over what the server says of a room; makes its record when it is new. In its lane. */
export async function updateInfo(core: Core, info: RoomJson): Promise<void> {
  const { store, userId } = core;
  const room = await readRoom(store, info.room_id);
  const changes = new Changes();
  const fresh = newRecord(info, userId);
  // Of the own room every note counts, however old: it is there from its first place on.
  const isShort = (await isRestoring(core)) && !isOwn(fresh, core.keyring.device);
  const first = isShort ? fromNewest(fresh, info) : fresh;
  const record = withInfo(room?.record ?? first, info, userId);
  await putRoom(store, changes, { record, revision: room?.revision ?? 0 });
  await store.commit(changes);
  core.changed({ rooms: [info.room_id] });
}

/** Delete a room and everything of it from this browser. */
export async function deleteRoom(core: Core, roomId: Id): Promise<void> {
  const changes = new Changes();
  for (const table of ROOM_TABLES) {
    const range = IDBKeyRange.bound([roomId], [roomId, []]);
    for (const key of await core.store.tables.getAllKeys(table, range)) changes.delete(table, key);
  }
  changes.delete("drafts", roomId).delete("rooms", roomId);
  await rescueNotes(core.store, changes, roomId);
  await core.store.commit(changes);
  core.changed({ rooms: [roomId] });
}

/** Give what the server says of a room, unless it speaks of another one: `unverified`. */
export function sameRoom(info: RoomJson, roomId: Id): RoomJson {
  if (info.room_id !== roomId) throw refuse("unverified");
  return info;
}

/** Fetch a room as the server sees it now. */
export async function fetchInfo(core: Core, roomId: Id): Promise<RoomJson> {
  return sameRoom(await core.api.get<RoomJson>(`/api/rooms/${roomId}`), roomId);
}

/** Ask the server about one room; one that is not there any more goes. In its lane. */
export async function refreshRoom(core: Core, roomId: Id): Promise<RoomJson | null> {
  try {
    const info = await fetchInfo(core, roomId);
    await updateInfo(core, info);
    return info;
  } catch (error) {
    const isGone =
      error instanceof Refusal && (error.code === "not_found" || error.code === "room_deleted");
    if (!isGone) throw error;
    await deleteRoom(core, roomId);
    return null;
  }
}

/** Fetch the list of rooms; those that it leaves out are asked for one by one. Gives all ids. */
export async function refreshRooms(core: Core): Promise<Id[]> {
  const { rooms } = await core.api.get<{ rooms: RoomJson[] }>("/api/rooms");
  const listed = new Set(rooms.map((info) => info.room_id));
  for (const info of rooms) await core.lanes.run(info.room_id, () => updateInfo(core, info));
  for (const roomId of await core.store.tables.getAllKeys("rooms")) {
    if (!listed.has(roomId)) await core.lanes.run(roomId, () => refreshRoom(core, roomId));
  }
  return core.store.tables.getAllKeys("rooms");
}

/** Another member, or another device of ours, has read further. In the room's lane. */
export async function moveCursor(
  core: Core,
  roomId: Id,
  moved: { user_id: Id; delivered_to: number; read_to: number },
): Promise<void> {
  const record = await updateRoom(core.store, roomId, (before) => {
    const others = before.info.cursors.filter((cursor) => cursor.user_id !== moved.user_id);
    const { user_id, delivered_to, read_to } = moved;
    const cursors = [...others, { user_id, delivered_to, read_to }];
    return { ...before, info: { ...before.info, cursors } };
  });
  if (record && moved.user_id === core.userId) await markRead(core, roomId, moved.read_to);
  core.changed({ rooms: [roomId] });
}

/** Note that everything up to here was seen, and count what is left. In the room's lane. */
export async function markRead(core: Core, roomId: Id, seq: number): Promise<void> {
  const room = await readRoom(core.store, roomId);
  if (!room || seq <= room.record.readTo) return;
  const readTo = Math.min(seq, room.record.cursor);
  const range = IDBKeyRange.bound([roomId, readTo + 1], [roomId, Infinity]);
  const rows = await core.store.tables.getAllFromIndex("items", "bySeq", range);
  const unread = rows.filter((row) => row.counts && row.user !== core.userId).length;
  const record = { ...room.record, unread, readTo: Math.max(readTo, room.record.readTo) };
  const changes = new Changes();
  await putRoom(core.store, changes, { ...room, record });
  await core.store.commit(changes);
  core.changed({ rooms: [roomId] });
}
