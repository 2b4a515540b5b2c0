/** Ids on the wire (lower-case UUIDs) and in protocol structures (16 raw bytes). */
import { ID_SIZE, fromHex, hex } from "../crypto/encoding";
import type { Id } from "./contract";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Say whether a value is an id as the wire writes it. */
export function isId(value: unknown): value is Id {
  return typeof value === "string" && UUID.test(value);
}

/** Give the 16 bytes of an id; RangeError for anything but a lower-case UUID. */
export function idBytes(id: Id): Uint8Array {
  if (!isId(id)) throw new RangeError("an id is a lower-case UUID");
  return fromHex(id.replaceAll("-", ""));
}

/** Write 16 bytes as a lower-case UUID. */
export function idOf(data: Uint8Array): Id {
  if (data.length !== ID_SIZE) throw new RangeError("an id has 16 bytes");
  const text = hex(data);
  const parts = [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20)];
  return [...parts, text.slice(20)].join("-");
}
