/** What this browser keeps of a room, sealed in one row. */
import type { SeenLog } from "../crypto/body";
import type { RoomView } from "../crypto/epoch";
import type { Counter } from "../crypto/log_hash";
import type { EpochState } from "../crypto/ratchet";
import type { Id, RoomSummary } from "./contract";
import { Changes, type Store } from "./store/store";
import type { RoomJson } from "./wire";

/** An epoch that another one has followed, by the hash of the commit that closed it. */
export interface ClosedEpoch {
  readonly epoch: number;
  readonly closedBy: Uint8Array;
  readonly closedMs: number;
}

export interface RoomRecord {
  /** As the server last gave it: names, roles, cursors; never the source of keys. */
  info: RoomJson;
  /** What this device itself verified; null before epoch 0. */
  view: RoomView | null;
  trouble: RoomSummary["trouble"];
  /** What the head commit calls its prekey list; null before epoch 0. */
  prekeysHash: Uint8Array | null;
  /** When the head epoch was received, by the own clock. */
  receivedMs: number;
  /** Everything up to here is applied. */
  cursor: number;
  /** The highest place that was heard of. */
  head: number;
  /** The rolling log hash at the cursor; null while the log is known with a hole. */
  log: SeenLog | null;
  /** Evidence of another order of the log than ours: both hashes; of a log taken back: only ours. */
  logFork: { seq: number; own: Uint8Array; asserted: Uint8Array } | null;
  deliveredTo: number;
  readTo: number;
  unread: number;
  lastText: string;
  lastAtMs: number;
  /** Own counters that were used up without a stored message; said in the next body. */
  voids: Counter[];
  /** How many counters members called void under which their message is stored (§9). */
  falseVoids: number;
  left: "left" | "removed" | null;
  /** The own leave statement is with the server. */
  leaveSent: boolean;
  /** Hidden by its owner until something newer than this is stored. */
  hiddenTo: number;
  /** Its owner opened it again after hiding it. */
  reopened: boolean;
  /** The names of everybody who was ever met here. */
  names: Record<Id, string>;
  /** Epochs of which no history is kept, closed since then, whose keys are still here. */
  closed?: ClosedEpoch[];
  /** The places up to here are still to be fetched, newest first; absent or 0: none. */
  olderTo?: number;
}

/** A record with the revision that it was read at. */
export interface ReadRoom {
  record: RoomRecord;
  revision: number;
}

/** An epoch's chains with the revision that they were read at. */
export interface ReadEpoch {
  state: EpochState;
  revision: number;
}

/** Start the record of a room that the server told of. */
export function newRecord(info: RoomJson, userId: Id): RoomRecord {
  const own = info.cursors.find((cursor) => cursor.user_id === userId);
  return {
    info,
    view: null,
    trouble: "getting_keys",
    prekeysHash: null,
    receivedMs: 0,
    cursor: 0,
    head: info.head_seq,
    log: null,
    logFork: null,
    deliveredTo: own?.delivered_to ?? 0,
    readTo: own?.read_to ?? 0,
    unread: 0,
    lastText: "",
    lastAtMs: info.created_ms,
    voids: [],
    falseVoids: 0,
    left: null,
    leaveSent: false,
    hiddenTo: info.me.hidden_to,
    reopened: false,
    names: {},
  };
}

/** Read a room; null when this browser does not have it. */
export async function readRoom(store: Store, roomId: Id): Promise<ReadRoom | null> {
  const row = await store.tables.get("rooms", roomId);
  if (!row) return null;
  const record = await store.unseal<RoomRecord>("rooms", roomId, row.sealed);
  return { record, revision: row.revision };
}

/** Read all rooms. */
export async function readRooms(store: Store): Promise<RoomRecord[]> {
  const rows = await store.tables.getAll("rooms");
  return Promise.all(
    rows.map((row) => store.unseal<RoomRecord>("rooms", row.roomId, row.sealed)),
  );
}

/** Prepare a room to be written. */
export async function putRoom(store: Store, changes: Changes, room: ReadRoom): Promise<void> {
  const roomId = room.record.info.room_id;
  const sealed = await store.seal("rooms", roomId, room.record);
  changes.put("rooms", roomId, { roomId, sealed, revision: room.revision });
}

/** Change a room's record alone; nothing when it is not there. The caller holds its lane. */
export async function updateRoom(
  store: Store,
  roomId: Id,
  update: (record: RoomRecord) => RoomRecord,
): Promise<RoomRecord | null> {
  const room = await readRoom(store, roomId);
  if (!room) return null;
  const record = update(room.record);
  if (record === room.record) return record;
  const changes = new Changes();
  await putRoom(store, changes, { ...room, record });
  await store.commit(changes);
  return record;
}

/** Read the chains of an epoch; null when it is not known. */
export async function readEpoch(
  store: Store,
  roomId: Id,
  epoch: number,
): Promise<ReadEpoch | null> {
  const row = await store.tables.get("epochs", [roomId, epoch]);
  if (!row) return null;
  const state = await store.unseal<EpochState>("epochs", [roomId, epoch], row.sealed);
  return { state, revision: row.revision };
}

/** Prepare an epoch to be written. */
export async function putEpoch(
  store: Store,
  changes: Changes,
  roomId: Id,
  { state, revision }: ReadEpoch,
): Promise<void> {
  const { epoch } = state;
  const sealed = await store.seal("epochs", [roomId, epoch], state);
  changes.put("epochs", [roomId, epoch], { roomId, epoch, sealed, revision });
}
