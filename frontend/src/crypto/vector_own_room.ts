/** The operations of vectors on the own room and on comparing codes; see vector_runner.ts. */
import { parseBody } from "./body";
import { hex } from "./encoding";
import { type KeptNote, type Note, isOwnOrigin, keepNote, readNote } from "./own_room";
import { compareCode, safetyCode } from "./safety";
import type { Operation } from "./vector_operations";
import { type Bytes, type Of, raw, text } from "./vector_values";

interface NotesIn extends Of<"user"> {
  rooms: Bytes[];
  notes: [room: Bytes, seq: number, author: Bytes, body: Bytes][];
}

function described(note: Note): unknown[] {
  if (note.about === "device") return [note.about, text(note.device), note.name];
  return [note.about, text(note.user), text(note.account), note.isSet];
}

function ownNotes({ user, rooms, notes }: NotesIn) {
  const held = new Set(rooms.map((room) => hex(raw(room))));
  let kept: ReadonlyMap<string, KeptNote> = new Map();
  for (const [room, seq, author, body] of notes) {
    const note = readNote(parseBody(raw(body)), { author: raw(author), own: raw(user) });
    if (note) kept = keepNote(kept, { note, place: { room: raw(room), seq } }, held);
  }
  const slots = [...kept].sort(([one], [other]) => (one < other ? -1 : 1));
  return { kept: slots.map(([, { note }]) => described(note)) };
}

interface CodeIn {
  one: [Bytes, Bytes];
  other: [Bytes, Bytes];
  code: Bytes | null;
}

function account([user, amkPub]: [Bytes, Bytes]) {
  return { user: raw(user), amkPub: raw(amkPub) };
}

export const OWN_ROOM_OPERATIONS: Readonly<Record<string, Operation>> = {
  own_origin: (v: Of<"data" | "user" | "amk_pub">) => ({
    own: isOwnOrigin(raw(v.data), { user: raw(v.user), amkPub: raw(v.amk_pub) }),
  }),
  own_notes: ownNotes,
  safety_code: (v: CodeIn) => {
    const [one, other] = [account(v.one), account(v.other)];
    if (v.code !== null) compareCode(raw(v.code), one, other);
    return { code: text(safetyCode(one, other)) };
  },
};
