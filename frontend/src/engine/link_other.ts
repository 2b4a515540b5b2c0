/** This device links another browser of its owner's (docs/protocol.md §3.8). */
import {
  MAX_DEVICES,
  type SignedDeviceList,
  entryOf,
  listHash,
  listWithout,
  parseDeviceList,
} from "../crypto/device_list";
import { decodeBase64url, encodeBase64url, equalBytes, fromHex, hex, lp, utf8 } from "../crypto/encoding";
import { ProtocolError } from "../crypto/errors";
import type { AccountKey } from "../crypto/identity";
import { checkFirstPrekey, compareNumber, linkId, openOffer, readShortCode } from "../crypto/link_offer";
import { type Answered, type Asking, type Pin, answerCode, codeHash, parseCode, scanCode } from "../crypto/linking";
import type { SignedPrekey } from "../crypto/prekeys";
import type { Recovered } from "../crypto/recovery";
import type { Result } from "./contract";
import type { Core } from "./core";
import { idBytes, idOf } from "./ids";
import { readKeyLog } from "./key_log";
import { canonicalOrigin } from "./keys";
import { pause } from "./platform";
import { type RecoveryBox, wipeRecovered } from "./recovery";
import { Refusal, refuse } from "./refusal";
import type { TakenJson } from "./wire";

const ATTEMPTS = 4;
const AGAIN_MS = 2000;
const REMEMBERED = 64;
const MAX_SENT_PINS = 6000;

interface Asked {
  readonly path: string;
  readonly asking: Asking;
  readonly prekey: SignedPrekey;
  readonly untilMs: number;
}

export class LinkOther {
  private asked: Asked | null = null;

  constructor(
    private readonly core: Core,
    private readonly box: RecoveryBox,
    private readonly origin: string,
  ) {}

  /**
   * Read a typed code and take the offer that it names. Refuses `link_code` (mistyped),
   * `link_gone` (no such offer, or it has run out), `link_address` (shown at another address of
   * this server) and `link_untrue` (not what the screen showed).
   */
  async read(text: string): Promise<Result<"link_read">> {
    await this.refuse();
    const secret = typed(() => readShortCode(text), "link_code");
    const path = `/api/me/links/${idOf(linkId(secret))}`;
    const { platform, api, userId } = this.core;
    const now = platform.now();
    const taken = await gone(api.post<TakenJson>(`${path}/take`));
    try {
      const user = idBytes(userId);
      const offer = typed(() => openOffer(secret, decodeBase64url(taken.offer), user), "link_untrue");
      const asking = await this.scan(offer.code, offer.xwPub, now);
      typed(() => checkFirstPrekey(asking, offer.prekey), "link_untrue");
      this.asked = { path, asking, prekey: offer.prekey, untilMs: now + taken.left_ms };
      return { compare: compareNumber(asking.code), leftMs: taken.left_ms };
    } catch (error) {
      await this.close(path);
      throw error;
    }
  }

  /** A code is read once, also by a browser that was started again in between. */
  private async scan(code: Uint8Array, xwPub: Uint8Array, now: number): Promise<Asking> {
    const { store, keyring } = this.core;
    const { user, amkPub } = keyring.device;
    const used = (await store.fact<string[]>("links_read")).value ?? [];
    const origin = canonicalOrigin(this.origin);
    // Two addresses of one server are two servers to who only sees addresses (§3.8).
    const { origin: shown } = typed(() => parseCode(code), "link_untrue");
    if (!equalBytes(shown, utf8(origin))) throw refuse("link_address");
    const own = { user, amkPub, origin, used: new Set(used), now };
    const asking = scanCode(code, xwPub, own);
    if (asking.state !== "asking") throw refuse("link_untrue");
    await store.setFact("links_read", [...used, hex(codeHash(asking.code))].slice(-REMEMBERED));
    return asking;
  }

  /** The owner says no, or closes the page. */
  async refuse(): Promise<void> {
    const { asked } = this;
    this.asked = null;
    if (asked) await this.close(asked.path);
  }

  /**
   * The owner agrees and gives the recovery key: list the new device, publish, answer. Refuses
   * what `RecoveryBox.open` refuses (the attempt goes on), `link_expired`, `link_gone` and
   * `devices_full` (it ends).
   */
  async accept(secret: string): Promise<void> {
    const { asked } = this;
    if (!asked) throw refuse("link_gone");
    const recovered = await this.box.open(secret, this.core.keyring.device.amkPub);
    try {
      if (this.core.platform.now() > asked.untilMs) throw refuse("link_expired");
      await gone(this.core.api.post(`${asked.path}/take`));
      await this.answer(asked, recovered);
    } catch (error) {
      await this.refuse();
      throw error;
    } finally {
      wipeRecovered(recovered);
    }
    this.asked = null;
    this.core.changed({ me: true });
  }

  private async answer(asked: Asked, recovered: Recovered): Promise<void> {
    const { api } = this.core;
    try {
      const { answer } = await this.publish(asked, recovered);
      const body = { answer: encodeBase64url(answer) };
      await this.often(() => gone(api.put(`${asked.path}/answer`, body)));
    } catch (error) {
      await this.takeBack(recovered.account, asked.asking.code.device);
      throw error;
    }
  }

  /** Publish the list with the new device; on top of another device's list when that was quicker. */
  private async publish({ asking, prekey }: Asked, recovered: Recovered): Promise<Answered> {
    let made: Answered | null = null;
    for (let attempt = 1; ; attempt += 1) {
      const previous = await this.newestOwn();
      // The answer to an earlier attempt may have been lost, and not the list.
      if (made && equalBytes(listHash(previous), listHash(made.devices))) return made;
      if (parseDeviceList(previous.data).entries.length >= MAX_DEVICES) throw refuse("devices_full");
      made = await this.made(asking, previous, recovered);
      try {
        await this.post(made.devices, [prekey]);
        await this.newestOwn();
        return made;
      } catch (error) {
        const isLate = error instanceof Refusal && (error.code === "list_version" || error.retryable);
        if (!isLate || attempt === ATTEMPTS) throw error;
      }
    }
  }

  private async newestOwn(): Promise<SignedDeviceList> {
    const { people, userId } = this.core;
    await people.refresh(userId);
    return people.newestList(idBytes(userId));
  }

  private async made(
    asking: Asking,
    previous: SignedDeviceList,
    { account, backupSeed }: Recovered,
  ): Promise<Answered> {
    const [head, pins] = [await this.head(), await this.pins()];
    const now = this.core.platform.now();
    const answered = answerCode(asking, { account, previous, head, pins, backupSeed, now });
    if (answered.state === "gave up") throw refuse("link_expired");
    return answered;
  }

  private async post(list: SignedDeviceList, prekeys: readonly SignedPrekey[]): Promise<void> {
    await this.core.api.post("/api/me/device-lists", {
      device_list: encodeBase64url(list.data),
      list_sig: encodeBase64url(list.sig),
      prekeys: prekeys.map(({ data, sig }) => ({
        prekey: encodeBase64url(data),
        prekey_sig: encodeBase64url(sig),
      })),
    });
  }

  /** Nobody got the answer: an entry of which nobody has the key must not stay. */
  private async takeBack(account: AccountKey, device: Uint8Array): Promise<void> {
    await this.often(async () => {
      const newest = await this.newestOwn();
      if (!entryOf(parseDeviceList(newest.data), device)) return;
      const time = this.core.platform.now();
      await this.post(listWithout(account, newest, device, { time }), []);
      await this.newestOwn();
    });
    this.core.changed({ me: true });
  }

  /** Ask again what the network lost. */
  private async often(ask: () => Promise<unknown>): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await ask();
        return;
      } catch (error) {
        if (!(error instanceof Refusal) || !error.retryable || attempt === ATTEMPTS) throw error;
      }
      await pause(this.core.platform, AGAIN_MS);
    }
  }

  private async head(): Promise<Uint8Array> {
    const { head } = await readKeyLog(this.core.store);
    return head ? lp(head.data, head.sig) : new Uint8Array(0);
  }

  private async pins(): Promise<Pin[]> {
    const accounts = await this.core.store.tables.getAll("accounts");
    const own = hex(this.core.keyring.device.user);
    return accounts
      .filter(({ user }) => user !== own)
      .slice(0, MAX_SENT_PINS)
      .map(({ user, amkPub, version, listHash }) => ({ user: fromHex(user), amkPub, version, listHash }));
  }

  private async close(path: string): Promise<void> {
    try {
      await this.core.api.delete(path);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }
}

/** Run a check; what it refuses is told under this code. */
function typed<T>(check: () => T, code: string): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof ProtocolError) throw refuse(code);
    throw error;
  }
}

/** A box that is not there has run out, was closed, or never was: the person begins again. */
async function gone<T>(asking: Promise<T>): Promise<T> {
  try {
    return await asking;
  } catch (error) {
    throw error instanceof Refusal && error.code === "not_found" ? refuse("link_gone") : error;
  }
}
