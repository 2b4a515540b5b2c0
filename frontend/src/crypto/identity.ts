/** Who signs: the account key, the device key, and the proof of being a device (protocol.md §3). */
import {
  ID_SIZE,
  KEY_SIZE,
  SIGNATURE_SIZE,
  SUITE_BYTE,
  equalBytes,
  lp,
  lpFields,
  u64,
  uint,
  utf8,
} from "./encoding";
import { ProtocolError } from "./errors";
import { type Random, checkPublicKey, h, publicKey, sign, systemRandom, verify } from "./primitives";
import { type SigningKey, newSigningKey, signerOf } from "./signer";

const ORIGIN = /^https?:\/\/[a-z0-9.\-[\]:]+:[0-9]{1,5}$/;

/** An account's long-lived signing key; in memory only for the signatures that need it. */
export interface AccountKey {
  readonly user: Uint8Array;
  readonly seed: Uint8Array;
  readonly publicHalf: Uint8Array;
}

/** One device's signing key and its place in an account. */
export interface DeviceKeys {
  readonly user: Uint8Array;
  readonly amkPub: Uint8Array;
  readonly device: Uint8Array;
  readonly dskPub: Uint8Array;
  readonly signingKey: SigningKey;
  readonly accept: Uint8Array;
  readonly created: number;
}

/** One row of a device list; `created` in ms. */
export interface DeviceEntry {
  readonly device: Uint8Array;
  readonly dskPub: Uint8Array;
  readonly accept: Uint8Array;
  readonly created: number;
}

/** Make an account key for a 16-byte user id. */
export function newAccount(user: Uint8Array, random: Random = systemRandom): AccountKey {
  return accountOf(user, random(KEY_SIZE));
}

/** Give the account key of a 32-byte seed. */
export function accountOf(user: Uint8Array, seed: Uint8Array): AccountKey {
  return { user, seed, publicHalf: publicKey(seed) };
}

/** Sign under a label as this account. */
export function signAsAccount(account: AccountKey, label: string, data: Uint8Array): Uint8Array {
  return sign(account.seed, label, data, account.publicHalf);
}

/** Sign under a label as this device. */
export function signAsDevice(
  keys: DeviceKeys,
  label: string,
  data: Uint8Array,
): Promise<Uint8Array> {
  return signerOf(keys.signingKey).sign(label, data);
}

/** Derive the 16-byte device id, so that nobody can choose another's (protocol.md §3.2). */
export function deviceId(user: Uint8Array, dskPub: Uint8Array): Uint8Array {
  return h("device-id", lp(user, dskPub)).slice(0, ID_SIZE);
}

function acceptContent(user: Uint8Array, amkPub: Uint8Array, device: Uint8Array): Uint8Array {
  return lp(SUITE_BYTE, user, amkPub, device);
}

/**
 * Make a device key that agrees to belong to this account; `created` in ms. Without a
 * `signingKey` the best kind that this browser can keep is made.
 */
export async function newDevice(
  user: Uint8Array,
  amkPub: Uint8Array,
  created: number,
  signingKey?: SigningKey,
): Promise<DeviceKeys> {
  const key = signingKey ?? (await newSigningKey());
  const dskPub = key.publicHalf;
  const device = deviceId(user, dskPub);
  const content = acceptContent(user, amkPub, device);
  const accept = await signerOf(key).sign("device-accept", content);
  return { user, amkPub, device, dskPub, signingKey: key, accept, created };
}

/** Give the row that the account's device list holds for this device. */
export function deviceEntry({ device, dskPub, accept, created }: DeviceKeys): DeviceEntry {
  return { device, dskPub, accept, created };
}

/** Write `entry` of docs/protocol.md §3.2. */
export function encodeEntry(entry: DeviceEntry): Uint8Array {
  return lp(entry.device, entry.dskPub, entry.accept, u64(entry.created));
}

/** Read an entry; `parse` for another shape. */
export function parseEntry(data: Uint8Array): DeviceEntry {
  const sizes = [ID_SIZE, KEY_SIZE, SIGNATURE_SIZE, 8] as const;
  const [device, dskPub, accept, created] = lpFields(data, sizes);
  return { device, dskPub, accept, created: uint(created) };
}

/** Check that a device is this account's: valid key, derived id, accept; else `signature`. */
export function verifyEntry(entry: DeviceEntry, user: Uint8Array, amkPub: Uint8Array): void {
  checkPublicKey(entry.dskPub);
  if (!equalBytes(entry.device, deviceId(user, entry.dskPub))) {
    throw new ProtocolError("signature", "a device id that is not the derived one");
  }
  const content = acceptContent(user, amkPub, entry.device);
  verify(entry.dskPub, "device-accept", content, entry.accept);
}

function proofContent(
  origin: string,
  nonce: Uint8Array,
  user: Uint8Array,
  device: Uint8Array,
): Uint8Array {
  if (!ORIGIN.test(origin) || nonce.length !== 32) {
    throw new ProtocolError("parse", "an origin names its port; a nonce has 32 bytes");
  }
  return lp(SUITE_BYTE, utf8(origin), nonce, user, device);
}

/**
 * Sign a server's 32-byte nonce: this connection is this device (protocol.md §3.4).
 * `origin` always names its port: `https://chat.example:443`; else `parse`.
 */
export async function deviceProof(
  keys: DeviceKeys,
  origin: string,
  nonce: Uint8Array,
): Promise<Uint8Array> {
  return signAsDevice(keys, "auth", proofContent(origin, nonce, keys.user, keys.device));
}

/** Check a device proof as the server does; `signature` when it is not this device's. */
export function verifyDeviceProof(
  proof: Uint8Array,
  dskPub: Uint8Array,
  claim: { origin: string; nonce: Uint8Array; user: Uint8Array; device: Uint8Array },
): void {
  const { origin, nonce, user, device } = claim;
  verify(dskPub, "auth", proofContent(origin, nonce, user, device), proof);
}
