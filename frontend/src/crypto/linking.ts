/**
 * A further device enters an account by a code on its screen (docs/protocol.md §3.8).
 *
 * Both sides are states that every step replaces: there is no way back into a state that failed,
 * and a state that gave up holds nothing that could be used.
 */
import {
  type DeviceList,
  MAX_DEVICES,
  type SignedDeviceList,
  entryOf,
  nextDeviceList,
  parseDeviceList,
  verifyDeviceList,
} from "./device_list";
import {
  EMPTY,
  HASH_SIZE,
  ID_SIZE,
  KEY_SIZE,
  SIGNATURE_SIZE,
  SUITE_BYTE,
  ascending,
  compareBytes,
  concat,
  equalBytes,
  hex,
  lp,
  lpFields,
  lpSplit,
  typedFields,
  u64,
  uint,
  utf8,
} from "./encoding";
import { type Outcome, ProtocolError, refusedAs } from "./errors";
import { type AccountKey, type DeviceKeys, deviceId, newDevice, verifyEntry } from "./identity";
import { type Random, ZERO_NONCE, aeadOpen, aeadSeal, h, kdf, systemRandom } from "./primitives";
import type { SigningKey } from "./signer";
import { CIPHERTEXT_SIZE, SEED_SIZE, XWingError, decapsulate, encapsulate, publicOf } from "./xwing";

export const LINK_MS = 5 * 60 * 1000;
const MAX_PINS = 10_000;
const MAX_HEAD = 1024;

/** What the new device shows: never sent to the server, since psk is in it. */
export interface LinkCode {
  readonly data: Uint8Array;
  readonly origin: Uint8Array;
  readonly user: Uint8Array;
  readonly amkPub: Uint8Array;
  readonly dskPub: Uint8Array;
  readonly accept: Uint8Array;
  readonly xwHash: Uint8Array;
  readonly psk: Uint8Array;
  readonly device: Uint8Array;
}

/** A contact's account key and the highest device list verified for it. */
export interface Pin {
  readonly user: Uint8Array;
  readonly amkPub: Uint8Array;
  readonly version: number;
  readonly listHash: Uint8Array;
}

/** The new device shows its code; `made` in ms. The server gets `linkKey`, and never `code`. */
export interface Waiting {
  readonly state: "waiting";
  readonly keys: DeviceKeys;
  readonly code: LinkCode;
  readonly xwSeed: Uint8Array;
  readonly made: number;
}

/** The new device is in the list; what the old one told it. */
export interface Linked {
  readonly state: "linked";
  readonly keys: DeviceKeys;
  readonly devices: SignedDeviceList;
  readonly head: Uint8Array;
  readonly pins: readonly Pin[];
  readonly backupSeed: Uint8Array;
}

/** The old device has read a code and asks its owner; `read` in ms. */
export interface Asking {
  readonly state: "asking";
  readonly code: LinkCode;
  readonly xwPub: Uint8Array;
  readonly read: number;
}

/** The old device's list to publish and its answer for the new one. */
export interface Answered {
  readonly state: "answered";
  readonly devices: SignedDeviceList;
  readonly answer: Uint8Array;
}

/** A side that failed, and by which outcome; nothing else is left. */
export interface GaveUp {
  readonly state: "gave up";
  readonly outcome: Outcome;
  readonly why: string;
}

function orGiveUp<T>(work: () => T): T | GaveUp {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { state: "gave up", outcome: error.outcome, why: error.message };
  }
}

function required(condition: boolean, why: string): void {
  if (!condition) throw new ProtocolError("link", why);
}

function withXWing<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof XWingError) throw new ProtocolError("link", error.message);
    throw error;
  }
}

/** The hash by which a code that was used is known again. */
export function codeHash(code: LinkCode): Uint8Array {
  return h("qr", code.data);
}

/** The one-use key that the old device fetches through the server, 1216 bytes. */
export function linkKey(waiting: Waiting): Uint8Array {
  return publicOf(waiting.xwSeed);
}

/** How a new device begins. */
export interface LinkOptions {
  readonly now: number;
  readonly signingKey?: SigningKey;
  readonly random?: Random;
}

/** Begin as the new device; user and AMK_pub are what the server claims. */
export async function beginLink(
  { user, amkPub, origin }: { user: Uint8Array; amkPub: Uint8Array; origin: string },
  { now, signingKey, random = systemRandom }: LinkOptions,
): Promise<Waiting> {
  const keys = await newDevice(user, amkPub, now, signingKey);
  const xwSeed = random(SEED_SIZE);
  const xwHash = h("link-xw", publicOf(xwSeed));
  const fields = [utf8(origin), user, amkPub, keys.dskPub, keys.accept, xwHash, random(KEY_SIZE)];
  const code = parseCode(lp(utf8("link"), SUITE_BYTE, ...fields));
  return { state: "waiting", keys, code, xwSeed, made: now };
}

/** Read a code without believing it; `parse` or `suite` for another shape. */
export function parseCode(data: Uint8Array): LinkCode {
  const sizes = [null, ID_SIZE, KEY_SIZE, KEY_SIZE, SIGNATURE_SIZE, HASH_SIZE, KEY_SIZE] as const;
  const [origin, user, amkPub, dskPub, accept, xwHash, psk] = typedFields(data, "link", sizes);
  const device = deviceId(user, dskPub);
  return { data, origin, user, amkPub, dskPub, accept, xwHash, psk, device };
}

/** Who reads a code: the account of the old device, and the codes it has read before. */
export interface CodeReader {
  readonly user: Uint8Array;
  readonly amkPub: Uint8Array;
  readonly origin: string;
  /** Hexadecimal hashes of codes. */
  readonly used: ReadonlySet<string>;
  readonly now: number;
}

/** Read a code as the old device. */
export function scanCode(
  data: Uint8Array,
  xwPub: Uint8Array,
  reader: CodeReader,
): Asking | GaveUp {
  return orGiveUp(() => {
    const code = parseCode(data);
    checkCode(code, xwPub, reader);
    required(!reader.used.has(hex(codeHash(code))), "a code that was read before");
    return { state: "asking", code, xwPub, read: reader.now };
  });
}

function checkCode(code: LinkCode, xwPub: Uint8Array, own: CodeReader): void {
  const { user, amkPub, device, dskPub, accept } = code;
  required(equalBytes(code.origin, utf8(own.origin)), "a code of another server");
  const mine = equalBytes(user, own.user) && equalBytes(amkPub, own.amkPub);
  required(mine, "a code of another account or key");
  refusedAs("link", () => {
    verifyEntry({ device, dskPub, accept, created: 0 }, user, amkPub);
  });
  required(equalBytes(code.xwHash, h("link-xw", xwPub)), "another key than the code names");
}

/** What an old device answers with; `backupSeed` is empty when old rooms stay closed. */
export interface LinkAnswer {
  readonly account: AccountKey;
  readonly previous: SignedDeviceList;
  readonly head: Uint8Array;
  readonly pins: readonly Pin[];
  readonly backupSeed: Uint8Array;
  readonly now: number;
  readonly random?: Random;
}

/** List the new device, after its owner has agreed and opened the account key. RK is not sent. */
export function answerCode(asked: Asking | Answered | GaveUp, by: LinkAnswer): Answered | GaveUp {
  return orGiveUp(() => {
    if (asked.state !== "asking") throw new ProtocolError("link", "nothing is being asked");
    const age = by.now - asked.read;
    required(age >= 0 && age <= LINK_MS, "a code that is too old");
    const devices = listWith(asked.code, by);
    return { state: "answered", devices, answer: seal(asked, encodePayload(devices, by), by) };
  });
}

function listWith(code: LinkCode, { account, previous, now }: LinkAnswer): SignedDeviceList {
  const before = parseDeviceList(previous.data);
  const { device, dskPub, accept } = code;
  const own = [code, before].every(
    ({ user, amkPub }) =>
      equalBytes(user, account.user) && equalBytes(amkPub, account.publicHalf),
  );
  required(own, "a code of another account");
  required(entryOf(before, device) === null, "a device that is listed already");
  required(before.entries.length < MAX_DEVICES, "an account with too many devices");
  const entries = [...before.entries, { device, dskPub, accept, created: now }];
  return nextDeviceList(account, previous, entries, { time: now });
}

function encodePayload(
  devices: SignedDeviceList,
  { head, pins, backupSeed }: LinkAnswer,
): Uint8Array {
  const rows = [...pins]
    .sort((one, other) => compareBytes(one.user, other.user))
    .map((pin) => lp(pin.user, pin.amkPub, u64(pin.version), pin.listHash));
  return lp(devices.data, devices.sig, head, lp(...rows), backupSeed);
}

function seal(asked: Asking, payload: Uint8Array, { random }: LinkAnswer): Uint8Array {
  const { ciphertext, sharedSecret } = withXWing(() => encapsulate(asked.xwPub, random));
  const key = answerKey(sharedSecret, asked.code);
  return concat(ciphertext, aeadSeal(key, ZERO_NONCE, payload, EMPTY));
}

/** psk proves that the answer comes from who saw the screen; the hash binds it to this one code. */
function answerKey(shared: Uint8Array, code: LinkCode): Uint8Array {
  return kdf(shared, "link", lp(code.psk, codeHash(code)));
}

/** Take an answer as the new device; whatever is wrong ends this attempt for good. */
export function finishLink(
  awaited: Waiting | Linked | GaveUp,
  answer: Uint8Array,
  { now }: { now: number },
): Linked | GaveUp {
  return orGiveUp(() =>
    refusedAs("link", () => {
      if (awaited.state !== "waiting") throw new ProtocolError("link", "nothing is awaited");
      const age = now - awaited.made;
      required(age >= 0 && age <= LINK_MS, "a code that is too old");
      return readPayload(awaited, open(awaited, answer));
    }),
  );
}

function open({ xwSeed, code }: Waiting, answer: Uint8Array): Uint8Array {
  const shared = withXWing(() => decapsulate(xwSeed, answer.slice(0, CIPHERTEXT_SIZE)));
  return aeadOpen(answerKey(shared, code), ZERO_NONCE, answer.slice(CIPHERTEXT_SIZE), EMPTY);
}

function readPayload({ keys, code }: Waiting, payload: Uint8Array): Linked {
  const sizes = [null, SIGNATURE_SIZE, null, null, null] as const;
  const [data, sig, head, rows, backupSeed] = lpFields(payload, sizes);
  required(head.length <= MAX_HEAD, "a head that is too long");
  const devices = { data, sig };
  const list = verifyDeviceList(devices, code.user, code.amkPub);
  const entry = entryOf(list, keys.device);
  required(entry !== null && equalBytes(entry.dskPub, keys.dskPub), "a list without this device");
  const fits = backupSeed.length === 0 || isBackupSeed(backupSeed, list);
  required(fits, "another backup key than the list's");
  return { state: "linked", keys, devices, head, pins: parsePins(rows), backupSeed };
}

function isBackupSeed(seed: Uint8Array, list: DeviceList): boolean {
  return seed.length === SEED_SIZE && equalBytes(h("bk", publicOf(seed)), list.bkHash);
}

function parsePins(data: Uint8Array): Pin[] {
  const pins = lpSplit(data, MAX_PINS).map((row): Pin => {
    const [user, amkPub, version, listHash] = lpFields(row, [ID_SIZE, KEY_SIZE, 8, HASH_SIZE]);
    return { user, amkPub, version: uint(version), listHash };
  });
  ascending(pins.map((pin) => pin.user));
  const counted = pins.every((pin) => pin.version > 0);
  required(counted, "a list has a version from 1 on");
  return pins;
}
