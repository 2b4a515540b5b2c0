/** Writing into the own room, which is made when the first thing is to be kept there. */
import { type Note, noteMembers } from "../crypto/own_room";
import { catchUp } from "./apply";
import { followChain } from "./chain";
import { postOwnRoom } from "./commits";
import type { Id } from "./contract";
import type { Core } from "./core";
import type { Outbox } from "./outbox";
import { homeless, keptNotes, ownRooms } from "./own_room";
import { enqueueNote } from "./queue";
import type { RoomRecord } from "./records";
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

async function ownRoomToWriteIn(core: Core): Promise<Id> {
  const [known] = await ownRooms(core.store, core.keyring.device);
  const first = known ?? (await findOrMake(core));
  if (first.trouble !== "none" && first.trouble !== "getting_keys") throw refuse("unverified");
  return first.info.room_id;
}

/** Another device may have made one that this browser has not heard of. */
async function findOrMake(core: Core): Promise<RoomRecord> {
  const { store, keyring, lanes } = core;
  for (const roomId of await refreshRooms(core)) {
    await lanes.run(roomId, () => followChain(core, roomId));
  }
  const [found] = await ownRooms(store, keyring.device);
  return found ?? make(core);
}

async function make(core: Core): Promise<RoomRecord> {
  const { store, keyring, lanes, platform } = core;
  const info = await postOwnRoom(core);
  const roomId = info.room_id;
  await lanes.run(roomId, async () => {
    await updateInfo(core, info);
    await followChain(core, roomId);
    await catchUp(core, roomId);
  });
  const rooms = await ownRooms(store, keyring.device);
  for (const note of homeless(await keptNotes(store), rooms)) {
    await enqueueNote(store, platform, { roomId, members: noteMembers(note) });
  }
  const made = rooms.find((record) => record.info.room_id === roomId);
  if (!made) throw refuse("unverified");
  return made;
}
