/**
 * What a restored browser fetches after the newest messages: each room's past, page by page,
 * newest first.
 */
import { LOG_START } from "../crypto/log_hash";
import { announce, applyItems } from "./apply";
import { Batch } from "./batch";
import type { Id } from "./contract";
import type { Core } from "./core";
import { extendLog, noteFork } from "./log";
import { type RoomRecord, readRoom, readRooms } from "./records";
import type { LogPage } from "./wire";

const PAGE = 100;

/** Fetch the past of all rooms, the newest rooms first, as long as it is going well. */
export async function fetchPast(core: Core, isGoing: () => boolean): Promise<void> {
  const records = await readRooms(core.store);
  const rooms = records.filter(({ olderTo = 0 }) => olderTo > 0);
  rooms.sort((left, right) => right.lastAtMs - left.lastAtMs);
  for (const { info } of rooms) {
    const roomId = info.room_id;
    while (isGoing() && (await core.lanes.run(roomId, () => fetchOlder(core, roomId))));
  }
}

/** Fetch one page of a room's past, in its lane; gives whether more of it is left. */
async function fetchOlder(core: Core, roomId: Id): Promise<boolean> {
  const room = await readRoom(core.store, roomId);
  const upto = room?.record.olderTo ?? 0;
  if (!room || upto === 0) return false;
  const after = Math.max(0, upto - PAGE);
  const path = `/api/rooms/${roomId}/items?after=${after}&upto=${upto}`;
  const page = await core.api.get<LogPage>(path);
  const batch = new Batch(core.store, room);
  const items = page.items.filter(({ seq }) => seq > after && seq <= upto);
  await applyItems(core, batch, items, after === 0 ? { seq: 0, log: LOG_START } : null);
  batch.record = { ...batch.record, olderTo: after };
  await batch.save();
  announce(core, batch);
  if (after === 0) await joinLog(core, roomId);
  return after > 0;
}

/**
 * The whole log is here: roll its hash from the first item on. What the restored browser took
 * from a member's word must come out again, or the server showed another past (§9).
 */
async function joinLog(core: Core, roomId: Id): Promise<void> {
  const room = await readRoom(core.store, roomId);
  if (!room) return;
  const batch = new Batch(core.store, room);
  const { cursor } = batch.record;
  const range = IDBKeyRange.bound([roomId, 1], [roomId, cursor]);
  const rows = await core.store.tables.getAllFromIndex("items", "bySeq", range);
  let log: RoomRecord["log"] = { seq: 0, log: LOG_START };
  for (const row of rows) {
    log = extendLog(log, row.seq, row.eid);
    // A place that may not be read here: from it on only a member's word counts.
    if (log === null) return;
    if (row.log) noteFork(batch, { seq: row.seq, log: row.log }, log.log);
  }
  if (log.seq === cursor && !batch.record.log) batch.record = { ...batch.record, log };
  if (!batch.isEmpty) await batch.save();
}
