/** The primitives of HRK/1 with their labels (docs/protocol.md §1.1, §1.3); nothing hand-made. */
import sodium from "libsodium-wrappers-sumo";
import { EMPTY, KEY_SIZE, SIGNATURE_SIZE, concat, lp, utf8 } from "./encoding";
import { ProtocolError } from "./errors";

/** Gives that many fresh random bytes; the system's generator everywhere but in tests. */
export type Random = (size: number) => Uint8Array;

export const NONCE_SIZE = 24;
export const TAG_SIZE = 16;
export const ZERO_NONCE = new Uint8Array(NONCE_SIZE);

/** Resolves when libsodium can be used; every function of this folder needs it to have resolved. */
export const ready: Promise<void> = sodium.ready;

/** As many bytes as browsers give at once. */
const QUOTA = 65_536;

/**
 * The system's generator. Asked directly: libsodium asks the same one, and four bytes at a time,
 * which was a quarter of what a commit for many devices costs.
 */
export const systemRandom: Random = (size) => {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += QUOTA) crypto.getRandomValues(bytes.subarray(at, at + QUOTA));
  return bytes;
};

/** What stands before the bytes under each label; there are few labels. */
const PREFIXES = new Map<string, Uint8Array>();

/** What is hashed or signed under a label: LP("HRK/1 " ‖ label, x). */
export function labelled(label: string, data: Uint8Array): Uint8Array {
  const prefix = PREFIXES.get(label) ?? lp(utf8(`HRK/1 ${label}`));
  PREFIXES.set(label, prefix);
  return concat(prefix, lp(data));
}

/** Hash under a label: BLAKE2b-256 (RFC 7693), 32 bytes. */
export function h(label: string, data: Uint8Array): Uint8Array {
  return sodium.crypto_generichash(32, labelled(label, data), null);
}

/** Derive 32 bytes from a 32-byte key: keyed BLAKE2b-256; another key length is a RangeError. */
export function kdf(key: Uint8Array, label: string, data: Uint8Array = EMPTY): Uint8Array {
  if (key.length !== KEY_SIZE) throw new RangeError("a derivation key has 32 bytes");
  return sodium.crypto_generichash(32, labelled(label, data), key);
}

/** HMAC-SHA256 (RFC 2104), 32 bytes. */
export function hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
  const state = sodium.crypto_auth_hmacsha256_init(key);
  sodium.crypto_auth_hmacsha256_update(state, data);
  return sodium.crypto_auth_hmacsha256_final(state);
}

/** Compare secrets in constant time. */
export function same(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && sodium.memcmp(left, right);
}

/** Give the Ed25519 public key (32 bytes) of a 32-byte seed. */
export function publicKey(seed: Uint8Array): Uint8Array {
  return sodium.crypto_sign_seed_keypair(seed).publicKey;
}

/** Sign under a label with Ed25519 (RFC 8032); 64 bytes. `publicHalf` spares its derivation. */
export function sign(
  seed: Uint8Array,
  label: string,
  data: Uint8Array,
  publicHalf: Uint8Array = publicKey(seed),
): Uint8Array {
  return sodium.crypto_sign_detached(labelled(label, data), concat(seed, publicHalf));
}

/**
 * Check a labelled signature with libsodium and nothing else; `signature` if it is not valid.
 *
 * WebCrypto accepts signatures under small-order keys that libsodium refuses; one such commit
 * would split a room for ever (docs/protocol.md §1.3).
 */
export function verify(
  publicHalf: Uint8Array,
  label: string,
  data: Uint8Array,
  signature: Uint8Array,
): void {
  if (signature.length !== SIGNATURE_SIZE || publicHalf.length !== KEY_SIZE) {
    throw new ProtocolError("signature", "a key or signature of the wrong length");
  }
  if (!sodium.crypto_sign_verify_detached(signature, labelled(label, data), publicHalf)) {
    throw new ProtocolError("signature", `the ${label} signature is not valid`);
  }
}

/** Refuse a signing key that is not a point of the main subgroup, with `signature`. */
export function checkPublicKey(publicHalf: Uint8Array): void {
  const valid =
    publicHalf.length === KEY_SIZE && sodium.crypto_core_ed25519_is_valid_point(publicHalf);
  if (!valid) throw new ProtocolError("signature", "not a valid signing key");
}

/** Seal with XChaCha20-Poly1305-IETF; 16 bytes longer than the message. */
export function aeadSeal(
  key: Uint8Array,
  nonce: Uint8Array,
  message: Uint8Array,
  associatedData: Uint8Array,
): Uint8Array {
  return sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
    message,
    associatedData,
    null,
    nonce,
    key,
  );
}

/** Open what `aeadSeal` made; `aead` when anything differs. */
export function aeadOpen(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  associatedData: Uint8Array,
): Uint8Array {
  if (sealed.length < TAG_SIZE) throw new ProtocolError("aead", "shorter than its tag");
  try {
    return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
      null,
      sealed,
      associatedData,
      nonce,
      key,
    );
  } catch {
    throw new ProtocolError("aead", "does not open");
  }
}

/** SHA-512 (FIPS 180-4), 64 bytes. */
export function sha512(data: Uint8Array): Uint8Array {
  return sodium.crypto_hash_sha512(data);
}

/** Argon2id 1.3 with one lane, 32 bytes; `memory` in bytes. The caller bounds both costs. */
export function argon2id(
  secret: Uint8Array,
  salt: Uint8Array,
  ops: number,
  memory: number,
): Uint8Array {
  return sodium.crypto_pwhash(
    KEY_SIZE,
    secret,
    salt,
    ops,
    memory,
    sodium.crypto_pwhash_ALG_ARGON2ID13,
  );
}

/** Overwrite a secret. JavaScript may have copied it; this is the best that can be done. */
export function wipe(secret: Uint8Array): void {
  secret.fill(0);
}
