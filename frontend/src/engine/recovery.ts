/** The recovery key (docs/protocol.md §5): shown until it is written down, tested, and used. */
import { type DeviceList, type SignedDeviceList, parseDeviceList } from "../crypto/device_list";
import { decodeBase64url } from "../crypto/encoding";
import { ProtocolError } from "../crypto/errors";
import { historyWriter } from "../crypto/history";
import { wipe } from "../crypto/primitives";
import { type Recovered, type SignedBlob, backupPublic, checkBlob, openRecovery } from "../crypto/recovery";
import { backupSeeds } from "../crypto/renewal";
import {
  BLOCK_COUNT,
  WORD_COUNT,
  decodeCode,
  encodeCode,
  isCode,
  typedBlocks,
  typedWords,
  unknownWords,
  wrongBlocks,
} from "../crypto/recovery_secret";
import type { Api } from "./api";
import type { Result } from "./contract";
import type { Core } from "./core";
import { idBytes } from "./ids";
import { Refusal, refuse } from "./refusal";
import type { Store } from "./store/store";
import type { FormerRecoveryJson, MeJson, RecoveryJson } from "./wire";

/**
 * The fact "recovery": the recovery key, sealed, until its owner has written it down; null once
 * it was typed again from there.
 */
export type KeptRecovery = { recoveryKey: Uint8Array; words: string } | null;

/** Read what is kept of the recovery key; null when its owner has it. */
async function keptRecovery(store: Store): Promise<KeptRecovery> {
  return (await store.fact<KeptRecovery>("recovery")).value ?? null;
}

/** Say whether the recovery key was written down, as far as this browser knows. */
export async function isWrittenDown(store: Store): Promise<boolean> {
  return (await keptRecovery(store)) === null;
}

/** Forget everything secret of an opened blob. */
export function wipeRecovered({ account, recoveryKey, backupSeed }: Recovered): void {
  for (const secret of [account.seed, recoveryKey, backupSeed]) wipe(secret);
}

/** Refuse a typed secret that cannot be one, and say which words or blocks of it are wrong. */
export function checkTyped(secret: string): void {
  if (isCode(secret)) checkCode(secret);
  else checkWords(secret);
}

/** Four bits of checksum tell that a code is wrong, not where. */
function checkCode(code: string): void {
  const places = wrongBlocks(code);
  const count = typedBlocks(code).length;
  if (places.length > 0) {
    throw new Refusal({ code: "recovery_code", fields: { blocks: places.map(String) } });
  }
  if (count !== BLOCK_COUNT) {
    throw new Refusal({ code: "recovery_code", fields: { count: [String(count)] } });
  }
  wipe(told("recovery_code", () => decodeCode(code)));
}

function checkWords(secret: string): void {
  const places = unknownWords(secret);
  const count = typedWords(secret).length;
  if (count !== WORD_COUNT && places.length === 0) {
    throw new Refusal({ code: "recovery_words", fields: { count: [String(count)] } });
  }
  if (places.length > 0) {
    throw new Refusal({ code: "recovery_words", fields: { words: places.map(String) } });
  }
}

/** Run a check; what it refuses is told under this code. */
export function told<T>(code: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof ProtocolError) throw refuse(code);
    throw error;
  }
}

/** Read the carried seeds, by version of the backup key inside. */
export function carriesOf({ carries }: RecoveryJson): Map<number, Uint8Array> {
  return new Map(carries.map(({ bk_version, carry }) => [bk_version, decodeBase64url(carry)]));
}

/**
 * Open, on a device of the account, the blob that goes with its newest list: a former one, served
 * again, must not become the root of anything new. Refuses what `RecoveryBox.open` refuses.
 */
export async function openNewest(
  { keyring, userId }: Core,
  box: RecoveryBox,
  { secret, newest }: { secret: string; newest: SignedDeviceList },
): Promise<Recovered> {
  const recovered = await box.open(secret, keyring.device.amkPub);
  try {
    const bkPub = backupPublic(recovered.recoveryKey, idBytes(userId), recovered.bkVersion);
    told("recovery_blob", () => historyWriter(keyring.device, parseDeviceList(newest.data), bkPub, 0));
    return recovered;
  } catch (error) {
    wipeRecovered(recovered);
    throw error;
  }
}

/** The own blob as the server keeps it, checked as far as it can be without a secret. */
interface Present {
  readonly user: Uint8Array;
  readonly amkPub: Uint8Array;
  readonly version: number;
  readonly bkVersion: number;
  readonly blob: SignedBlob;
}

/** Read a sealed blob as REST carries it. */
export function blobOf({ recovery_blob, recovery_sig }: RecoveryJson): SignedBlob {
  return told("recovery_blob", () => ({
    data: decodeBase64url(recovery_blob),
    sig: decodeBase64url(recovery_sig, 64),
  }));
}

/** Give what opens history, by version of the backup key; `lists` are the own ones, the newest last. */
export function seedsOf(
  { backupSeed }: Recovered,
  lists: readonly DeviceList[],
  carries: ReadonlyMap<number, Uint8Array>,
): Map<number, Uint8Array> {
  const seeds = backupSeeds(backupSeed, lists, carries);
  // What was opened is wiped by its owner; these are kept.
  return new Map([...seeds].map(([version, seed]) => [version, seed.slice()]));
}

/** Opens the own blob with what a person types; the server gives it out five times an hour. */
export class RecoveryBox {
  private fetched: {
    version: number;
    blob: SignedBlob;
    carries: ReadonlyMap<number, Uint8Array>;
  } | null = null;

  private ended: readonly FormerRecoveryJson[] | null = null;

  constructor(
    private readonly api: Api,
    private readonly store: Store,
  ) {}

  /**
   * Open the blob of the account whose key is `amkPub`, or (null) that the server names. Refuses
   * `recovery_words` (not six words of the list), `recovery_code` (blocks or checksum are wrong),
   * `recovery_blob` (not the one that the
   * account signed last) and `recovery_secret` (another secret). The caller wipes what it gets.
   */
  async open(secret: string, amkPub: Uint8Array | null = null): Promise<Recovered> {
    checkTyped(secret);
    const { user, version, blob } = await this.present(amkPub);
    const typed = isCode(secret) ? { code: secret } : { secret };
    return told("recovery_secret", () => openRecovery(blob, { user, knownVersion: version, ...typed }));
  }

  /** Fetch the blob of the account whose key is `known`, or (null) that the server names. */
  async present(known: Uint8Array | null): Promise<Present> {
    const user = idBytes(this.store.userId);
    const me = await this.api.get<MeJson>("/api/me");
    const amkPub = known ?? told("recovery_blob", () => decodeBase64url(me.account_key ?? "", 32));
    const version = me.recovery_version;
    const blob = await this.blob(version);
    const bkVersion = told("recovery_blob", () => checkBlob(blob, { user, amkPub, version }));
    return { user, amkPub, version, bkVersion, blob };
  }

  private async blob(version: number): Promise<SignedBlob> {
    if (this.fetched?.version === version) return this.fetched.blob;
    const json = await this.api.get<RecoveryJson>("/api/me/recovery");
    const blob = blobOf(json);
    const carries = told("recovery_blob", () => carriesOf(json));
    this.fetched = { version, blob, carries };
    return blob;
  }

  /**
   * Give what opens history, by version of the backup key, for the account that was opened last;
   * `lists` are its own ones, the newest last.
   */
  seeds(recovered: Recovered, lists: readonly SignedDeviceList[]): Map<number, Uint8Array> {
    const read = lists.map(({ data }) => parseDeviceList(data));
    return seedsOf(recovered, read, this.fetched?.carries ?? new Map());
  }

  /** The sealed blobs of account keys that resets have ended, the first one first. */
  async former(): Promise<readonly FormerRecoveryJson[]> {
    const path = "/api/me/former-recovery";
    this.ended ??= (await this.api.get<{ former: FormerRecoveryJson[] }>(path)).former;
    return this.ended;
  }

  /** Fetch the blob anew the next time. */
  forget(): void {
    this.fetched = null;
  }

  /** Give the words and the code to be written down; `recovery_gone` once they were. */
  async show(): Promise<Result<"recovery_show">> {
    const kept = await keptRecovery(this.store);
    if (!kept) throw refuse("recovery_gone");
    return { words: kept.words, code: encodeCode(kept.recoveryKey) };
  }

  /** Open the own blob with what was typed, as on a new device; then this browser forgets it. */
  async test(secret: string, amkPub: Uint8Array): Promise<void> {
    wipeRecovered(await this.open(secret, amkPub));
    await this.store.setFact("recovery", null satisfies KeptRecovery);
  }
}
