/** An account goes on under another account key: reset or succession (docs/protocol.md §3.6). */
import { type SeenList, readSeen } from "./account_statements";
import { entryOf } from "./device_list";
import {
  EMPTY,
  ID_SIZE,
  KEY_SIZE,
  SIGNATURE_SIZE,
  SUITE_BYTE,
  equalBytes,
  lp,
  typedFields,
  u64,
  uint,
  utf8,
} from "./encoding";
import { ProtocolError } from "./errors";
import { type AccountKey, type DeviceKeys, signAsAccount, signAsDevice } from "./identity";
import { type Random, checkPublicKey, h, systemRandom, verify } from "./primitives";

export const RESET_WAIT_MS = 72 * 3600 * 1000;
export const SUCCEED_MS = 7 * 24 * 3600 * 1000;

/** What the change of an account key is to others. */
export type KeyChange = "renewed" | "reset";

/** Where a reset stands. */
export type ResetState = "waiting" | "vetoed" | "due";

/** A reset as it travels: the bytes as received, and the new account key's signature. */
export interface SignedReset {
  readonly data: Uint8Array;
  readonly sig: Uint8Array;
}

/** A reset that has been read. */
export interface Reset {
  readonly user: Uint8Array;
  readonly amkOld: Uint8Array;
  readonly amkNew: Uint8Array;
  readonly time: number;
}

/** The hash that a veto names a reset by, 32 bytes. */
export function resetId(signed: SignedReset): Uint8Array {
  return h("reset", signed.data);
}

/** Ask for the account to go on under `account`, whose old key is lost. */
export function makeReset(
  account: AccountKey,
  amkOld: Uint8Array,
  { time, random = systemRandom }: { time: number; random?: Random },
): SignedReset {
  const { user, publicHalf } = account;
  const data = lp(utf8("reset"), SUITE_BYTE, user, amkOld, publicHalf, u64(time), random(32));
  return { data, sig: signAsAccount(account, "reset", h("reset", data)) };
}

/** Read a reset without believing it; `parse` or `suite` for another shape. */
export function parseReset(data: Uint8Array): Reset {
  const sizes = [ID_SIZE, KEY_SIZE, KEY_SIZE, 8, 32] as const;
  const [user, amkOld, amkNew, time] = typedFields(data, "reset", sizes);
  return { user, amkOld, amkNew, time: uint(time) };
}

/** Read a reset of this account; `pin_mismatch` for another, `signature` for no owner. */
export function verifyReset(signed: SignedReset, user: Uint8Array, amkOld: Uint8Array): Reset {
  const reset = parseReset(signed.data);
  if (!equalBytes(reset.user, user) || !equalBytes(reset.amkOld, amkOld)) {
    throw new ProtocolError("pin_mismatch", "a reset of another account or key");
  }
  checkNewKey(amkOld, reset.amkNew);
  verify(reset.amkNew, "reset", resetId(signed), signed.sig);
  return reset;
}

/**
 * Read the resets of an account, ascending, that lead to its present key, the last one's. Each
 * begins at the key that the one before led to. Refuses `pin_mismatch` where they do not meet or
 * end at another key, and as `verifyReset` does.
 */
export function walkResets(
  resets: readonly SignedReset[],
  { user, amkPub }: { user: Uint8Array; amkPub: Uint8Array },
): Reset[] {
  const read: Reset[] = [];
  for (const signed of resets) {
    const beginsAt = read.at(-1)?.amkNew ?? parseReset(signed.data).amkOld;
    read.push(verifyReset(signed, user, beginsAt));
  }
  const last = read.at(-1);
  if (last && !equalBytes(last.amkNew, amkPub)) {
    throw new ProtocolError("pin_mismatch", "resets that lead to another account key");
  }
  return read;
}

function checkNewKey(amkOld: Uint8Array, amkNew: Uint8Array): void {
  if (equalBytes(amkOld, amkNew)) throw new ProtocolError("parse", "the same account key again");
  checkPublicKey(amkNew);
}

/**
 * Say where a verified reset stands; times in ms. `announced` is when the devices could know of
 * it, never the time that the reset claims.
 */
export function resetState(at: {
  announced: number;
  now: number;
  hasLiveDevice: boolean;
  vetoed: boolean;
}): ResetState {
  if (at.vetoed) return "vetoed";
  return at.hasLiveDevice && at.now < at.announced + RESET_WAIT_MS ? "waiting" : "due";
}

/** The old account key names its successor; a device of long standing vouches for it. */
export interface Succession {
  readonly user: Uint8Array;
  readonly amkOld: Uint8Array;
  readonly amkNew: Uint8Array;
  readonly version: number;
  readonly sig: Uint8Array;
  readonly device: Uint8Array;
  readonly deviceSig: Uint8Array;
}

function signedContent(user: Uint8Array, amkNew: Uint8Array, version: number): Uint8Array {
  return lp(SUITE_BYTE, user, amkNew, u64(version));
}

/** Write a succession as it travels. */
export function encodeSuccession(succession: Succession): Uint8Array {
  const { user, amkOld, amkNew, version, sig, device, deviceSig } = succession;
  const label = utf8("succession");
  return lp(label, SUITE_BYTE, user, amkOld, amkNew, u64(version), sig, device, deviceSig);
}

/** Sign the successor of `account`; `version` is that of its newest device list. */
export async function makeSuccession(
  account: AccountKey,
  keys: DeviceKeys | null,
  amkNew: Uint8Array,
  { version }: { version: number },
): Promise<Succession> {
  const { user, publicHalf: amkOld } = account;
  const content = signedContent(user, amkNew, version);
  const sig = signAsAccount(account, "succeed", content);
  const deviceSig = keys ? await signAsDevice(keys, "succeed-device", content) : EMPTY;
  return { user, amkOld, amkNew, version, sig, device: keys?.device ?? EMPTY, deviceSig };
}

/** Read a succession without believing it; `parse` or `suite` for another shape. */
export function parseSuccession(data: Uint8Array): Succession {
  const sizes = [ID_SIZE, KEY_SIZE, KEY_SIZE, 8, SIGNATURE_SIZE, null, null] as const;
  const fields = typedFields(data, "succession", sizes);
  const [user, amkOld, amkNew, version, sig, device, deviceSig] = fields;
  const nobody = device.length === 0 && deviceSig.length === 0;
  if (!nobody && (device.length !== ID_SIZE || deviceSig.length !== SIGNATURE_SIZE)) {
    throw new ProtocolError("parse", "a succession is vouched for by one device or by none");
  }
  return { user, amkOld, amkNew, version: uint(version), sig, device, deviceSig };
}

/**
 * Say what a succession of a pinned account is: `renewed` by its owner, or a `reset`.
 *
 * `lists` are those seen under the old key, ascending. Refuses `pin_mismatch`, `list_rollback` (an
 * older list than the newest is named), `reference` (a newer one) and `signature`.
 */
export function judgeSuccession(
  data: Uint8Array,
  lists: readonly SeenList[],
  { user, amkOld, now }: { user: Uint8Array; amkOld: Uint8Array; now: number },
): KeyChange {
  const succession = parseSuccession(data);
  const { amkNew, version, device } = succession;
  if (!equalBytes(succession.user, user) || !equalBytes(succession.amkOld, amkOld)) {
    throw new ProtocolError("pin_mismatch", "a succession of another account or key");
  }
  checkNewKey(amkOld, amkNew);
  const content = signedContent(user, amkNew, version);
  verify(amkOld, "succeed", content, succession.sig);
  const newest = lists.at(-1);
  if (!newest) throw new RangeError("a pinned account has a list");
  const devices = readSeen(newest);
  if (version < devices.version) {
    throw new ProtocolError("list_rollback", "a succession from an older list");
  }
  if (version > devices.version) {
    throw new ProtocolError("reference", "a succession from a list that is not at hand");
  }
  const entry = entryOf(devices, device);
  if (!entry) return "reset";
  verify(entry.dskPub, "succeed-device", content, succession.deviceSig);
  return listedSince(lists, newest.seen, device) <= now - SUCCEED_MS ? "renewed" : "reset";
}

function listedSince(lists: readonly SeenList[], newest: number, device: Uint8Array): number {
  let since = newest;
  for (const item of [...lists].reverse()) {
    if (!entryOf(readSeen(item), device)) break;
    since = item.seen;
  }
  return since;
}
