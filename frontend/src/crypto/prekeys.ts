/** The signed public keys that epoch secrets are wrapped to (docs/protocol.md §4). */
import { ID_SIZE, SUITE_BYTE, equalBytes, lp, typedFields, u64, u8, uint, utf8 } from "./encoding";
import { ProtocolError } from "./errors";
import { type DeviceEntry, type DeviceKeys, signAsDevice } from "./identity";
import { type Random, h, systemRandom, verify } from "./primitives";
import {
  type Encapsulated,
  PUBLIC_SIZE,
  SEED_SIZE,
  XWingError,
  encapsulate,
  publicOf,
} from "./xwing";

export const LIFETIME_MS = 100 * 24 * 3600 * 1000;
export const CLOCK_SLACK_MS = 24 * 3600 * 1000;
export const KIND_PREKEY = 1;

/** A prekey as it travels: the bytes as received, and the device's signature. */
export interface SignedPrekey {
  readonly data: Uint8Array;
  readonly sig: Uint8Array;
}

/** A prekey that has been read; times in ms. */
export interface Prekey {
  readonly kind: number;
  readonly user: Uint8Array;
  readonly device: Uint8Array;
  readonly seq: number;
  readonly publicHalf: Uint8Array;
  readonly created: number;
  readonly expires: number;
}

/** The hash that a commit names a prekey by. */
export function prekeyHash(signed: SignedPrekey): Uint8Array {
  return h("prekey", signed.data);
}

/** Write the bytes that are hashed and signed. */
export function encodePrekey(prekey: Prekey): Uint8Array {
  return lp(
    utf8("prekey"),
    SUITE_BYTE,
    u8(prekey.kind),
    prekey.user,
    prekey.device,
    u64(prekey.seq),
    prekey.publicHalf,
    u64(prekey.created),
    u64(prekey.expires),
  );
}

/** Make a prekey with this number: its 32-byte secret seed and the signed public half. */
export async function newPrekey(
  keys: DeviceKeys,
  { seq, created, random = systemRandom }: { seq: number; created: number; random?: Random },
): Promise<{ seed: Uint8Array; prekey: SignedPrekey }> {
  const seed = random(SEED_SIZE);
  const prekey = await signPrekey(keys, {
    kind: KIND_PREKEY,
    user: keys.user,
    device: keys.device,
    seq,
    publicHalf: publicOf(seed),
    created,
    expires: created + LIFETIME_MS,
  });
  return { seed, prekey };
}

/** Sign a prekey as its device. */
export async function signPrekey(keys: DeviceKeys, content: Prekey): Promise<SignedPrekey> {
  const data = encodePrekey(content);
  return { data, sig: await signAsDevice(keys, "prekey", h("prekey", data)) };
}

/** Read a prekey without believing it; `parse` or `suite` for another shape. */
export function parsePrekey(data: Uint8Array): Prekey {
  const sizes = [1, ID_SIZE, ID_SIZE, 8, PUBLIC_SIZE, 8, 8] as const;
  const fields = typedFields(data, "prekey", sizes);
  const [kind, user, device, seq, publicHalf, created, expires] = fields;
  return {
    kind: uint(kind),
    user,
    device,
    seq: uint(seq),
    publicHalf,
    created: uint(created),
    expires: uint(expires),
  };
}

/** Whose prekey it must be, when it is read (ms), and the lowest number it may have. */
export interface PrekeyExpectation {
  readonly user: Uint8Array;
  readonly entry: DeviceEntry;
  readonly now: number;
  readonly seqFloor?: number;
}

function checkFitness(prekey: Prekey, expected: PrekeyExpectation): void {
  const unfit = (why: string) => new ProtocolError("prekey", why);
  const isTheirs =
    equalBytes(prekey.user, expected.user) && equalBytes(prekey.device, expected.entry.device);
  if (prekey.kind !== KIND_PREKEY || !isTheirs) throw unfit("of another kind or device");
  if (prekey.seq === 0 || prekey.seq < (expected.seqFloor ?? 0)) throw unfit("its number fell");
  const lifetime = prekey.expires - prekey.created;
  if (lifetime <= 0 || lifetime > LIFETIME_MS) throw unfit("a wrong lifetime");
  if (expected.now > prekey.expires + CLOCK_SLACK_MS) throw unfit("expired");
}

/** Check all of `verifyPrekey` but the trial encapsulation, for who encapsulates anyway. */
export function verifyPrekeyClaims(signed: SignedPrekey, expected: PrekeyExpectation): Prekey {
  const prekey = parsePrekey(signed.data);
  checkFitness(prekey, expected);
  verify(expected.entry.dskPub, "prekey", prekeyHash(signed), signed.sig);
  return prekey;
}

/**
 * Check that a prekey is this device's, valid `now` (ms) and not below a known number.
 * Refuses `prekey` for everything that makes it unfit and `signature` for another signer.
 */
export function verifyPrekey(signed: SignedPrekey, expected: PrekeyExpectation): Prekey {
  const prekey = verifyPrekeyClaims(signed, expected);
  tryPrekey(prekey);
  return prekey;
}

/** Encapsulate to a prekey; `prekey` when its key is unfit. */
export function tryPrekey(prekey: Prekey, random: Random = systemRandom): Encapsulated {
  try {
    return encapsulate(prekey.publicHalf, random);
  } catch (error) {
    if (error instanceof XWingError) throw new ProtocolError("prekey", error.message);
    throw error;
  }
}

/** Prekeys by hexadecimal device id. */
export type PrekeysByDevice = ReadonlyMap<string, SignedPrekey>;
