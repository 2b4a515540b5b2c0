/**
 * Passkeys, which open the recovery key (docs/protocol.md §5.7). The page talks to authenticators;
 * here their answers seal and open, and are forgotten.
 */
import { decodeBase64url, encodeBase64url } from "../crypto/encoding";
import { ProtocolError } from "../crypto/errors";
import { isDeviceName } from "../crypto/own_room";
import { PRF_SALT, openPasskey, passkeyId, sealPasskey } from "../crypto/passkey";
import { wipe } from "../crypto/primitives";
import { type Recovered, openRecovery } from "../crypto/recovery";
import type { Api } from "./api";
import type { Id, Passkey, PasskeyAnswer, PasskeyRequest } from "./contract";
import type { Core } from "./core";
import { idBytes, idOf } from "./ids";
import { readNotes } from "./notes";
import { noteDown } from "./noting";
import type { Outbox } from "./outbox";
import { type RecoveryBox, openNewest, told, wipeRecovered } from "./recovery";
import { refuse } from "./refusal";
import type { PasskeyJson } from "./wire";

const PATH = "/api/me/passkeys";
const MAX_PASSKEYS = 8;
/** How long the recovery key is kept open while its owner makes a passkey. */
const OPEN_MS = 5 * 60_000;

async function rowsOf(api: Api): Promise<PasskeyJson[]> {
  return (await api.get<{ passkeys: PasskeyJson[] }>(PATH)).passkeys;
}

/** Ask for what authenticators are to be asked: which credentials the account has. */
export async function passkeyRequest(api: Api, userId: Id): Promise<PasskeyRequest> {
  const rows = await rowsOf(api);
  const credentials = told("passkey_other", () => rows.map((row) => decodeBase64url(row.credential)));
  return { user: idBytes(userId), salt: PRF_SALT.slice(), credentials };
}

/** Run what opens; each refusal is told under a code that names whose fault it is. */
function unlocked<T>(open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw refuse(error.outcome === "recovery" ? "passkey_secret" : "passkey_other");
  }
}

/**
 * Open the account with what an authenticator answered. Refuses `recovery_blob`, `not_found` (the
 * server has no such passkey), `passkey_other` (what it has is not this one) and `passkey_secret`
 * (this one does not open the present recovery key). The caller wipes what it gets.
 */
export async function openByPasskey(
  box: RecoveryBox,
  api: Api,
  { credential, prf }: PasskeyAnswer,
): Promise<Recovered> {
  try {
    const { blob, version, ...account } = await box.present(null);
    const { user } = account;
    const path = `${PATH}/${idOf(passkeyId(user, credential))}`;
    const { passkey } = await api.get<{ passkey: string }>(path);
    const name = { ...account, credential };
    const recoveryKey = unlocked(() => openPasskey(decodeBase64url(passkey), prf, name));
    return unlocked(() => openRecovery(blob, { user, knownVersion: version, recoveryKey }));
  } finally {
    wipe(prf);
  }
}

/** The owner's passkeys, on a device of the account. */
export class Passkeys {
  private opened: { recoveryKey: Uint8Array; bkVersion: number } | null = null;
  private stopClock: () => void = () => undefined;

  constructor(
    private readonly core: Core,
    private readonly box: RecoveryBox,
    private readonly outbox: Outbox,
  ) {}

  async list(): Promise<Passkey[]> {
    const notes = await readNotes(this.core.store);
    return (await rowsOf(this.core.api)).map((row) => ({
      passkeyId: row.passkey_id,
      name: notes.deviceName(idBytes(row.passkey_id)),
      createdMs: row.created_ms,
      lastUsedMs: row.last_used_ms,
    }));
  }

  /**
   * Open the present recovery key, and keep it for some minutes in which its owner makes a passkey.
   * Refuses what `RecoveryBox.open` refuses, and `passkeys_full`.
   */
  async begin(secret: string): Promise<PasskeyRequest> {
    this.discard();
    const { core, box } = this;
    const request = await passkeyRequest(core.api, core.userId);
    if (request.credentials.length >= MAX_PASSKEYS) throw refuse("passkeys_full");
    await core.people.refresh(core.userId);
    const newest = await core.people.newestList(idBytes(core.userId));
    const recovered = await openNewest(core, box, { secret, newest });
    const { bkVersion } = recovered;
    this.opened = { recoveryKey: recovered.recoveryKey.slice(), bkVersion };
    wipeRecovered(recovered);
    this.stopClock = core.platform.after(OPEN_MS, () => this.discard());
    return request;
  }

  /** Seal the recovery key under what the new passkey answered; `passkey_gone` when it is not open. */
  async add({ credential, prf }: PasskeyAnswer): Promise<void> {
    const { opened, core } = this;
    const { user, amkPub } = core.keyring.device;
    try {
      if (!opened) throw refuse("passkey_gone");
      const { recoveryKey, bkVersion } = opened;
      const sealed = sealPasskey(recoveryKey, prf, { user, amkPub, bkVersion, credential });
      const path = `${PATH}/${idOf(passkeyId(user, credential))}`;
      await core.api.put(path, { passkey: encodeBase64url(sealed) });
    } finally {
      wipe(prf);
    }
    this.discard();
    core.changed({ me: true });
  }

  /** Forget the recovery key. */
  discard(): void {
    this.stopClock();
    if (this.opened) wipe(this.opened.recoveryKey);
    this.opened = null;
  }

  /** Name a passkey; `not_found` for one that there is not, `invalid` for a name out of bounds. */
  async rename(id: Id, name: string): Promise<void> {
    const rows = await rowsOf(this.core.api);
    if (!rows.some((row) => row.passkey_id === id)) throw refuse("not_found");
    if (!isDeviceName(name)) throw refuse("invalid");
    await noteDown(this.core, this.outbox, { about: "device", device: idBytes(id), name });
  }

  /** Take a passkey away: from now on it opens nothing that the server has. */
  async remove(id: Id): Promise<void> {
    await this.core.api.delete(`${PATH}/${id}`);
    this.core.changed({ me: true });
  }
}
