/**
 * Where a device gets an epoch's secret from: the seam for another key agreement.
 * Only this module and `committing.ts` know that secrets travel in X-Wing wraps (§7.1).
 */
import { type Commit, WRAP_SIZE, type WrapFor, commitHash, coreHash, wrapAd } from "./commit";
import { fromHex, hex } from "./encoding";
import { ProtocolError } from "./errors";
import { ZERO_NONCE, aeadOpen, kdf } from "./primitives";
import { CIPHERTEXT_SIZE, XWingError, decapsulate } from "./xwing";

/** Gives the secret of an epoch to one device. */
export interface EpochSource {
  readonly user: Uint8Array;
  /** Null where any device of the account will do that the roster names. */
  readonly device: Uint8Array | null;
  /** The 32-byte epoch secret of a commit; `epoch_unusable` when it cannot be had. */
  secret(commit: Commit): Uint8Array;
}

function unusable(why: string): ProtocolError {
  return new ProtocolError("epoch_unusable", why);
}

/** Unwrap an epoch secret with a prekey's seed; `epoch_unusable` whatever goes wrong. */
export function openWrap(wrap: Uint8Array, seed: Uint8Array, whom: WrapFor): Uint8Array {
  if (wrap.length !== WRAP_SIZE) throw unusable("a wrap has 1168 bytes");
  const ad = wrapAd(whom);
  try {
    const shared = decapsulate(seed, wrap.slice(0, CIPHERTEXT_SIZE));
    return aeadOpen(kdf(shared, "wrap", ad), ZERO_NONCE, wrap.slice(CIPHERTEXT_SIZE), ad);
  } catch (error) {
    if (error instanceof XWingError || error instanceof ProtocolError) {
      throw unusable("a wrap does not open");
    }
    throw error;
  }
}

/** Epoch secrets from wraps; `seeds` maps the hexadecimal hash of each own prekey to its seed. */
export function prekeySource(
  { user, device }: { user: Uint8Array; device: Uint8Array },
  seeds: ReadonlyMap<string, Uint8Array>,
): EpochSource & { readonly device: Uint8Array } {
  return {
    user,
    device,
    secret(commit) {
      const wrap = commit.wraps.get(hex(device));
      if (!wrap) throw unusable("no wrap for this device");
      const hashOfCore = coreHash(commit);
      for (const [hash, seed] of seeds) {
        const whom = { coreHash: hashOfCore, user, device, prekeyHash: fromHex(hash) };
        const secret = openedOrNull(() => openWrap(wrap, seed, whom));
        if (secret) return secret;
      }
      throw unusable("no own prekey opens the wrap");
    },
  };
}

function openedOrNull(work: () => Uint8Array): Uint8Array | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof ProtocolError) return null;
    throw error;
  }
}

/**
 * Epoch secrets from opened history records; `secrets` maps a hexadecimal commit hash to one. They
 * are the account's: which of its devices were in that epoch's roster says nothing about them.
 */
export function historySource(
  user: Uint8Array,
  secrets: ReadonlyMap<string, Uint8Array>,
): EpochSource {
  return {
    user,
    device: null,
    secret(commit) {
      const secret = secrets.get(hex(commitHash(commit)));
      if (!secret) throw unusable("no history record for this epoch");
      return secret.slice();
    },
  };
}
