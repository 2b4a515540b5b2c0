/**
 * X-Wing: X25519 and ML-KEM-768 combined, both of which must fall (docs/protocol.md §2).
 * Source: draft-connolly-cfrg-xwing-kem; libsodium's implementation, checked against its vectors.
 */
import sodium from "libsodium-wrappers-sumo";
import { type Random, systemRandom } from "./primitives";

export const SEED_SIZE = 32;
export const PUBLIC_SIZE = 1216;
export const CIPHERTEXT_SIZE = 1120;
const ENCAPSULATION_SEED_SIZE = 64;

/** A ciphertext for a key's owner and the secret that only the two sides know. */
export interface Encapsulated {
  readonly ciphertext: Uint8Array;
  readonly sharedSecret: Uint8Array;
}

/** A key or ciphertext that X-Wing cannot use; callers turn it into their own outcome. */
export class XWingError extends Error {
  override readonly name = "XWingError";
}

function refusing<T>(why: string, work: () => T): T {
  try {
    return work();
  } catch {
    throw new XWingError(why);
  }
}

/** Give the 1216-byte public key of a 32-byte seed. */
export function publicOf(seed: Uint8Array): Uint8Array {
  if (seed.length !== SEED_SIZE) throw new XWingError("a seed has 32 bytes");
  return sodium.crypto_kem_xwing_seed_keypair(seed).publicKey;
}

/**
 * Make (ciphertext 1120, shared secret 32) for a public key.
 * XWingError for another length, an ML-KEM key out of range or an X25519 key of small order.
 */
export function encapsulate(
  publicHalf: Uint8Array,
  random: Random = systemRandom,
): Encapsulated {
  if (publicHalf.length !== PUBLIC_SIZE) throw new XWingError("a public key has 1216 bytes");
  return refusing("a public key that cannot be used", () =>
    sodium.crypto_kem_xwing_enc_deterministic(publicHalf, random(ENCAPSULATION_SEED_SIZE)),
  );
}

/** Recover the 32-byte shared secret; XWingError for another length or a small-order point. */
export function decapsulate(seed: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  if (seed.length !== SEED_SIZE || ciphertext.length !== CIPHERTEXT_SIZE) {
    throw new XWingError("a seed has 32 bytes, a ciphertext 1120");
  }
  return refusing("a ciphertext that cannot be used", () =>
    sodium.crypto_kem_xwing_dec(ciphertext, seed),
  );
}
