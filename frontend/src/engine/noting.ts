/** Writing into the own room, which is made when the first thing is to be kept there. */
import { type Note, noteMembers, slotOf } from "../crypto/own_room";
import { catchUp } from "./apply";
import { followChain } from "./chain";
import { postOwnRoom } from "./commits";
import type { Id } from "./contract";
import type { Core } from "./core";
import type { Outbox } from "./outbox";
import { notesThatWait } from "./notes";
import { homeless, isOwn, keptNotes, ownRooms } from "./own_room";
import { enqueueNote } from "./queue";
import { type RoomRecord, readRooms } from "./records";
import { refuse } from "./refusal";
import { refreshRooms, updateInfo } from "./rooms";

const LANE = "own room";

/**
 * Keep a note for all devices of the account; it is durable here when this resolves, and sent when
 * the server takes it. `offline` while there is no own room and no server to make one with.
 */
export async function noteDown(core: Core, outbox: Outbox, note: Note): Promise<void> {
  const roomId = await core.lanes.run(LANE, async () => {
    const first = await ownRoomToWriteIn(core);
    await enqueueNote(core.store, core.platform, { roomId: first, members: noteMembers(note) });
    return first;
  });
  core.changed({ friends: true, me: true, rooms: [] });
  outbox.kick(roomId);
}

/** Write notes whose room is gone into another one: a server may have deleted it, once a connection. */
export async function houseNotes(core: Core, outbox: Outbox): Promise<void> {
  const roomId = await core.lanes.run(LANE, async () =>
    (await homelessNotes(core)).length === 0 ? null : ownRoomToWriteIn(core),
  );
  if (roomId !== null) outbox.kick(roomId);
}

/** Notes of rooms that are gone, without those that are on their way into another one. */
async function homelessNotes({ store, keyring }: Core): Promise<Note[]> {
  const lost = homeless(await keptNotes(store), await ownRooms(store, keyring.device));
  const waiting = new Set((await notesThatWait(store)).map(slotOf));
  return lost.filter((note) => !waiting.has(slotOf(note)));
}

async function ownRoomToWriteIn(core: Core): Promise<Id> {
  const { store, platform, keyring } = core;
  const [known] = await ownRooms(store, keyring.device);
  const first = known ?? (await findOrMake(core));
  if (first.trouble !== "none" && first.trouble !== "getting_keys") throw refuse("unverified");
  const roomId = first.info.room_id;
  for (const note of await homelessNotes(core)) {
    await enqueueNote(store, platform, { roomId, members: noteMembers(note) });
  }
  return roomId;
}

/** Another device may have made one that this browser has not heard of. */
async function findOrMake(core: Core): Promise<RoomRecord> {
  const { store, keyring, lanes } = core;
  await refreshRooms(core);
  for (const record of await readRooms(store)) {
    if (record.view || !isOwn(record, keyring.device)) continue;
    const roomId = record.info.room_id;
    await lanes.run(roomId, () => followChain(core, roomId));
  }
  const [found] = await ownRooms(store, keyring.device);
  return found ?? make(core);
}

async function make(core: Core): Promise<RoomRecord> {
  const { store, keyring, lanes } = core;
  const info = await postOwnRoom(core);
  const roomId = info.room_id;
  await lanes.run(roomId, async () => {
    await updateInfo(core, info);
    await followChain(core, roomId);
    await catchUp(core, roomId);
  });
  const rooms = await ownRooms(store, keyring.device);
  const made = rooms.find((record) => record.info.room_id === roomId);
  if (!made) throw refuse("unverified");
  return made;
}
