/** The recovery key under a passkey, for who has not the paper at hand (docs/protocol.md §5.7). */
import {
  ID_SIZE,
  KEY_SIZE,
  SUITE_BYTE,
  concat,
  equalBytes,
  lp,
  lpFields,
  typedFields,
  u64,
  uint,
  utf8,
} from "./encoding";
import { ProtocolError, refusedAs } from "./errors";
import { NONCE_SIZE, type Random, TAG_SIZE, aeadOpen, aeadSeal, h, kdf, systemRandom, wipe } from "./primitives";

/** What every authenticator is asked about; the answer differs with each credential. */
export const PRF_SALT = utf8("HRK/1 passkey");
const PRF_SIZE = 32;
const MAX_CREDENTIAL = 1023;
const SEALED_SIZE = NONCE_SIZE + KEY_SIZE + TAG_SIZE;

/**
 * Which passkey of which recovery key: everything that its sealed bytes are bound to. `credential`
 * is the authenticator's id for it, 1 to 1023 bytes.
 */
export interface PasskeyName {
  readonly user: Uint8Array;
  readonly amkPub: Uint8Array;
  readonly bkVersion: number;
  readonly credential: Uint8Array;
}

/** Name a passkey by 16 bytes, as devices are named. */
export function passkeyId(user: Uint8Array, credential: Uint8Array): Uint8Array {
  return h("passkey-id", lp(user, credential)).slice(0, ID_SIZE);
}

function isCredential({ length }: Uint8Array): boolean {
  return length >= 1 && length <= MAX_CREDENTIAL;
}

function encodeName({ user, amkPub, bkVersion, credential }: PasskeyName): Uint8Array {
  if (!isCredential(credential)) throw new RangeError("a credential id has 1 to 1023 bytes");
  return lp(utf8("passkey"), SUITE_BYTE, user, amkPub, u64(bkVersion), credential);
}

function readName(context: Uint8Array): PasskeyName {
  const sizes = [ID_SIZE, KEY_SIZE, 8, null] as const;
  const [user, amkPub, bkVersion, credential] = typedFields(context, "passkey", sizes);
  if (!isCredential(credential)) throw new ProtocolError("parse", "a credential id has 1 to 1023 bytes");
  return { user, amkPub, bkVersion: uint(bkVersion), credential };
}

/** Seal RK under what the authenticator answered (`prf`, 32 bytes). */
export function sealPasskey(
  recoveryKey: Uint8Array,
  prf: Uint8Array,
  name: PasskeyName,
  random: Random = systemRandom,
): Uint8Array {
  const [context, nonce] = [encodeName(name), random(NONCE_SIZE)];
  const key = kdf(prf, "passkey", context);
  const sealed = lp(context, concat(nonce, aeadSeal(key, nonce, recoveryKey, context)));
  wipe(key);
  return sealed;
}

/**
 * Give RK back, 32 bytes. Refuses `parse`, `suite`, `reference` for another person's, account key's
 * or credential's, and `recovery` for one of another recovery key and for what does not open.
 */
export function openPasskey(sealed: Uint8Array, prf: Uint8Array, name: PasskeyName): Uint8Array {
  const [context, closed] = lpFields(sealed, [null, SEALED_SIZE]);
  const found = readName(context);
  const isNamed = (["user", "amkPub", "credential"] as const).every((part) => equalBytes(found[part], name[part]));
  if (!isNamed) throw new ProtocolError("reference", "a passkey of another account or credential");
  if (found.bkVersion !== name.bkVersion) {
    throw new ProtocolError("recovery", "a passkey of another recovery key");
  }
  if (prf.length !== PRF_SIZE) throw new ProtocolError("recovery", "not what an authenticator answers");
  const key = kdf(prf, "passkey", context);
  try {
    return refusedAs("recovery", () =>
      aeadOpen(key, closed.slice(0, NONCE_SIZE), closed.slice(NONCE_SIZE), context),
    );
  } finally {
    wipe(key);
  }
}
