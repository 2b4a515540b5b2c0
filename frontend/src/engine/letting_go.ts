/**
 * Keys that nothing is waited for any more, removed from the store (docs/protocol.md §8.1). In a
 * room with history off this is the point of it: what the server kept of such a room opens nowhere
 * once its members' devices have let the keys go. The texts stay with who has read them.
 */
import { fromHex, hex } from "../crypto/encoding";
import { type RoomView, keepsHistory } from "../crypto/epoch";
import { type EpochState, unusableEpoch } from "../crypto/ratchet";
import type { Id } from "./contract";
import type { Core } from "./core";
import { idOf } from "./ids";
import { type ClosedEpoch, type RoomRecord, putEpoch, putRoom, readEpoch, readRoom } from "./records";
import { bodyOfItem } from "./store/reopen";
import type { ItemRow } from "./store/schema";
import { Changes, type Store } from "./store/store";

/** How long a late message of a closed epoch may still come. */
export const LATE_MS = 7 * 24 * 3600 * 1000;

/** Give the closed epochs of a room whose keys are to go, now that the next one has begun. */
export function closedWith(record: RoomRecord, next: RoomView, now: number): ClosedEpoch[] {
  const { view, closed = [] } = record;
  if (!view || keepsHistory(view)) return closed;
  return [...closed, { epoch: view.epoch, closedBy: next.head, closedMs: now }];
}

/** Let the keys of every room go that are due; each room in its lane. */
export async function letAllGo(core: Core): Promise<void> {
  for (const roomId of await core.store.tables.getAllKeys("rooms")) {
    await core.lanes.run(roomId, () => letGo(core, roomId));
  }
}

/**
 * Let the chains and message keys of closed epochs go: 7 days after they were closed here, and when
 * the log was read past the commit that closed them. What was read goes by itself, 7 days after it
 * was accepted.
 */
async function letGo({ store, platform }: Core, roomId: Id): Promise<void> {
  const room = await readRoom(store, roomId);
  const view = room?.record.view;
  if (!view || keepsHistory(view)) return;
  const { closed = [] } = room.record;
  const since = platform.now() - LATE_MS;
  const changes = new Changes();
  const left: ClosedEpoch[] = [];
  for (const one of closed) {
    const isDue = one.closedMs <= since && (await wasPassed(store, roomId, one));
    if (isDue) await letEpochGo(store, changes, roomId, one.epoch);
    else left.push(one);
  }
  for (const { epoch } of [...left, view]) {
    const read = await readEpoch(store, roomId, epoch);
    if (read) await letKeysGo(store, changes, read.state, since);
  }
  if (changes.writes.length === 0) return;
  if (left.length < closed.length) {
    await putRoom(store, changes, { ...room, record: { ...room.record, closed: left } });
  }
  await store.commit(changes);
}

async function wasPassed(store: Store, roomId: Id, { closedBy }: ClosedEpoch): Promise<boolean> {
  const row = await store.tables.get("items", [roomId, `commit/${hex(closedBy)}`]);
  return (row?.seq ?? 0) > 0;
}

async function letEpochGo(store: Store, changes: Changes, roomId: Id, epoch: number): Promise<void> {
  const read = await readEpoch(store, roomId, epoch);
  if (!read) return;
  await letKeysGo(store, changes, read.state, Infinity);
  await putEpoch(store, changes, roomId, { ...read, state: unusableEpoch(read.state) });
}

/** The keys of an epoch's messages that were accepted up to then. */
async function letKeysGo(
  store: Store,
  changes: Changes,
  { room, epoch, chains }: EpochState,
  uptoMs: number,
): Promise<void> {
  const roomId = idOf(room);
  for (const device of chains.keys()) {
    for (const row of await itemsOf(store, [roomId, idOf(fromHex(device)), epoch])) {
      const isDue = row.messageKey && row.acceptedMs <= uptoMs;
      if (isDue) changes.put("items", [roomId, row.key], await withoutKey(store, row));
    }
  }
}

function itemsOf(store: Store, place: [Id, Id, number]): Promise<ItemRow[]> {
  const range = IDBKeyRange.bound([...place, 0], [...place, Infinity]);
  return store.tables.getAllFromIndex("items", "byCounter", range);
}

/** The words take the place of the key that opened them. */
async function withoutKey(store: Store, row: ItemRow): Promise<ItemRow> {
  const body = await bodyOfItem(store, row);
  const words = body && (await store.seal("items", [row.roomId, row.key], body.data));
  return { ...row, messageKey: null, words };
}
