/**
 * Applying what the log says, page by page, and live copies before it (reliability: the log
 * repairs everything). Every function here runs in the room's lane.
 */
import type { Body, SeenLog } from "../crypto/body";
import { decodeBase64url, encodeBase64url, equalBytes } from "../crypto/encoding";
import { parseEnvelope } from "../crypto/envelope";
import { ProtocolError } from "../crypto/errors";
import { eventHash } from "../crypto/log_hash";
import { Batch } from "./batch";
import { followChain } from "./chain";
import type { Id } from "./contract";
import type { Core } from "./core";
import type { StoredId } from "./frames";
import { type Result, arrive, retryHeld } from "./inbox";
import { compareLog, extendLog, logAt, noteTakenBack } from "./log";
import { collectNote, keepNotes } from "./own_room";
import { readRoom, updateRoom } from "./records";
import { type Arrived, againRow, eventRow } from "./rows";
import { bodyOfItem, wasOpened } from "./store/reopen";
import type { ItemRow } from "./store/schema";
import type { LogItem, LogPage, MessageItem, Stamp } from "./wire";

/** An arrival as the wire brings it. */
export function arrivedOf(item: Stamp & { envelope: string; seq?: number }): Arrived {
  return {
    seq: item.seq ?? 0,
    envelope: decodeBase64url(item.envelope),
    acceptedMs: item.accepted_ms,
    keyId: item.key_id,
    stamp: decodeBase64url(item.stamp),
  };
}

function epochOf(envelope: Uint8Array): number {
  try {
    return parseEnvelope(envelope).header.pre.epoch;
  } catch (error) {
    if (error instanceof ProtocolError) return -1;
    throw error;
  }
}

function newestEpoch(items: readonly LogItem[]): number {
  const epochs = items.map((item) => {
    if (item.kind === "commit") return item.epoch;
    return item.kind === "message" ? epochOf(decodeBase64url(item.envelope)) : -1;
  });
  return Math.max(-1, ...epochs);
}

/** Apply a page of the log; one that begins after the cursor is left for `catchUp`. */
export async function applyPage(core: Core, roomId: Id, page: LogPage): Promise<void> {
  let room = await readRoom(core.store, roomId);
  if (!room || page.after > room.record.cursor) return;
  const { cursor } = room.record;
  const items = page.items.filter((item) => item.seq > cursor);
  if (newestEpoch(items) > (room.record.view?.epoch ?? -1)) {
    await followChain(core, roomId);
    room = await readRoom(core.store, roomId);
    if (!room) return;
  }
  const batch = new Batch(core.store, room);
  noteTakenBack(batch, page.head);
  const log = await applyItems(core, batch, items, logAt(batch.record));
  const upto = Math.max(cursor, page.upto);
  batch.record = {
    ...batch.record,
    cursor: upto,
    head: Math.max(batch.record.head, page.head),
    log: log?.seq === upto ? log : null,
  };
  await batch.save();
  announce(core, batch);
}

/** Tell what a saved batch changed; notes are about friends and devices. */
export function announce(core: Core, { roomId, notes }: Batch): void {
  core.changed({ rooms: [roomId], ...(notes.length > 0 && { friends: true, me: true }) });
}

/** Put items into their places, in order; gives the log hash after them. */
export async function applyItems(
  core: Core,
  batch: Batch,
  items: readonly LogItem[],
  before: SeenLog | null,
): Promise<SeenLog | null> {
  const { roomId } = batch;
  let log = before;
  for (const item of items) {
    const { row, body } = await applyItem(core, batch, item);
    if (row === null) continue;
    if (row.seq !== item.seq) {
      log = extendLog(log, item.seq, row.eid);
      const again = againRow({ roomId, seq: item.seq, eid: row.eid });
      batch.putItem({ ...again, log: log?.log ?? null });
      continue;
    }
    // What a live copy asserts can be compared only now: its place may not have been known.
    const words = body ?? (await bodyOfItem(core.store, row));
    if (words) log = await compareLog(batch, { body: words, seq: item.seq, log });
    log = extendLog(log, item.seq, row.eid);
    batch.putItem({ ...row, log: log?.log ?? null });
    noteStored(core, batch, row, words);
    if (words) await noteVoids(core, batch, row, words);
    if (words) collectNote(core, batch, row, words);
  }
  await keepNotes(core, batch);
  return log;
}

async function applyItem(core: Core, batch: Batch, item: LogItem): Promise<Result> {
  if (item.kind === "message") return arrive(core, batch, arrivedOf(item));
  const row = item.kind === "commit" ? commitRow(batch, item) : leaveRow(batch, item);
  return { row: (await batch.item(row.key)) ?? row, body: null };
}

function commitRow(batch: Batch, item: Extract<LogItem, { kind: "commit" }>): ItemRow {
  const eid = decodeBase64url(item.hash, 32);
  const known = batch.record.view?.recent.get(item.epoch);
  if (known && !equalBytes(known, eid)) batch.record = { ...batch.record, trouble: "fork" };
  const { roomId } = batch;
  return { ...eventRow({ roomId, seq: item.seq, eid }, "commit"), epoch: item.epoch };
}

function leaveRow({ roomId }: Batch, item: Extract<LogItem, { kind: "leave" }>): ItemRow {
  const eid = eventHash(decodeBase64url(item.event));
  return eventRow({ roomId, seq: item.seq, eid }, "leave");
}

/** Unread count, and the list's last line. */
function noteStored(core: Core, batch: Batch, row: ItemRow, words: Body | null): void {
  if (row.kind !== "message") return;
  const isMine = row.user === core.userId;
  const { record } = batch;
  if (row.counts && !isMine && row.seq > record.readTo) {
    batch.record = { ...batch.record, unread: record.unread + 1 };
  }
  if (words) noteText(batch, row, words);
}

/** A device speaks for its own counters, and not for one that has a stored message (§9). */
async function noteVoids(core: Core, batch: Batch, row: ItemRow, words: Body): Promise<void> {
  for (const [epoch, n] of words.void) {
    const message = await batch.byCounter(row.device, epoch, n);
    if (!message || !wasOpened(message) || message.seq === 0) continue;
    batch.record = { ...batch.record, falseVoids: batch.record.falseVoids + 1 };
  }
  if (row.device !== core.keyring.deviceId || words.void.length === 0) return;
  const said = new Set(words.void.map(([epoch, n]) => `${epoch}/${n}`));
  const voids = batch.record.voids.filter(([epoch, n]) => !said.has(`${epoch}/${n}`));
  batch.record = { ...batch.record, voids };
}

function noteText(batch: Batch, row: ItemRow, { text }: Body): void {
  if (text === null || !row.counts || row.acceptedMs < batch.record.lastAtMs) return;
  batch.record = { ...batch.record, lastText: text, lastAtMs: row.acceptedMs };
}

/** Show a live copy at once, provisionally; one of an unknown epoch waits for its commit. */
export async function applyLive(
  core: Core,
  roomId: Id,
  frame: Stamp & { envelope: string },
): Promise<void> {
  const arrived = arrivedOf(frame);
  let room = await readRoom(core.store, roomId);
  if (!room) return;
  if (epochOf(arrived.envelope) > (room.record.view?.epoch ?? -1)) {
    await followChain(core, roomId);
    room = await readRoom(core.store, roomId);
    if (!room) return;
  }
  const batch = new Batch(core.store, room);
  const { row, body } = await arrive(core, batch, arrived);
  if (row && body) {
    await compareLog(batch, { body, seq: 0, log: null });
    noteText(batch, row, body);
  }
  if (batch.isEmpty) return;
  await batch.save();
  core.changed({ rooms: [roomId] });
}

/** Try again what waited for an epoch that is known now. */
export async function applyHeld(core: Core, roomId: Id): Promise<void> {
  const room = await readRoom(core.store, roomId);
  if (!room) return;
  const batch = new Batch(core.store, room);
  for (const { row, body } of await retryHeld(core, batch)) {
    if (!row || !body) continue;
    await compareLog(batch, { body, seq: 0, log: null });
    if (row.seq > 0) await noteVoids(core, batch, row, body);
    collectNote(core, batch, row, body);
    noteText(batch, row, body);
  }
  await keepNotes(core, batch);
  if (batch.isEmpty) return;
  await batch.save();
  announce(core, batch);
}

/** Fetch and apply everything after the cursor. */
export async function catchUp(core: Core, roomId: Id): Promise<void> {
  for (;;) {
    const room = await readRoom(core.store, roomId);
    if (!room) return;
    const { cursor } = room.record;
    const path = `/api/rooms/${roomId}/items?after=${cursor}`;
    const page = await core.api.get<LogPage>(path);
    await applyPage(core, roomId, page);
    const isStuck = page.upto <= cursor;
    if (isStuck || page.upto >= page.head) return;
  }
}

/** The envelope under which this device knows a stored message, if its fingerprint is that one. */
async function knownCopy(core: Core, batch: Batch, id: StoredId): Promise<MessageItem | null> {
  const [device, messageId, seq, eid16] = id;
  const row = await batch.byMessage(device, messageId);
  const waiting = device === core.keyring.deviceId ? await batch.waiting(messageId) : null;
  const isIt = (eid: Uint8Array) =>
    equalBytes(eid.slice(0, 16), decodeBase64url(eid16, 16));
  const attempt = waiting?.attempts.find(({ eid }) => isIt(eid));
  const stampOf = waiting ?? row;
  const envelope = attempt?.envelope ?? (row && isIt(row.eid) ? row.envelope : null);
  if (!envelope || !stampOf || stampOf.acceptedMs === 0) return null;
  return {
    seq,
    kind: "message",
    envelope: encodeBase64url(envelope),
    accepted_ms: stampOf.acceptedMs,
    key_id: stampOf.keyId,
    stamp: encodeBase64url(stampOf.stamp),
  };
}

/** Give live copies their places; anything that is not at hand is fetched from the log. */
export async function applyStored(
  core: Core,
  roomId: Id,
  { from, to, ids }: { from: number; to: number; ids: readonly StoredId[] },
): Promise<void> {
  const room = await readRoom(core.store, roomId);
  if (!room || to <= room.record.cursor) return;
  const batch = new Batch(core.store, room);
  const items: MessageItem[] = [];
  const isWhole = from === room.record.cursor + 1 && ids.length === to - from + 1;
  for (const id of isWhole ? ids : []) {
    const item = await knownCopy(core, batch, id);
    if (item) items.push(item);
  }
  if (items.length === to - from + 1) {
    items.sort((left, right) => left.seq - right.seq);
    await applyPage(core, roomId, { room_id: roomId, after: from - 1, upto: to, head: to, items });
  } else {
    await updateRoom(core.store, roomId, (record) => ({ ...record, head: Math.max(record.head, to) }));
    await catchUp(core, roomId);
  }
}
