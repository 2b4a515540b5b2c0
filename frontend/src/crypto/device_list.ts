/** All devices of an account in one signed, versioned statement (docs/protocol.md §3.3). */
import {
  HASH_SIZE,
  ID_SIZE,
  KEY_SIZE,
  SUITE_BYTE,
  ascending,
  compareBytes,
  equalBytes,
  hex,
  lp,
  lpSplit,
  typedFields,
  u64,
  uint,
  utf8,
} from "./encoding";
import { ProtocolError } from "./errors";
import {
  type AccountKey,
  type DeviceEntry,
  encodeEntry,
  parseEntry,
  signAsAccount,
  verifyEntry,
} from "./identity";
import { checkPublicKey, h, verify } from "./primitives";

export const MAX_DEVICES = 32;
const NO_HASH = new Uint8Array(HASH_SIZE);

/** A device list as it travels: the bytes as received, and the account key's signature. */
export interface SignedDeviceList {
  readonly data: Uint8Array;
  readonly sig: Uint8Array;
}

/** A device list that has been read. */
export interface DeviceList {
  readonly user: Uint8Array;
  readonly amkPub: Uint8Array;
  readonly version: number;
  readonly prevListHash: Uint8Array;
  readonly time: number;
  readonly bkVersion: number;
  readonly bkHash: Uint8Array;
  readonly entries: readonly DeviceEntry[];
}

/** The highest list that this client has verified for an account. */
export interface KnownList {
  readonly version: number;
  readonly listHash: Uint8Array;
}

/** The hash that rosters and later lists name a list by. */
export function listHash(signed: SignedDeviceList): Uint8Array {
  return h("devices", signed.data);
}

/** Write the bytes that are hashed and signed. */
export function encodeDeviceList(list: DeviceList): Uint8Array {
  return lp(
    utf8("devices"),
    SUITE_BYTE,
    list.user,
    list.amkPub,
    u64(list.version),
    list.prevListHash,
    u64(list.time),
    u64(list.bkVersion),
    list.bkHash,
    lp(...list.entries.map(encodeEntry)),
  );
}

/** Give the row of one device, or null when the list does not name it. */
export function entryOf(list: DeviceList, device: Uint8Array): DeviceEntry | null {
  return list.entries.find((entry) => equalBytes(entry.device, device)) ?? null;
}

/** Read a device list without believing it; `parse` or `suite` for another shape. */
export function parseDeviceList(data: Uint8Array): DeviceList {
  const sizes = [ID_SIZE, KEY_SIZE, 8, HASH_SIZE, 8, 8, HASH_SIZE, null] as const;
  const fields = typedFields(data, "devices", sizes);
  const [user, amkPub, version, prevListHash, time, bkVersion, bkHash, rows] = fields;
  const entries = lpSplit(rows, MAX_DEVICES).map(parseEntry);
  ascending(entries.map((entry) => entry.device));
  if (entries.length === 0 || uint(bkVersion) === 0) {
    throw new ProtocolError("parse", "a list names at least one device and a backup key");
  }
  const isFirst = uint(version) === 1;
  if (uint(version) === 0 || isFirst !== equalBytes(prevListHash, NO_HASH)) {
    throw new ProtocolError("parse", "the first list, and only the first, has no predecessor");
  }
  return {
    user,
    amkPub,
    version: uint(version),
    prevListHash,
    time: uint(time),
    bkVersion: uint(bkVersion),
    bkHash,
    entries,
  };
}

/** Sign a list with the account key it names; RangeError when it names another. */
export function signDeviceList(account: AccountKey, list: DeviceList): SignedDeviceList {
  if (!equalBytes(list.user, account.user) || !equalBytes(list.amkPub, account.publicHalf)) {
    throw new RangeError("a list is signed by its own account");
  }
  const data = encodeDeviceList(list);
  return { data, sig: signAsAccount(account, "devices", h("devices", data)) };
}

function sorted(entries: readonly DeviceEntry[]): DeviceEntry[] {
  return [...entries].sort((left, right) => compareBytes(left.device, right.device));
}

/** Make version 1 of an account's list; `time` in ms, `bkPub` the backup key of version 1. */
export function firstDeviceList(
  account: AccountKey,
  entries: readonly DeviceEntry[],
  { time, bkPub }: { time: number; bkPub: Uint8Array },
): SignedDeviceList {
  return signDeviceList(account, {
    user: account.user,
    amkPub: account.publicHalf,
    version: 1,
    prevListHash: NO_HASH,
    time,
    bkVersion: 1,
    bkHash: h("bk", bkPub),
    entries: sorted(entries),
  });
}

/** Make the successor of a list with these devices; one that is left out is revoked. */
export function nextDeviceList(
  account: AccountKey,
  previous: SignedDeviceList,
  entries: readonly DeviceEntry[],
  { time }: { time: number },
): SignedDeviceList {
  const before = parseDeviceList(previous.data);
  return signDeviceList(account, {
    ...before,
    version: before.version + 1,
    prevListHash: listHash(previous),
    time,
    entries: sorted(entries),
  });
}

/** Make the list that names the next backup key; the devices stay as they are. */
export function listWithBackup(
  account: AccountKey,
  newest: SignedDeviceList,
  bkPub: Uint8Array,
  { time }: { time: number },
): SignedDeviceList {
  const before = parseDeviceList(newest.data);
  return signDeviceList(account, {
    ...before,
    version: before.version + 1,
    prevListHash: listHash(newest),
    time,
    bkVersion: before.bkVersion + 1,
    bkHash: h("bk", bkPub),
  });
}

/**
 * Make the list in which a further device enters, in the place of `instead` where that is given;
 * the others' entries stay as they are.
 * RangeError when the device is in the list already, or the list is full.
 */
export function listWith(
  account: AccountKey,
  newest: SignedDeviceList,
  entry: DeviceEntry,
  { time, instead = null }: { time: number; instead?: Uint8Array | null },
): SignedDeviceList {
  const isKept = ({ device }: DeviceEntry) => instead === null || !equalBytes(device, instead);
  const { entries } = parseDeviceList(newest.data);
  const kept = entries.filter(isKept);
  if (kept.length >= MAX_DEVICES || entries.some(({ device }) => equalBytes(device, entry.device))) {
    throw new RangeError("a list names at most 32 devices, each once");
  }
  return nextDeviceList(account, newest, [...kept, entry], { time });
}

/** Make the list that revokes a device; RangeError when it is not there, or is the last one. */
export function listWithout(
  account: AccountKey,
  newest: SignedDeviceList,
  device: Uint8Array,
  { time }: { time: number },
): SignedDeviceList {
  const { entries } = parseDeviceList(newest.data);
  const kept = entries.filter((entry) => !equalBytes(entry.device, device));
  if (kept.length === 0 || kept.length === entries.length) {
    throw new RangeError("a list that drops one of several devices");
  }
  return nextDeviceList(account, newest, kept, { time });
}

/**
 * Read every list of the own account, from the first on, each naming its predecessor. A device
 * that has nothing yet knows no highest version: it takes no list on trust. Refuses `reference`
 * when one is missing, and as `acceptDeviceList` does.
 */
export function walkOwnLists(
  lists: readonly SignedDeviceList[],
  { user, amkPub }: { user: Uint8Array; amkPub: Uint8Array },
): DeviceList[] {
  const opened = lists.map((signed) => verifyDeviceList(signed, user, amkPub));
  const [first] = lists;
  if (!first || opened[0]?.version !== 1) {
    throw new ProtocolError("reference", "the first device list of the own account");
  }
  acceptDeviceList({ version: 1, listHash: listHash(first) }, lists, { user, amkPub });
  return opened;
}

/**
 * Read a list that must be this account's, in the order of docs/protocol.md §3.3.
 * Refuses `parse`, `suite`, `pin_mismatch` (another account or key) and `signature`.
 */
export function verifyDeviceList(
  signed: SignedDeviceList,
  user: Uint8Array,
  amkPub: Uint8Array,
): DeviceList {
  const list = parseDeviceList(signed.data);
  if (!equalBytes(list.user, user) || !equalBytes(list.amkPub, amkPub)) {
    throw new ProtocolError("pin_mismatch", "a device list of another account or key");
  }
  checkPublicKey(list.amkPub);
  verify(list.amkPub, "devices", listHash(signed), signed.sig);
  for (const entry of list.entries) verifyEntry(entry, user, amkPub);
  const keys = new Set(list.entries.map((entry) => hex(entry.dskPub)));
  if (keys.size !== list.entries.length) {
    throw new ProtocolError("signature", "one key for two devices");
  }
  return list;
}

/**
 * Move the highest known list forward along `lists` (ascending, the newest last).
 *
 * At first contact (`known` is null) the newest stands for itself. Refuses `list_rollback` for a
 * lower version, `list_fork` for a contradiction, `reference` when one in between is missing.
 */
export function acceptDeviceList(
  known: KnownList | null,
  lists: readonly SignedDeviceList[],
  { user, amkPub }: { user: Uint8Array; amkPub: Uint8Array },
): KnownList {
  const read = lists.map((signed) => ({
    list: verifyDeviceList(signed, user, amkPub),
    hash: listHash(signed),
  }));
  const newest = read.at(-1);
  if (!newest) throw new RangeError("there is no list to accept");
  if (known === null) return { version: newest.list.version, listHash: newest.hash };
  return read.reduce((highest, { list, hash }) => step(highest, list, hash), known);
}

function step(known: KnownList, list: DeviceList, hash: Uint8Array): KnownList {
  if (list.version < known.version) {
    throw new ProtocolError("list_rollback", "a device list older than one already verified");
  }
  if (list.version === known.version) {
    if (equalBytes(hash, known.listHash)) return known;
    throw new ProtocolError("list_fork", "two device lists of one version");
  }
  if (list.version > known.version + 1) {
    throw new ProtocolError("reference", "a device list in between", list.prevListHash);
  }
  if (!equalBytes(list.prevListHash, known.listHash)) {
    throw new ProtocolError("list_fork", "a device list with another predecessor");
  }
  return { version: list.version, listHash: hash };
}
