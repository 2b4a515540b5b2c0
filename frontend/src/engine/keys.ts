/** The keys of this device: loaded, proved, renewed (docs/protocol.md §3–5). */
import { verifyDeviceList } from "../crypto/device_list";
import { decodeBase64url, encodeBase64url, equalBytes, hex } from "../crypto/encoding";
import { type HistoryWriter, historyWriter } from "../crypto/history";
import { type DeviceKeys, deviceProof } from "../crypto/identity";
import { LIFETIME_MS, newPrekey, prekeyHash } from "../crypto/prekeys";
import { h } from "../crypto/primitives";
import type { SigningKey } from "../crypto/signer";
import { type EpochSource, prekeySource } from "../crypto/sources";
import type { Api } from "./api";
import type { Id } from "./contract";
import { idOf } from "./ids";
import type { Platform } from "./platform";
import { refuse } from "./refusal";
import type { PrekeyRow } from "./store/schema";
import { Changes, type Store } from "./store/store";
import type { BackupKeyJson } from "./wire";

export const PREKEY_RENEWAL_MS = 7 * 24 * 3600 * 1000;
const PREKEY_OVERLAP_MS = 28 * 24 * 3600 * 1000;
const DEVICE_KEY = "device";

/** The fact "device": everything of the device but a key that the browser does not give out. */
interface KeptDevice {
  user: Uint8Array;
  amkPub: Uint8Array;
  device: Uint8Array;
  dskPub: Uint8Array;
  accept: Uint8Array;
  created: number;
  /** What history is written to; its version never falls. */
  bkPub: Uint8Array;
  bkVersion: number;
  /** Null when the signing key lives in the browser's key store. */
  seed: Uint8Array | null;
}

/** The public key that history is written to, as a device list names it. */
export type BackupKey = Pick<KeptDevice, "bkPub" | "bkVersion">;

/** Write an origin as proofs name it: scheme, host and port, the port always (protocol §3.4). */
export function canonicalOrigin(origin: string): string {
  const { protocol, hostname, port } = new URL(origin);
  return `${protocol}//${hostname}:${port || (protocol === "https:" ? "443" : "80")}`;
}

/** Prepare to keep the keys of this browser's device. */
export async function keepDevice(
  store: Store,
  changes: Changes,
  keys: DeviceKeys,
  backup: BackupKey,
): Promise<void> {
  const { signingKey, ...rest } = keys;
  const seed = signingKey.kind === "seed" ? signingKey.seed : null;
  if (signingKey.kind === "webcrypto") {
    changes.set("keys", DEVICE_KEY, { name: DEVICE_KEY, key: signingKey.key });
  }
  const kept: KeptDevice = { ...rest, ...backup, seed };
  await store.putFact(changes, "device", kept, 0);
}

/** This device's keys, loaded. */
export class Keyring {
  private constructor(
    private readonly store: Store,
    private readonly api: Api,
    private readonly platform: Platform,
    private readonly origin: string,
    readonly device: DeviceKeys,
    private backup: BackupKey,
  ) {}

  /** Load the keys; null when this browser has none for the account. */
  static async load(
    store: Store,
    { api, platform, origin }: { api: Api; platform: Platform; origin: string },
  ): Promise<Keyring | null> {
    const kept = (await store.fact<KeptDevice>("device")).value;
    if (!kept) return null;
    const { seed, bkPub, bkVersion, ...rest } = kept;
    const held = await store.tables.get("keys", DEVICE_KEY);
    const publicHalf = rest.dskPub;
    let signingKey: SigningKey;
    if (seed) signingKey = { kind: "seed", seed, publicHalf };
    else if (held) signingKey = { kind: "webcrypto", key: held.key, publicHalf };
    else return null;
    return new Keyring(store, api, platform, origin, { ...rest, signingKey }, { bkPub, bkVersion });
  }

  get deviceId(): Id {
    return idOf(this.device.device);
  }

  /** The account key as the wire writes it. */
  get accountKey(): string {
    return encodeBase64url(this.device.amkPub);
  }

  /** Sign a server's nonce for the origin that this page itself was loaded from. */
  async prove(nonce: string): Promise<{ device_id: Id; signature: string }> {
    const origin = canonicalOrigin(this.origin);
    const signature = await deviceProof(this.device, origin, decodeBase64url(nonce, 32));
    return { device_id: this.deviceId, signature: encodeBase64url(signature) };
  }

  /** Bind the REST session to this device. */
  async proveSession(): Promise<void> {
    const { nonce } = await this.api.post<{ nonce: string }>("/api/devices/challenge");
    await this.api.post("/api/devices/proof", await this.prove(nonce));
  }

  /** Where epoch secrets come from: the wraps, opened with every prekey that is still kept. */
  async source(): Promise<EpochSource> {
    const rows = await this.store.tables.getAll("prekeys");
    const seeds = await Promise.all(
      rows.map(async (row): Promise<[string, Uint8Array]> => {
        const seed = await this.store.unseal<Uint8Array>("prekeys", row.seq, row.seed);
        return [hex(prekeyHash(row)), seed];
      }),
    );
    return prekeySource(this.device, new Map(seeds));
  }

  /**
   * What history records of this account are sealed with. When the own list names another backup
   * key than this browser has, the recovery key was renewed elsewhere: the server gives the key,
   * the list judges it (`recovery` for another one).
   */
  async historyWriter(): Promise<HistoryWriter> {
    const { user, amkPub } = this.device;
    const account = await this.store.tables.get("accounts", hex(user));
    const list = account && (await this.store.tables.get("lists", hex(account.listHash)));
    if (!list) throw new Error("the own device list is missing");
    const own = verifyDeviceList(list, user, amkPub);
    const { bkVersion: known } = this.backup;
    const isKnown = equalBytes(h("bk", this.backup.bkPub), own.bkHash);
    const backup = isKnown ? this.backup : await this.fetchBackupKey(own.bkVersion);
    const writer = historyWriter(this.device, own, backup.bkPub, known);
    if (!isKnown) await this.keepBackupKey(backup);
    return writer;
  }

  /** Take another backup key from now on, one that the own list names. */
  async keepBackupKey(backup: BackupKey): Promise<void> {
    const { value: kept, revision } = await this.store.fact<KeptDevice>("device");
    if (!kept) throw new Error("there is no device");
    const changes = new Changes();
    await this.store.putFact(changes, "device", { ...kept, ...backup }, revision);
    await this.store.commit(changes);
    this.backup = backup;
  }

  private async fetchBackupKey(bkVersion: number): Promise<BackupKey> {
    const json = await this.api.get<BackupKeyJson>("/api/me/backup-key");
    // Renewed once more meanwhile: the list that says so is on its way.
    if (json.bk_version > bkVersion) throw refuse("unavailable");
    return { bkPub: decodeBase64url(json.bk_pub), bkVersion };
  }

  /** Publish a new prekey when the newest is a week old, or was never confirmed (§4). */
  async renewPrekey(): Promise<void> {
    const rows = await this.store.tables.getAll("prekeys");
    const newest = rows.at(-1);
    if (!newest) return;
    if (!newest.published) return this.publish(newest);
    const now = this.platform.now();
    if (now - newest.createdMs < PREKEY_RENEWAL_MS) return;
    const seq = newest.seq + 1;
    const { seed, prekey } = await newPrekey(this.device, { seq, created: now });
    const sealed = await this.store.seal("prekeys", seq, seed);
    const row = { seq, ...prekey, createdMs: now, published: false, seed: sealed };
    await this.store.commit(new Changes().set("prekeys", seq, row));
    await this.publish(row);
  }

  /**
   * Destroy prekeys that nobody may use any more: a newer one is out for 28 days, or they are
   * 100 days old (§4). Call it when all wraps have been fetched.
   */
  async destroyOldPrekeys(): Promise<void> {
    const rows = await this.store.tables.getAll("prekeys");
    const now = this.platform.now();
    const changes = new Changes();
    for (const [at, row] of rows.entries()) {
      const next = rows[at + 1];
      if (!next?.published) continue;
      const isReplaced = now - next.createdMs >= PREKEY_OVERLAP_MS;
      if (isReplaced || now - row.createdMs >= LIFETIME_MS) changes.delete("prekeys", row.seq);
    }
    await this.store.commit(changes);
  }

  private async publish(row: PrekeyRow): Promise<void> {
    const body = { prekey: encodeBase64url(row.data), prekey_sig: encodeBase64url(row.sig) };
    await this.api.post("/api/prekeys", body);
    await this.store.commit(new Changes().set("prekeys", row.seq, { ...row, published: true }));
  }
}
