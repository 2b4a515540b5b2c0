/**
 * The own room as this browser knows it: which rooms are own ones, and the notes of all of them
 * (docs/protocol.md §8.9). Notes are kept apart from their room: a server that deletes the room
 * must not take a verified mark away.
 */
import type { Body } from "../crypto/body";
import { decodeBase64url, hex } from "../crypto/encoding";
import { ProtocolError } from "../crypto/errors";
import {
  type KeptNote,
  NOTE_TYPE,
  type Note,
  isOwnOrigin,
  isOwnRoom,
  keepNote,
  readNote,
} from "../crypto/own_room";
import { parseOrigin, roomOf } from "../crypto/roster";
import type { AccountIdentity } from "../crypto/safety";
import type { Batch } from "./batch";
import type { Id } from "./contract";
import type { Core } from "./core";
import { idBytes, idOf } from "./ids";
import { type RoomRecord, readRooms } from "./records";
import type { ItemRow } from "./store/schema";
import { Changes, type Store } from "./store/store";

const FACT = "own_notes";

export type KeptNotes = ReadonlyMap<string, KeptNote>;

/** The own account as this browser's device belongs to it; null before there are keys. */
export async function ownAccount(store: Store): Promise<AccountIdentity | null> {
  return (await store.fact<AccountIdentity>("device")).value ?? null;
}

/**
 * Say whether a room is the account's own. Before its chain is here the genesis says it, whose
 * hash is the room's id. One that somebody else is in is a room like any other.
 */
export function isOwn({ info, view }: RoomRecord, account: AccountIdentity): boolean {
  if (view) return isOwnRoom(view, account);
  try {
    const origin = decodeBase64url(info.genesis);
    const isThis = idOf(roomOf(parseOrigin(origin))) === info.room_id;
    return isThis && isOwnOrigin(origin, account);
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

/** Give the own rooms that are verified here, the one that counts first before the others. */
export async function ownRooms(store: Store, account: AccountIdentity): Promise<RoomRecord[]> {
  const own = (await readRooms(store)).filter((record) => record.view && isOwn(record, account));
  return own.sort((left, right) => (left.info.room_id < right.info.room_id ? -1 : 1));
}

/** Read the notes that are kept. */
export async function keptNotes(store: Store): Promise<KeptNotes> {
  return (await store.fact<KeptNotes>(FACT)).value ?? new Map<string, KeptNote>();
}

/** Read a message of the own account as a note; null for anything else. */
export function noteIn(body: Body, { author, own }: { author: Id; own: Id }): Note | null {
  try {
    return readNote(body, { author: idBytes(author), own: idBytes(own) });
  } catch (error) {
    // Ignored, as the protocol says: whoever wrote it gains nothing by it.
    if (error instanceof ProtocolError) return null;
    throw error;
  }
}

/** Take a stored message's note into the batch that keeps the message. */
export function collectNote({ userId }: Core, batch: Batch, row: ItemRow, body: Body): void {
  if (body.type !== NOTE_TYPE || row.seq === 0) return;
  const note = noteIn(body, { author: row.user, own: userId });
  const place = { room: idBytes(row.roomId), seq: row.seq };
  if (note) batch.notes.push({ note, place });
}

/** Keep the batch's notes in the transaction that keeps their messages. */
export async function keepNotes(core: Core, batch: Batch): Promise<void> {
  const { store, keyring } = core;
  if (batch.notes.length === 0 || !isOwn(batch.record, keyring.device)) return;
  const others = await ownRooms(store, keyring.device);
  const rooms = new Set([batch.roomId, ...others.map(({ info }) => info.room_id)].map(hexOf));
  const changes = new Changes();
  await putNotes(store, changes, (before) =>
    batch.notes.reduce((kept, arrived) => keepNote(kept, arrived, rooms), before),
  );
  batch.also(changes);
}

/** Prepare the kept notes to be written as `change` makes them, if it changes them. */
export async function putNotes(
  store: Store,
  changes: Changes,
  change: (kept: KeptNotes) => KeptNotes,
): Promise<void> {
  const { value = new Map<string, KeptNote>(), revision } = await store.fact<KeptNotes>(FACT);
  const kept = change(value);
  if (kept !== value) await store.putFact(changes, FACT, kept, revision);
}

function hexOf(roomId: Id): string {
  return hex(idBytes(roomId));
}

/** Give the notes of rooms that are gone: whoever makes the next own room writes them there. */
export function homeless(kept: KeptNotes, rooms: readonly RoomRecord[]): Note[] {
  const held = new Set(rooms.map(({ info }) => hexOf(info.room_id)));
  const lost = [...kept.values()].filter(({ place }) => !held.has(hex(place.room)));
  return lost.map(({ note }) => note);
}
