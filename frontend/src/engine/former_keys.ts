/**
 * Account keys that resets have ended: what the server says of them, verified and kept, because
 * chains of the past name their device lists (docs/protocol.md §3.6).
 */
import { type SignedDeviceList, listHash, verifyDeviceList } from "../crypto/device_list";
import { decodeBase64url, equalBytes, fromHex, hex } from "../crypto/encoding";
import { ProtocolError } from "../crypto/errors";
import { type Reset, resetId, walkResets } from "../crypto/succession";
import type { Changes, Store } from "./store/store";
import type { FormerKeyJson } from "./wire";

/** One account key of the past: the reset that ended it, and the lists under it. */
export interface FormerKey {
  readonly reset: Reset;
  readonly resetId: Uint8Array;
  readonly lists: readonly SignedDeviceList[];
}

interface Account {
  readonly user: Uint8Array;
  readonly amkPub: Uint8Array;
}

/** Read the former keys of a person, the first one first; they must lead to `amkPub`. */
export function readFormer(rows: readonly FormerKeyJson[], { user, amkPub }: Account): FormerKey[] {
  const signed = rows.map((row) => ({
    data: decodeBase64url(row.reset),
    sig: decodeBase64url(row.reset_sig, 64),
  }));
  return walkResets(signed, { user, amkPub }).map((reset, at) => {
    const lists = (rows[at]?.lists ?? []).map((row) => ({
      data: decodeBase64url(row.device_list),
      sig: decodeBase64url(row.list_sig, 64),
    }));
    for (const list of lists) verifyDeviceList(list, user, reset.amkOld);
    return { reset, resetId: resetId(signed[at] ?? { data: user, sig: user }), lists };
  });
}

/** Prepare to keep resets and lists of former keys; none of these is anybody's newest list. */
export function keepFormer(changes: Changes, former: readonly FormerKey[]): void {
  for (const { reset, resetId: id, lists } of former) {
    const [user, amkOld, amkNew] = [hex(reset.user), hex(reset.amkOld), hex(reset.amkNew)];
    changes.set("resets", [user, amkOld], { user, amkOld, amkNew, resetId: hex(id) });
    for (const { data, sig } of lists) {
      const hash = hex(listHash({ data, sig }));
      changes.set("lists", hash, { hash, user, data, sig });
    }
  }
}

/** The resets that lead on from a pinned key; `pin_mismatch` when there is none. */
export function resetsFrom(former: readonly FormerKey[], amkPub: Uint8Array): FormerKey[] {
  const at = former.findIndex(({ reset }) => equalBytes(reset.amkOld, amkPub));
  if (at < 0) throw new ProtocolError("pin_mismatch", "another account key, and no reset to it");
  return former.slice(at);
}

/** The keys whose verified resets lead to a key, with the ids of these resets (hexadecimal). */
export async function formerKeysOf(
  store: Store,
  { user, amkPub }: Account,
): Promise<{ amkPub: Uint8Array; resetId: string }[]> {
  const rows = (await store.tables.getAll("resets")).filter((row) => row.user === hex(user));
  const before = new Map(rows.map((row) => [row.amkNew, row]));
  const found: { amkPub: Uint8Array; resetId: string }[] = [];
  for (let row = before.get(hex(amkPub)); row; row = before.get(row.amkOld)) {
    before.delete(row.amkNew);
    found.push({ amkPub: fromHex(row.amkOld), resetId: row.resetId });
  }
  return found;
}
