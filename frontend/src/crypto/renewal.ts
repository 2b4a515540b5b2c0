/** Another recovery key after a suspicion, and what the former one had sealed (docs/protocol.md §5.6). */
import { type DeviceList, type SignedDeviceList, listWithBackup } from "./device_list";
import { KEY_SIZE, SUITE_BYTE, concat, equalBytes, lp, u64, utf8 } from "./encoding";
import { ProtocolError } from "./errors";
import {
  type Random,
  TAG_SIZE,
  ZERO_NONCE,
  aeadOpen,
  aeadSeal,
  h,
  kdf,
  systemRandom,
} from "./primitives";
import { type Recovered, type SignedBlob, backupPublic, sealRecovery } from "./recovery";
import { generateWords } from "./recovery_secret";
import { CIPHERTEXT_SIZE, XWingError, decapsulate, encapsulate, publicOf } from "./xwing";

export const CARRY_SIZE = CIPHERTEXT_SIZE + KEY_SIZE + TAG_SIZE;

/**
 * What takes the place of a recovery key: three things to publish at once, two to write down.
 * `carry` holds the former backup seed for whoever has the new key.
 */
export interface Renewal {
  readonly devices: SignedDeviceList;
  readonly blob: SignedBlob;
  readonly carry: Uint8Array;
  readonly recoveryKey: Uint8Array;
  readonly words: string;
}

/**
 * Make a new recovery key for an account that its present one opened; `time` in ms. The account
 * key stays. Runs Argon2id once. Nothing counts before the server took it.
 */
export function renewRecovery(
  { account, version, bkVersion: former, backupSeed: seed }: Recovered,
  newest: SignedDeviceList,
  { time, random = systemRandom }: { time: number; random?: Random },
): Renewal {
  const bkVersion = former + 1;
  const [recoveryKey, words] = [random(KEY_SIZE), generateWords(random)];
  const bkPub = backupPublic(recoveryKey, account.user, bkVersion);
  const options = { version: version + 1, bkVersion, random };
  const blob = sealRecovery(account, recoveryKey, words, options);
  const carry = sealCarry({ user: account.user, bkVersion: former }, seed, bkPub, random);
  const devices = listWithBackup(account, newest, bkPub, { time });
  return { devices, blob, carry, recoveryKey, words };
}

/** Which backup key a carried seed is of. */
export interface FormerKey {
  readonly user: Uint8Array;
  readonly bkVersion: number;
}

function associatedData({ user, bkVersion }: FormerKey): Uint8Array {
  return lp(utf8("carry"), SUITE_BYTE, user, u64(bkVersion));
}

/** Seal the backup seed of a former key to the backup key that follows it; 1168 bytes. */
export function sealCarry(
  former: FormerKey,
  seed: Uint8Array,
  bkPub: Uint8Array,
  random: Random = systemRandom,
): Uint8Array {
  const ad = associatedData(former);
  const { ciphertext, sharedSecret } = encapsulate(bkPub, random);
  return concat(ciphertext, aeadSeal(kdf(sharedSecret, "carry", ad), ZERO_NONCE, seed, ad));
}

/**
 * Open the seed of an earlier backup key with that of the next one, 32 bytes. `bkHash` is what the
 * own lists of that `bkVersion` name. Refuses `recovery` for another length, what does not open,
 * and a seed that is not that key's.
 */
export function openCarry(
  carry: Uint8Array,
  seed: Uint8Array,
  { bkHash, ...former }: FormerKey & { readonly bkHash: Uint8Array },
): Uint8Array {
  if (carry.length !== CARRY_SIZE) {
    throw new ProtocolError("recovery", "a carried seed of another length");
  }
  const opened = unseal(carry, associatedData(former), seed);
  if (!equalBytes(h("bk", publicOf(opened)), bkHash)) {
    throw new ProtocolError("recovery", "a carried seed of another backup key than the lists name");
  }
  return opened;
}

function unseal(carry: Uint8Array, ad: Uint8Array, seed: Uint8Array): Uint8Array {
  try {
    const shared = decapsulate(seed, carry.slice(0, CIPHERTEXT_SIZE));
    return aeadOpen(kdf(shared, "carry", ad), ZERO_NONCE, carry.slice(CIPHERTEXT_SIZE), ad);
  } catch (error) {
    if (error instanceof XWingError || error instanceof ProtocolError) {
      throw new ProtocolError("recovery", "a carried seed does not open");
    }
    throw error;
  }
}

/**
 * Give the backup seeds of an account by `bkVersion`, from that of its newest list (the last) back.
 * Where a carried seed is missing or refused it ends: the records of before stay closed, and are
 * told of where they are opened.
 */
export function backupSeeds(
  newest: Uint8Array,
  lists: readonly DeviceList[],
  carries: ReadonlyMap<number, Uint8Array>,
): Map<number, Uint8Array> {
  const last = lists.at(-1);
  if (!last) throw new RangeError("an account has a device list");
  const hashes = new Map(lists.map((list) => [list.bkVersion, list.bkHash]));
  const seeds = new Map([[last.bkVersion, newest]]);
  let next = newest;
  for (let bkVersion = last.bkVersion - 1; bkVersion > 0; bkVersion -= 1) {
    const [carry, bkHash] = [carries.get(bkVersion), hashes.get(bkVersion)];
    if (!carry || !bkHash) break;
    try {
      next = openCarry(carry, next, { user: last.user, bkVersion, bkHash });
    } catch (error) {
      if (error instanceof ProtocolError) break;
      throw error;
    }
    seeds.set(bkVersion, next);
  }
  return seeds;
}
