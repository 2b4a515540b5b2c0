/**
 * What devices and account keys say about an account: docs/protocol.md §3.5 and §3.6.
 *
 * Times of lists are claims of whoever holds the account key, so a reader never judges by them: it
 * judges by when it first saw each list itself.
 */
import {
  type DeviceList,
  type SignedDeviceList,
  entryOf,
  listHash,
  parseDeviceList,
} from "./device_list";
import {
  HASH_SIZE,
  ID_SIZE,
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
import { type DeviceEntry, type DeviceKeys, signAsDevice } from "./identity";
import { verify } from "./primitives";

const DISPUTE_MS = 30 * 24 * 3600 * 1000;
const SUBJECTS = {
  suspend: [ID_SIZE, 8],
  dispute: [HASH_SIZE],
  veto: [HASH_SIZE],
  erase: [ID_SIZE, ID_SIZE, ID_SIZE],
} as const;

/** The kinds of a device's word. */
export type WordKind = keyof typeof SUBJECTS;

/** A verified device list and when (ms, own clock) this reader first saw it. */
export interface SeenList {
  readonly signed: SignedDeviceList;
  readonly seen: number;
}

/** One device's signed word. */
export interface DeviceWord {
  readonly kind: WordKind;
  readonly signer: Uint8Array;
  readonly subject: readonly Uint8Array[];
  readonly sig: Uint8Array;
}

/** Read a list again; it was verified when it was kept. */
export function readSeen({ signed }: SeenList): DeviceList {
  return parseDeviceList(signed.data);
}

function signedContent(kind: WordKind, user: Uint8Array, subject: readonly Uint8Array[]): Uint8Array {
  // An erase statement names no account: the message's device id already follows from it (§3.2).
  return kind === "erase" ? lp(SUITE_BYTE, ...subject) : lp(SUITE_BYTE, user, ...subject);
}

/** Write a word as it travels. */
export function encodeWord({ kind, signer, subject, sig }: DeviceWord): Uint8Array {
  return lp(utf8(kind), SUITE_BYTE, signer, ...subject, sig);
}

/** Read a word of this kind without believing it; `parse` or `suite` for another shape. */
export function parseWord(data: Uint8Array, kind: WordKind): DeviceWord {
  const sizes: readonly number[] = [ID_SIZE, ...SUBJECTS[kind], SIGNATURE_SIZE];
  const fields: readonly Uint8Array[] = typedFields(data, kind, sizes);
  const [signer, sig] = [fields.at(0), fields.at(-1)];
  if (!signer || !sig) throw new RangeError("a word has a signer and a signature");
  return { kind, signer, subject: fields.slice(1, -1), sig };
}

function verifyWord(word: DeviceWord, entry: DeviceEntry, user: Uint8Array): void {
  verify(entry.dskPub, word.kind, signedContent(word.kind, user, word.subject), word.sig);
}

async function say(
  keys: DeviceKeys,
  kind: WordKind,
  ...subject: readonly Uint8Array[]
): Promise<DeviceWord> {
  const sig = await signAsDevice(keys, kind, signedContent(kind, keys.user, subject));
  return { kind, signer: keys.device, subject, sig };
}

/** Ask the server to stop serving a device of the own account, lost or stolen, at once. */
export async function makeSuspend(
  keys: DeviceKeys,
  device: Uint8Array,
  { time }: { time: number },
): Promise<DeviceWord> {
  return say(keys, "suspend", device, u64(time));
}

/** Object to a device list of the own account, or to what followed it. */
export async function makeDispute(keys: DeviceKeys, disputed: Uint8Array): Promise<DeviceWord> {
  return say(keys, "dispute", disputed);
}

/** Stop one reset of the own account. */
export async function makeVeto(keys: DeviceKeys, id: Uint8Array): Promise<DeviceWord> {
  return say(keys, "veto", id);
}

/** Which message an erase statement is about. */
export interface MessageName {
  readonly room: Uint8Array;
  readonly device: Uint8Array;
  readonly msgId: Uint8Array;
}

/** Allow the server to drop the sealed bytes of a message of the own account. */
export async function makeErase(
  keys: DeviceKeys,
  { room, device, msgId }: MessageName,
): Promise<DeviceWord> {
  return say(keys, "erase", room, device, msgId);
}

function sameSubject(word: DeviceWord, ...subject: readonly Uint8Array[]): boolean {
  return equalBytes(lp(...word.subject), lp(...subject));
}

function byListedDevice(data: Uint8Array, kind: WordKind, devices: DeviceList): DeviceWord {
  const word = parseWord(data, kind);
  const entry = entryOf(devices, word.signer);
  if (!entry) throw new ProtocolError("dispute", `a ${kind} by a device that is not listed`);
  verifyWord(word, entry, devices.user);
  return word;
}

/**
 * Check a suspension against the account's newest list; gives the device that is suspended.
 * Refuses `dispute` for a signer who is not listed and `reference` for an unknown device.
 */
export function checkSuspend(data: Uint8Array, devices: DeviceList): Uint8Array {
  const [device, time] = byListedDevice(data, "suspend", devices).subject;
  if (!device || !time) throw new RangeError("a suspension has a device and a time");
  uint(time);
  if (!entryOf(devices, device)) {
    throw new ProtocolError("reference", "a suspension of a device that is not listed");
  }
  return device;
}

/**
 * Check a veto against the newest list under the old key; gives the device that objects.
 * Refuses `reference` for another reset's veto and `dispute` for a signer not listed.
 */
export function checkVeto(data: Uint8Array, id: Uint8Array, devices: DeviceList): Uint8Array {
  if (!sameSubject(parseWord(data, "veto"), id)) {
    throw new ProtocolError("reference", "a veto of another reset");
  }
  return byListedDevice(data, "veto", devices).signer;
}

/**
 * Check that the author's account lets this message be erased.
 * Refuses `reference` for another message's statement and `dispute` for another's device.
 */
export function checkErase(
  data: Uint8Array,
  { room, device, msgId }: MessageName,
  devices: DeviceList,
): void {
  if (!sameSubject(parseWord(data, "erase"), room, device, msgId)) {
    throw new ProtocolError("reference", "an erase statement of another message");
  }
  byListedDevice(data, "erase", devices);
}

/**
 * Check a dispute against the lists seen of an account (ascending); gives the version.
 *
 * Refuses `reference` for a list that is not among them, and `dispute` for a device that was
 * neither in the disputed list nor in one that another followed within the last 30 days.
 */
export function checkDispute(
  data: Uint8Array,
  lists: readonly SeenList[],
  { now }: { now: number },
): number {
  const word = parseWord(data, "dispute");
  const at = lists.findIndex(({ signed }) => sameSubject(word, listHash(signed)));
  const found = lists[at];
  if (!found) throw new ProtocolError("reference", "a dispute of an unknown list", word.subject[0]);
  const disputed = readSeen(found);
  const recent = lists.filter((_, index) => {
    const later = lists[index + 1];
    return index < at && later && later.seen >= now - DISPUTE_MS;
  });
  for (const devices of [disputed, ...recent.map(readSeen)]) {
    const entry = entryOf(devices, word.signer);
    if (!entry) continue;
    verifyWord(word, entry, disputed.user);
    return disputed.version;
  }
  throw new ProtocolError("dispute", "a dispute by a device that was not listed lately");
}

/** Refuse, with `dispute`, an automatic refresh to a disputed list or past it. */
export function checkAutomaticRefresh(version: number, disputed: readonly number[]): void {
  if (disputed.some((item) => version >= item)) {
    throw new ProtocolError("dispute", "a refresh to a disputed list");
  }
}
