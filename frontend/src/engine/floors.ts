/** The numbers below which nobody's prekey may fall (docs/protocol.md §4, §7.2). */
import { prekeyFloors } from "../crypto/commit";
import { decodeBase64url, equalBytes } from "../crypto/encoding";
import { h } from "../crypto/primitives";
import { followChain } from "./chain";
import type { Core } from "./core";
import type { RoomRecord } from "./records";
import { refuse } from "./refusal";

/** Lowest allowed prekey number by hexadecimal device. */
export type Floors = ReadonlyMap<string, number>;

/** Those of a room that does not exist yet. */
export const NO_FLOORS: Floors = new Map();

/**
 * Give the numbers that the head commit's prekey list names. A list that the head does not name is
 * refused, `stale_head` when the head has moved and `unverified` else: a server that chose the
 * numbers would have old prekeys used for ever.
 */
export async function floorsOf(core: Core, { info, prekeysHash }: RoomRecord): Promise<Floors> {
  const path = `/api/rooms/${info.room_id}/prekeys`;
  const { prekeys } = await core.api.get<{ prekeys: string }>(path);
  const data = decodeBase64url(prekeys);
  if (prekeysHash && equalBytes(h("prekeys", data), prekeysHash)) return prekeyFloors(data);
  throw refuse((await followChain(core, info.room_id)) ? "stale_head" : "unverified");
}

/** Take the higher of two numbers for each device. */
export function highest(one: Floors, other: Floors): Floors {
  const floors = new Map(one);
  for (const [device, seq] of other) floors.set(device, Math.max(seq, floors.get(device) ?? 0));
  return floors;
}
