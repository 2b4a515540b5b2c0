/**
 * One step of a room: rows read, changed in memory, and written in one durable transaction.
 * What was opened earlier in the same step is found like what is stored.
 */
import type { KeptNote } from "../crypto/own_room";
import type { Id } from "./contract";
import {
  type ReadEpoch,
  type ReadRoom,
  type RoomRecord,
  putEpoch,
  putRoom,
  readEpoch,
} from "./records";
import { wasOpened } from "./store/reopen";
import type { Attempt, ItemRow, OutboxRow } from "./store/schema";
import { Changes, type Store } from "./store/store";

/** Which of several rows under one name counts: what opened before what did not, stored first. */
function claim(row: ItemRow): number {
  return (wasOpened(row) ? 0 : 2) + (row.seq > 0 ? 0 : 1);
}

export class Batch {
  readonly roomId: Id;
  record: RoomRecord;
  /** Notes of the own room that came with these messages. */
  readonly notes: KeptNote[] = [];
  /** Devices that newer lists revoke; asked once for all that arrives together. */
  revoked: ReadonlySet<string> | null = null;
  private readonly more = new Changes();
  private readonly items = new Map<string, ItemRow | null>();
  private readonly epochs = new Map<number, ReadEpoch>();
  private readonly changedEpochs = new Set<number>();
  private readonly outbox = new Map<Id, OutboxRow | null>();

  constructor(
    readonly store: Store,
    private readonly room: ReadRoom,
  ) {
    this.roomId = room.record.info.room_id;
    this.record = room.record;
  }

  async item(key: string): Promise<ItemRow | null> {
    const pending = this.items.get(key);
    if (pending !== undefined) return pending;
    return (await this.store.tables.get("items", [this.roomId, key])) ?? null;
  }

  /** The message that a device sent under an id; a stored one before a provisional one. */
  async byMessage(device: Id, messageId: Id): Promise<ItemRow | null> {
    const key: [Id, Id, Id] = [this.roomId, device, messageId];
    const stored = await this.store.tables.getAllFromIndex("items", "byMessage", key);
    return this.best(stored, (row) => row.device === device && row.messageId === messageId);
  }

  /** The message that a device sent under a counter. */
  async byCounter(device: Id, epoch: number, n: number): Promise<ItemRow | null> {
    const key: [Id, Id, number, number] = [this.roomId, device, epoch, n];
    const stored = await this.store.tables.getAllFromIndex("items", "byCounter", key);
    return this.best(
      stored,
      (row) => row.device === device && row.epoch === epoch && row.n === n,
    );
  }

  /** The item at a place of the log. */
  async bySeq(seq: number): Promise<ItemRow | null> {
    const key: [Id, number] = [this.roomId, seq];
    const stored = await this.store.tables.getAllFromIndex("items", "bySeq", key);
    return this.best(stored, (row) => row.seq === seq);
  }

  private best(stored: ItemRow[], fits: (row: ItemRow) => boolean): ItemRow | null {
    const pending = [...this.items.values()].filter((row) => row !== null).filter(fits);
    const rows = [...pending, ...stored.filter((row) => !this.items.has(row.key))];
    return rows.sort((left, right) => claim(left) - claim(right) || left.seq - right.seq)[0] ?? null;
  }

  putItem(row: ItemRow): void {
    this.items.set(row.key, row);
  }

  removeItem(key: string): void {
    this.items.set(key, null);
  }

  async epoch(epoch: number): Promise<ReadEpoch | null> {
    const pending = this.epochs.get(epoch);
    if (pending) return pending;
    const read = await readEpoch(this.store, this.roomId, epoch);
    if (read) this.epochs.set(epoch, read);
    return read;
  }

  putEpoch(next: ReadEpoch): void {
    this.epochs.set(next.state.epoch, next);
    this.changedEpochs.add(next.state.epoch);
  }

  /** The own message that waits under an id. */
  async waiting(messageId: Id): Promise<OutboxRow | null> {
    const pending = this.outbox.get(messageId);
    if (pending !== undefined) return pending;
    return (await this.store.tables.get("outbox", [this.roomId, messageId])) ?? null;
  }

  putWaiting(row: OutboxRow): void {
    this.outbox.set(row.messageId, row);
  }

  /** A message has its place: it waits no more, and the counters of other sealings are void. */
  finishWaiting(row: OutboxRow, stored: Attempt | null): void {
    this.outbox.set(row.messageId, null);
    const unused = row.attempts.filter((attempt) => attempt !== stored);
    const voids = unused.map(({ epoch, n }) => [epoch, n] as const);
    this.record = { ...this.record, voids: [...this.record.voids, ...voids] };
  }

  /** Do these changes in the same transaction. */
  also(changes: Changes): void {
    this.more.with(changes);
  }

  get isEmpty(): boolean {
    const { items, outbox, changedEpochs } = this;
    const isSame = this.record === this.room.record;
    return isSame && items.size === 0 && outbox.size === 0 && changedEpochs.size === 0;
  }

  /** Write all of it, or nothing: `Conflict` when a row changed since it was read. */
  async save(): Promise<void> {
    const { store, roomId } = this;
    const changes = new Changes();
    await putRoom(store, changes, { ...this.room, record: this.record });
    for (const epoch of this.changedEpochs) {
      const next = this.epochs.get(epoch);
      if (next) await putEpoch(store, changes, roomId, next);
    }
    for (const [key, row] of this.items) {
      if (row) changes.put("items", [roomId, key], row);
      else changes.delete("items", [roomId, key]);
    }
    for (const [messageId, row] of this.outbox) {
      if (row) changes.put("outbox", [roomId, messageId], row);
      else changes.delete("outbox", [roomId, messageId]);
    }
    changes.with(this.more);
    await store.commit(changes);
  }
}
