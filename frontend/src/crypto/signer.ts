/**
 * Who holds a device's signing key: libsodium with a seed, or the browser's own key store.
 *
 * A WebCrypto key is not extractable, so a script that got into the page can use it but not take
 * it away. Signing may be WebCrypto's; **verification never is** (docs/protocol.md §1.3).
 */
import { KEY_SIZE } from "./encoding";
import { type Random, checkPublicKey, labelled, publicKey, sign, systemRandom } from "./primitives";

/** A signing key as it is stored; structured-cloneable, so that IndexedDB keeps either kind. */
export type SigningKey =
  | { readonly kind: "seed"; readonly seed: Uint8Array; readonly publicHalf: Uint8Array }
  | { readonly kind: "webcrypto"; readonly key: CryptoKey; readonly publicHalf: Uint8Array };

/** Signs bytes under a label. */
export interface Signer {
  readonly publicHalf: Uint8Array;
  /** Ed25519 over LP("HRK/1 " ‖ label, data), 64 bytes. */
  sign(label: string, data: Uint8Array): Promise<Uint8Array>;
}

/** Make a key that lives as a 32-byte seed. */
export function newSeedKey(random: Random = systemRandom): SigningKey {
  const seed = random(KEY_SIZE);
  return { kind: "seed", seed, publicHalf: publicKey(seed) };
}

/** Make a key that the browser never gives out, or null where WebCrypto has no Ed25519. */
export async function newNonExtractableKey(): Promise<SigningKey | null> {
  try {
    const pair = (await crypto.subtle.generateKey("Ed25519", false, [
      "sign",
      "verify",
    ]));
    const publicHalf = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
    checkPublicKey(publicHalf);
    return { kind: "webcrypto", key: pair.privateKey, publicHalf };
  } catch {
    return null;
  }
}

/** Make the best signing key that this browser can keep. */
export async function newSigningKey(random: Random = systemRandom): Promise<SigningKey> {
  return (await newNonExtractableKey()) ?? newSeedKey(random);
}

/** Give the signer of a stored key. */
export function signerOf(key: SigningKey): Signer {
  const { publicHalf } = key;
  if (key.kind === "seed") {
    const { seed } = key;
    return {
      publicHalf,
      sign: (label, data) => Promise.resolve(sign(seed, label, data, publicHalf)),
    };
  }
  const privateKey = key.key;
  return {
    publicHalf,
    async sign(label, data) {
      const message = new Uint8Array(labelled(label, data));
      return new Uint8Array(await crypto.subtle.sign("Ed25519", privateKey, message));
    },
  };
}
