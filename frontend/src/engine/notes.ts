/** What the owner has noted for all devices: whom they compared with, what devices are called. */
import { parseBody, writeBody } from "../crypto/body";
import { hex } from "../crypto/encoding";
import { type Note, slotOf } from "../crypto/own_room";
import type { JsonObject } from "../crypto/strict_json";
import type { Id } from "./contract";
import { idBytes } from "./ids";
import { type KeptNotes, keptNotes, noteIn, putNotes } from "./own_room";
import type { OutboxRow } from "./store/schema";
import type { Changes, Store } from "./store/store";

/** What the owner wants now: the kept notes, and above them those that still wait to be sent. */
export class Notes {
  private readonly notes: ReadonlyMap<string, Note>;

  constructor(kept: KeptNotes, waiting: readonly Note[]) {
    const all = [...[...kept.values()].map(({ note }) => note), ...waiting];
    this.notes = new Map(all.map((note) => [slotOf(note), note]));
  }

  /** The account key that was found the same for a person; null without a mark. */
  verifiedKey(user: Uint8Array): Uint8Array | null {
    const note = this.notes.get(`verified/${hex(user)}`);
    return note?.about === "verified" && note.isSet ? note.account : null;
  }

  /** What a device is called; empty without a name. */
  deviceName(device: Uint8Array): string {
    const note = this.notes.get(`device/${hex(device)}`);
    return note?.about === "device" ? note.name : "";
  }
}

/** Read what the owner wants now, what still waits to be sent included. */
export async function readNotes(store: Store): Promise<Notes> {
  return new Notes(await keptNotes(store), await notesThatWait(store));
}

/** Read the notes that are still to be sent, oldest first; refused ones are not. */
export async function notesThatWait(store: Store): Promise<Note[]> {
  const rows = await store.tables.getAll("outbox");
  return waitingNotes(store, rows.filter((row) => row.state !== "failed"));
}

/** Open the notes among waiting messages, oldest first. */
async function waitingNotes(store: Store, rows: readonly OutboxRow[]): Promise<Note[]> {
  const waiting = rows.filter((row) => row.isNote).sort((left, right) => left.order - right.order);
  const notes = await Promise.all(waiting.map((row) => waitingNote(store, row)));
  return notes.filter((note) => note !== null);
}

async function waitingNote(store: Store, { roomId, messageId, text }: OutboxRow): Promise<Note | null> {
  const members = await store.unseal<JsonObject>("outbox", [roomId, messageId], text);
  return noteIn(parseBody(writeBody(members)), { author: store.userId, own: store.userId });
}

/** A room goes: what was to be noted there is kept, for whoever makes the next own room. */
export async function rescueNotes(store: Store, changes: Changes, roomId: Id): Promise<void> {
  const range = IDBKeyRange.bound([roomId], [roomId, []]);
  const notes = await waitingNotes(store, await store.tables.getAll("outbox", range));
  if (notes.length === 0) return;
  const place = { room: idBytes(roomId), seq: Number.MAX_SAFE_INTEGER };
  await putNotes(store, changes, (kept) =>
    notes.reduce((map, note) => new Map(map).set(slotOf(note), { note, place }), kept),
  );
}
