/** The blob that a recovery secret opens (docs/protocol.md §5.1, §5.3). */
import {
  HASH_SIZE,
  ID_SIZE,
  KEY_SIZE,
  SUITE_BYTE,
  concat,
  equalBytes,
  lp,
  lpFields,
  typedFields,
  u32,
  u64,
  u8,
  uint,
  utf8,
} from "./encoding";
import { ProtocolError, refusedAs } from "./errors";
import { type AccountKey, accountOf, signAsAccount } from "./identity";
import {
  NONCE_SIZE,
  type Random,
  TAG_SIZE,
  aeadOpen,
  aeadSeal,
  argon2id,
  h,
  kdf,
  same,
  systemRandom,
  verify,
  wipe,
} from "./primitives";
import { decodeCode, normaliseSecret } from "./recovery_secret";
import { PUBLIC_SIZE, publicOf } from "./xwing";

export const SALT_SIZE = 16;
export const DEFAULT_OPS = 3;
export const DEFAULT_MEM = 64 << 20;
const MAX_OPS = 16;
const MAX_MEM = 1 << 30;
const ALG = 1;
const SEALED_SIZE = NONCE_SIZE + KEY_SIZE + TAG_SIZE;

/** A recovery blob as it travels: the bytes as received, and the account key's signature. */
export interface SignedBlob {
  readonly data: Uint8Array;
  readonly sig: Uint8Array;
}

/** What a recovery secret gives back. */
export interface Recovered {
  readonly account: AccountKey;
  readonly recoveryKey: Uint8Array;
  readonly backupSeed: Uint8Array;
  readonly version: number;
  readonly bkVersion: number;
}

/** The clear part of a blob; `mem` in bytes. */
interface Context {
  readonly data: Uint8Array;
  readonly user: Uint8Array;
  readonly amkPub: Uint8Array;
  readonly version: number;
  readonly bkVersion: number;
  readonly alg: number;
  readonly ops: number;
  readonly mem: number;
  readonly salt: Uint8Array;
}

/** Derive the secret seed of the backup key pair, 32 bytes. */
export function backupSeed(
  recoveryKey: Uint8Array,
  user: Uint8Array,
  bkVersion: number,
): Uint8Array {
  return kdf(recoveryKey, "backup", lp(SUITE_BYTE, user, u64(bkVersion)));
}

/** Give bk_pub, the 1216-byte key that devices write history to. */
export function backupPublic(
  recoveryKey: Uint8Array,
  user: Uint8Array,
  bkVersion: number,
): Uint8Array {
  return publicOf(backupSeed(recoveryKey, user, bkVersion));
}

function amkWrappingKey(recoveryKey: Uint8Array, user: Uint8Array): Uint8Array {
  return kdf(recoveryKey, "recovery-amk", lp(SUITE_BYTE, user));
}

function encodeContext(context: Omit<Context, "data">): Uint8Array {
  return lp(
    utf8("recovery"),
    SUITE_BYTE,
    context.user,
    context.amkPub,
    u64(context.version),
    u64(context.bkVersion),
    u8(context.alg),
    u32(context.ops),
    u64(context.mem),
    context.salt,
  );
}

/** What a blob is made of besides the account; `mem` in bytes. */
export interface BlobOptions {
  readonly version: number;
  readonly bkVersion?: number;
  readonly ops?: number;
  readonly mem?: number;
  readonly random?: Random;
}

/** Make the blob that `secret` (or RK's code) opens; runs Argon2id with `mem` bytes. */
export function sealRecovery(
  account: AccountKey,
  recoveryKey: Uint8Array,
  secret: string,
  { version, bkVersion = 1, ops = DEFAULT_OPS, mem = DEFAULT_MEM, random = systemRandom }: BlobOptions,
): SignedBlob {
  const { user, publicHalf: amkPub } = account;
  const salt = random(SALT_SIZE);
  const ctx = encodeContext({ user, amkPub, version, bkVersion, alg: ALG, ops, mem, salt });
  const kek = argon2id(normaliseSecret(secret), salt, ops, mem);
  const seal = (key: Uint8Array, content: Uint8Array) => {
    const nonce = random(NONCE_SIZE);
    return concat(nonce, aeadSeal(key, nonce, content, ctx));
  };
  const data = lp(
    ctx,
    kdf(kek, "recovery-check", ctx),
    seal(kdf(kek, "recovery-wrap", ctx), recoveryKey),
    seal(amkWrappingKey(recoveryKey, user), account.seed),
    backupPublic(recoveryKey, user, bkVersion),
  );
  wipe(kek);
  return { data, sig: signAsAccount(account, "recovery", h("recovery", data)) };
}

function readContext(data: Uint8Array): Context {
  const sizes = [ID_SIZE, KEY_SIZE, 8, 8, 1, 4, 8, SALT_SIZE] as const;
  const fields = typedFields(data, "recovery", sizes);
  const [user, amkPub, version, bkVersion, alg, ops, mem, salt] = fields;
  return {
    data,
    user,
    amkPub,
    version: uint(version),
    bkVersion: uint(bkVersion),
    alg: uint(alg),
    ops: uint(ops),
    mem: uint(mem),
    salt,
  };
}

function openSealed(key: Uint8Array, sealed: Uint8Array, context: Context): Uint8Array {
  return refusedAs("recovery", () =>
    aeadOpen(key, sealed.slice(0, NONCE_SIZE), sealed.slice(NONCE_SIZE), context.data),
  );
}

/** A blob may ask for more memory than this device gives: that is an answer, not an accident. */
function stretched(secret: Uint8Array, { salt, ops, mem }: Context): Uint8Array {
  try {
    return argon2id(secret, salt, ops, mem);
  } catch {
    throw new ProtocolError("recovery", `no ${mem} bytes of memory for Argon2id here`);
  }
}

function recoveryKeyBySecret(
  context: Context,
  { check, wrapped, secret }: { check: Uint8Array; wrapped: Uint8Array; secret: string },
): Uint8Array {
  const { ops, mem } = context;
  if (ops < DEFAULT_OPS || ops > MAX_OPS || mem < DEFAULT_MEM || mem > MAX_MEM) {
    throw new ProtocolError("recovery", "Argon2id parameters out of range");
  }
  const kek = stretched(normaliseSecret(secret), context);
  if (!same(kdf(kek, "recovery-check", context.data), check)) {
    throw new ProtocolError("recovery", "not the recovery secret of this blob");
  }
  return openSealed(kdf(kek, "recovery-wrap", context.data), wrapped, context);
}

/**
 * Check, without the secret, that a blob is the one this account signed: else a person would be
 * told that the words are wrong when it is the blob. Gives the version of its backup key. Refuses
 * `parse`, `suite`, `recovery` (another account or key, an older version) and `signature`.
 */
export function checkBlob(
  blob: SignedBlob,
  { user, amkPub, version }: { user: Uint8Array; amkPub: Uint8Array; version: number },
): number {
  const sizes = [null, HASH_SIZE, SEALED_SIZE, SEALED_SIZE, PUBLIC_SIZE] as const;
  const context = readContext(lpFields(blob.data, sizes)[0]);
  const isOwn = equalBytes(context.user, user) && equalBytes(context.amkPub, amkPub);
  if (!isOwn || context.alg !== ALG || context.version < version) {
    throw new ProtocolError("recovery", "a blob of another account or kind, or an older one");
  }
  verify(amkPub, "recovery", h("recovery", blob.data), blob.sig);
  return context.bkVersion;
}

/** Whose blob it must be, what opens it, and the versions it may not be below. */
export type OpenRecoveryOptions = {
  readonly user: Uint8Array;
  readonly knownVersion?: number;
  readonly knownBkVersion?: number;
} & ({ readonly secret: string } | { readonly code: string } | { readonly recoveryKey: Uint8Array });

function keyOf(options: OpenRecoveryOptions, bySecret: (secret: string) => Uint8Array): Uint8Array {
  if ("recoveryKey" in options) return options.recoveryKey;
  return "code" in options ? decodeCode(options.code) : bySecret(options.secret);
}

/**
 * Open a blob with the six words (`secret`), with RK's `code` (protocol.md §5.3), or with RK itself
 * (`recoveryKey`, as a passkey gives it), which is then part of the answer.
 * Refuses `parse`, `suite`, `signature` and, for everything else, `recovery`.
 */
export function openRecovery(blob: SignedBlob, options: OpenRecoveryOptions): Recovered {
  const refuse = (why: string): never => {
    throw new ProtocolError("recovery", why);
  };
  const sizes = [null, HASH_SIZE, SEALED_SIZE, SEALED_SIZE, PUBLIC_SIZE] as const;
  const [data, check, wrapped, sealedAmk, bkPub] = lpFields(blob.data, sizes);
  const context = readContext(data);
  const { user, amkPub, version, bkVersion } = context;
  if (context.alg !== ALG || !equalBytes(user, options.user)) refuse("of another kind or account");
  if (version < (options.knownVersion ?? 0) || bkVersion < (options.knownBkVersion ?? 0)) {
    refuse("older than one already known");
  }
  const recoveryKey = keyOf(options, (secret) => recoveryKeyBySecret(context, { check, wrapped, secret }));
  const account = accountOf(user, openSealed(amkWrappingKey(recoveryKey, user), sealedAmk, context));
  if (!equalBytes(account.publicHalf, amkPub)) refuse("another account key than it names");
  verify(amkPub, "recovery", h("recovery", blob.data), blob.sig);
  const seed = backupSeed(recoveryKey, user, bkVersion);
  if (!equalBytes(publicOf(seed), bkPub)) refuse("another backup key than it names");
  return { account, recoveryKey, backupSeed: seed, version, bkVersion };
}
