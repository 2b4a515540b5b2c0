/** The frames of the socket, both ways (docs/wire.md §4); the twin of messaging/frames.py. */
import type { Id } from "./contract";
import type { LogPage, Stamp } from "./wire";

export const MAX_FRAME_BYTES = 64 * 1024;

/** What the client says, without its `ref`. */
export type ClientFrame =
  | { event: "device.prove"; device_id: Id; signature: string }
  | { event: "message.send"; room_id: Id; envelope: string }
  | { event: "sync"; rooms: Record<Id, number> }
  | { event: "heads" }
  | { event: "cursor.move"; room_id: Id; delivered_to?: number; read_to?: number }
  | { event: "ping"; t: number };

export type Heads = Record<Id, { seq: number; epoch: number }>;
export type StoredId = [device: Id, messageId: Id, seq: number, eid16: string];

/** What the server says by itself. */
export type Push =
  | ({ event: "message.live"; room_id: Id; envelope: string } & Stamp)
  | { event: "message.stored"; room_id: Id; from: number; to: number; ids: StoredId[] }
  | { event: "message.refused"; room_id: Id; message_id: Id; code: string }
  | ({ event: "sync.page"; more: boolean } & LogPage)
  | { event: "commit.accepted"; room_id: Id; epoch: number; hash: string }
  | { event: "member.left"; room_id: Id; user_id: Id }
  | { event: "room.added" | "room.removed" | "room.deleted"; room_id: Id }
  | { event: "cursor.moved"; room_id: Id; user_id: Id; delivered_to: number; read_to: number }
  | { event: "friend_request.received" | "friend_request.closed"; friend_request_id: Id }
  | { event: "friendship.made" | "friendship.ended" | "profile.changed"; user_id: Id }
  | { event: "reset.changed" }
  | { event: "heads"; rooms: Heads }
  | { event: "reconnect"; within_ms: number };

export type ServerFrame =
  | Push
  | { event: "hello"; nonce: string; origin: string; now_ms: number }
  | ({ event: "reply"; ref: string } & Record<string, unknown>)
  | { event: "error"; ref?: string; code: string; retryable: boolean; retry_after_ms?: number };

type Shape = Record<string, "string" | "number" | "boolean" | "array" | "object">;

const STAMP: Shape = { accepted_ms: "number", key_id: "number", stamp: "string" };
const ROOM: Shape = { room_id: "string" };

/** The members that each event must have; a frame without one of them is no frame. */
export const SERVER_EVENTS: Readonly<Record<ServerFrame["event"], Shape>> = {
  hello: { nonce: "string", origin: "string", now_ms: "number" },
  reply: { ref: "string" },
  error: { code: "string", retryable: "boolean" },
  "message.live": { ...ROOM, envelope: "string", ...STAMP },
  "message.stored": { ...ROOM, from: "number", to: "number", ids: "array" },
  "message.refused": { ...ROOM, message_id: "string", code: "string" },
  "sync.page": {
    ...ROOM,
    after: "number",
    upto: "number",
    head: "number",
    items: "array",
    more: "boolean",
  },
  "commit.accepted": { ...ROOM, epoch: "number", hash: "string" },
  "member.left": { ...ROOM, user_id: "string" },
  "room.added": ROOM,
  "room.removed": ROOM,
  "room.deleted": ROOM,
  "cursor.moved": { ...ROOM, user_id: "string", delivered_to: "number", read_to: "number" },
  "friend_request.received": { friend_request_id: "string" },
  "friend_request.closed": { friend_request_id: "string" },
  "friendship.made": { user_id: "string" },
  "friendship.ended": { user_id: "string" },
  "profile.changed": { user_id: "string" },
  "reset.changed": {},
  heads: { rooms: "object" },
  reconnect: { within_ms: "number" },
};

/** The events that a client may send; the twin of the server's list. */
export const CLIENT_EVENTS = [
  "device.prove",
  "message.send",
  "sync",
  "heads",
  "cursor.move",
  "ping",
] as const satisfies readonly ClientFrame["event"][];

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isSafeInteger(value) ? "number" : "fraction";
  return value === null ? "null" : typeof value;
}

function isEvent(value: unknown): value is ServerFrame["event"] {
  return typeof value === "string" && Object.hasOwn(SERVER_EVENTS, value);
}

/**
 * Read a frame; null for an event that this version does not know (a newer server's).
 * Throws SyntaxError for what is no frame at all: no JSON object, or a member missing or of
 * another type.
 */
export function parseFrame(data: unknown): ServerFrame | null {
  if (typeof data !== "string") throw new SyntaxError("a frame is text");
  const frame: unknown = JSON.parse(data);
  if (kindOf(frame) !== "object") throw new SyntaxError("a frame is an object");
  const members = frame as Record<string, unknown>;
  const event = members["event"];
  if (typeof event !== "string") throw new SyntaxError("a frame names its event");
  if (!isEvent(event)) return null;
  for (const [name, kind] of Object.entries(SERVER_EVENTS[event])) {
    if (kindOf(members[name]) !== kind) throw new SyntaxError(`${event} without ${name}`);
  }
  return members as unknown as ServerFrame;
}
