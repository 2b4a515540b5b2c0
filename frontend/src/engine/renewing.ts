/**
 * Another recovery key after a suspicion (docs/protocol.md §5.6): made with the present one, shown,
 * typed again, and only then published. Everything is stored before the server hears of it, so
 * that a tab may end anywhere in between.
 */
import { listHash } from "../crypto/device_list";
import { encodeBase64url, hex } from "../crypto/encoding";
import { wipe } from "../crypto/primitives";
import { type SignedBlob, backupPublic, openRecovery } from "../crypto/recovery";
import { encodeCode, isCode } from "../crypto/recovery_secret";
import { type Renewal, renewRecovery } from "../crypto/renewal";
import type { Renewing, Result } from "./contract";
import type { Core } from "./core";
import { idBytes } from "./ids";
import { type KeptRecovery, type RecoveryBox, checkTyped, openNewest, told, wipeRecovered } from "./recovery";
import { Refusal, refuse } from "./refusal";
import type { KeptFormer } from "./resealing";
import { Changes, type Store } from "./store/store";

/** The fact "renewal": a recovery key that does not count yet; null when there is none. */
type KeptRenewal = {
  readonly recoveryKey: Uint8Array;
  readonly words: string;
  readonly blob: SignedBlob;
  readonly bkPub: Uint8Array;
  readonly bkVersion: number;
  /** What opens history until then, by version of the backup key. */
  readonly seeds: Map<number, Uint8Array>;
  readonly listHash: Uint8Array;
  readonly published: object;
} | null;

async function keptRenewal(store: Store): Promise<KeptRenewal> {
  return (await store.fact<KeptRenewal>("renewal")).value ?? null;
}

/** Say how far a renewal is, for the screen. */
export async function renewing(store: Store): Promise<Renewing> {
  if (await keptRenewal(store)) return { state: "begun" };
  const former = (await store.fact<KeptFormer>("former")).value;
  return former ? { state: "moving", done: former.of - former.rooms.length, of: former.of } : null;
}

/**
 * Make a new recovery key with the present one; it does not count yet. Refuses what
 * `RecoveryBox.open` refuses.
 */
export async function beginRenewal(core: Core, box: RecoveryBox, secret: string): Promise<void> {
  const { people, userId, keyring, platform, store } = core;
  await people.refresh(userId);
  const newest = await people.newestList(idBytes(userId));
  const recovered = await openNewest(core, box, { secret, newest });
  try {
    const seeds = box.seeds(recovered, await people.ownLists(keyring.device));
    const renewal = renewRecovery(recovered, newest, { time: platform.now() });
    const bkVersion = recovered.bkVersion + 1;
    await store.setFact("renewal", toKeep(renewal, { bkVersion, seeds, user: idBytes(userId) }));
  } finally {
    wipeRecovered(recovered);
  }
  core.changed({ me: true });
}

function toKeep(
  { devices, blob, carry, recoveryKey, words }: Renewal,
  { bkVersion, seeds, user }: { bkVersion: number; seeds: Map<number, Uint8Array>; user: Uint8Array },
): KeptRenewal {
  const published = {
    device_list: encodeBase64url(devices.data),
    list_sig: encodeBase64url(devices.sig),
    recovery_blob: encodeBase64url(blob.data),
    recovery_sig: encodeBase64url(blob.sig),
    carry: encodeBase64url(carry),
  };
  const bkPub = backupPublic(recoveryKey, user, bkVersion);
  const named = listHash(devices);
  return { recoveryKey, words, blob, bkPub, bkVersion, seeds, listHash: named, published };
}

/** Give the new words and code to be written down; `recovery_gone` when none was begun. */
export async function showRenewal(store: Store): Promise<Result<"renewal_show">> {
  const kept = await keptRenewal(store);
  if (!kept) throw refuse("recovery_gone");
  return { words: kept.words, code: encodeCode(kept.recoveryKey) };
}

/** Forget the new key; the present one stays. */
export async function discardRenewal(core: Core): Promise<void> {
  await core.store.setFact("renewal", null satisfies KeptRenewal);
  core.changed({ me: true });
}

/**
 * Put the new key in the place of the present one, once it was typed again from where its owner
 * wrote it down. Refuses `recovery_words`, `recovery_code` and `recovery_secret` for another one,
 * and `list_version` when the devices changed in between: then it is to be begun again.
 */
export async function finishRenewal(core: Core, box: RecoveryBox, secret: string): Promise<void> {
  const kept = await keptRenewal(core.store);
  if (!kept) throw refuse("recovery_gone");
  checkTyped(secret);
  const user = idBytes(core.userId);
  const typed = isCode(secret) ? { code: secret } : { secret };
  wipeRecovered(told("recovery_secret", () => openRecovery(kept.blob, { user, ...typed })));
  await publish(core, kept);
  await adopt(core, kept);
  box.forget();
  wipe(kept.recoveryKey);
  core.changed({ me: true });
}

/** An answer that was lost is none: what counts is whether the list is among the account's. */
async function publish(core: Core, kept: NonNullable<KeptRenewal>): Promise<void> {
  let refusal = refuse("list_version");
  try {
    await core.api.post("/api/me/recovery", kept.published);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== "list_version") throw error;
    refusal = error;
  }
  await core.people.refresh(core.userId);
  if (await core.store.tables.get("lists", hex(kept.listHash))) return;
  await discardRenewal(core);
  throw refusal;
}

async function adopt(core: Core, kept: NonNullable<KeptRenewal>): Promise<void> {
  const { store, keyring } = core;
  const { bkPub, bkVersion, seeds } = kept;
  const rooms = await store.tables.getAllKeys("rooms");
  const changes = new Changes();
  const former = { seeds, rooms, of: rooms.length } satisfies KeptFormer;
  await store.putFactAnyway(changes, "former", former);
  await store.putFactAnyway(changes, "recovery", null satisfies KeptRecovery);
  await store.putFactAnyway(changes, "renewal", null satisfies KeptRenewal);
  await store.commit(changes);
  await keyring.keepBackupKey({ bkPub, bkVersion });
}
