/** Other people's keys: account keys pinned at first contact, device lists that never go back. */
import {
  type PrekeyExpectation,
  type PrekeysByDevice,
  type SignedPrekey,
  verifyPrekeyClaims,
} from "../crypto/prekeys";
import {
  type KnownList,
  type SignedDeviceList,
  acceptDeviceList,
  listHash,
  parseDeviceList,
  verifyDeviceList,
} from "../crypto/device_list";
import { decodeBase64url, equalBytes, fromHex, hex } from "../crypto/encoding";
import { ProtocolError } from "../crypto/errors";
import { ReadLists, type RoomView, type Trust } from "../crypto/epoch";
import type { Api } from "./api";
import type { Id } from "./contract";
import { type FormerKey, keepFormer, readFormer, resetsFrom } from "./former_keys";
import { idBytes, idOf } from "./ids";
import type { KeyLog } from "./key_log";
import type { LinkedPins } from "./linked";
import { Refusal } from "./refusal";
import type { AccountRow } from "./store/schema";
import { Changes, Conflict, type Store } from "./store/store";
import type { UserKeysJson } from "./wire";

const ASKED_AT_ONCE = 100;

/** The number of a prekey, or 0 when it does not verify: whoever commits makes no wrap for it. */
function verifiedSeq(signed: SignedPrekey, expected: PrekeyExpectation): number {
  try {
    return verifyPrekeyClaims(signed, expected).seq;
  } catch (error) {
    if (error instanceof ProtocolError) return 0;
    throw error;
  }
}

/** Refuse lists that do not lead over the one which the linking device had verified (§3.3). */
function checkLinked(lists: readonly SignedDeviceList[], pin: KnownList): void {
  const isKnown = lists.some((signed) => equalBytes(listHash(signed), pin.listHash));
  if (isKnown) return;
  const isOlder = lists.every(({ data }) => parseDeviceList(data).version < pin.version);
  throw new ProtocolError(isOlder ? "list_rollback" : "list_fork", "not the list known before");
}

/** What the server said of a person's keys beyond a version of their list. */
interface Said {
  readonly after: number;
  readonly keys: UserKeysJson;
}

/** Keys of a person that verified by themselves; nothing of it is kept yet. */
interface Offer {
  readonly user: Uint8Array;
  readonly amkPub: Uint8Array;
  readonly account: AccountRow | null;
  readonly isPinned: boolean;
  readonly lists: readonly SignedDeviceList[];
  readonly former: readonly FormerKey[];
  readonly newest: KnownList | null;
  readonly prekeys: PrekeysByDevice;
}

export class People {
  /** Without a key log lists are taken as they verify by themselves: only for one's own. */
  constructor(
    private readonly store: Store,
    private readonly api: Api,
    private readonly keyLog: KeyLog | null = null,
    /** Told when somebody's account key is another one than before. */
    private readonly onOffer: () => void = () => undefined,
  ) {}

  private readonly lists = new Map<string, SignedDeviceList>();
  private readonly read = new ReadLists();

  /** What commits are judged with: every list that ever verified, and the pins. */
  async trust(): Promise<Required<Trust>> {
    const accounts = await this.store.tables.getAll("accounts");
    const pins = new Map([...(await this.linked())].map(([user, { amkPub }]) => [user, amkPub]));
    for (const { user, amkPub } of accounts) pins.set(user, amkPub);
    const serverKeys = (await this.keyLog?.serverKeys()) ?? [];
    return { lists: await this.everyList(), pins, serverKeys, read: this.read };
  }

  /** Every list of the store. What stands under a hash never changes, so each is fetched once. */
  private async everyList(): Promise<ReadonlyMap<string, SignedDeviceList>> {
    const hashes = await this.store.tables.getAllKeys("lists");
    const missing = hashes.filter((hash) => !this.lists.has(hash));
    const rows = await Promise.all(missing.map((hash) => this.store.tables.get("lists", hash)));
    for (const row of rows) if (row) this.lists.set(row.hash, { data: row.data, sig: row.sig });
    return this.lists;
  }

  /** What the device that linked this one knew of people whom this one has not met yet. */
  private async linked(): Promise<LinkedPins> {
    return (await this.store.fact<LinkedPins>("pins")).value ?? new Map();
  }

  /**
   * The newest list known of each member of a room, by hexadecimal user. A row under a former
   * account key is not refreshed, it is removed: of that one none is known.
   */
  async known(view: RoomView): Promise<Map<string, KnownList>> {
    const accounts = await this.store.tables.getAll("accounts");
    const keys = new Map(view.roster.map((row) => [hex(row.user), row.amkPub]));
    const isPresent = ({ user, amkPub }: AccountRow) => {
      const key = keys.get(user);
      return key !== undefined && equalBytes(key, amkPub);
    };
    return new Map(accounts.filter(isPresent).map((row) => [row.user, row]));
  }

  /** The pinned account of a person, or null before first contact. */
  async account(user: Uint8Array): Promise<AccountRow | null> {
    return (await this.store.tables.get("accounts", hex(user))) ?? null;
  }

  /** The newest verified list of a person who was met. */
  async newestList(user: Uint8Array): Promise<SignedDeviceList> {
    const account = await this.account(user);
    const list = account && (await this.store.tables.get("lists", hex(account.listHash)));
    if (!list) throw new ProtocolError("reference", "a device list is not at hand");
    return { data: list.data, sig: list.sig };
  }

  /** Every list of the own account under its present key that was ever verified, the newest last. */
  async ownLists({ user, amkPub }: { user: Uint8Array; amkPub: Uint8Array }): Promise<SignedDeviceList[]> {
    const rows = await this.store.tables.getAll("lists");
    const read = rows
      .filter((row) => row.user === hex(user))
      .map(({ data, sig }) => ({ signed: { data, sig }, list: parseDeviceList(data) }))
      .filter(({ list }) => equalBytes(list.amkPub, amkPub));
    return read.sort((one, other) => one.list.version - other.list.version).map(({ signed }) => signed);
  }

  /**
   * Fetch what is new of a person's lists, verify and keep it; gives their newest prekeys.
   * A pin is set at first contact and never replaced: lists under another key are kept beside
   * it, so that a chain that names them can be judged (`pin_mismatch`), and trusted for nothing.
   */
  async refresh(userId: Id): Promise<PrekeysByDevice> {
    return (await this.fetch(userId)).prekeys;
  }

  /** Fetch own lists that another own device has signed; what does not verify is none. */
  async learnOwn(userId: Id): Promise<void> {
    try {
      await this.take(() => this.offerOf(userId));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
  }

  private fetch(userId: Id, said?: Said): Promise<Offer> {
    return this.take(() => this.namedInLog(userId, said));
  }

  /** Keep an offer. Who else asked at the same moment may have: then it is made again, from there. */
  private async take(offered: () => Promise<Offer>): Promise<Offer> {
    for (;;) {
      const offer = await offered();
      try {
        await this.keep(offer);
        return offer;
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
      }
    }
  }

  private async namedInLog(userId: Id, said?: Said): Promise<Offer> {
    let offer = await this.offerOf(userId, said);
    if (this.keyLog && !(await this.isInLog(offer))) {
      await this.keyLog.follow();
      // A list may have been published in between.
      if (!(await this.isInLog(offer))) offer = await this.offerOf(userId);
      if (offer.isPinned && offer.newest) {
        await this.keyLog.demandNewest(offer.user, offer.newest.listHash);
      }
    }
    return offer;
  }

  /** Say whether the log, as it was followed, names a list; one under another key is not asked for. */
  private async isInLog({ user, isPinned, newest }: Offer): Promise<boolean> {
    return !isPinned || !newest || !this.keyLog || this.keyLog.isNewest(user, newest.listHash);
  }

  private async offerOf(userId: Id, said?: Said): Promise<Offer> {
    const user = idBytes(userId);
    const account = await this.account(user);
    const after = account?.version ?? 0;
    let keys = said?.after === after ? said.keys : await this.ask(userId, after);
    const amkPub = decodeBase64url(keys.account_key, 32);
    const linked = account ? null : ((await this.linked()).get(hex(user)) ?? null);
    const pinned = account ?? linked;
    const isPinned = pinned === null || equalBytes(pinned.amkPub, amkPub);
    if (!isPinned && account) keys = await this.ask(userId, 0);
    const lists = keys.lists.map((item) => ({
      data: decodeBase64url(item.device_list),
      sig: decodeBase64url(item.list_sig, 64),
    }));
    for (const signed of lists) verifyDeviceList(signed, user, amkPub);
    const former = readFormer(keys.former ?? [], { user, amkPub });
    const first = account && isPinned ? { version: account.version, listHash: account.listHash } : null;
    const newest = lists.reduce<KnownList | null>(
      (known, signed) => acceptDeviceList(known, [signed], { user, amkPub }),
      first,
    );
    if (isPinned && linked) checkLinked(lists, linked);
    const prekeys = new Map(
      keys.prekeys.map((item): [string, SignedPrekey] => [
        hex(idBytes(item.device_id)),
        { data: decodeBase64url(item.prekey), sig: decodeBase64url(item.prekey_sig, 64) },
      ]),
    );
    return { user, amkPub, account, isPinned, lists, former, newest, prekeys };
  }

  private ask(userId: Id, after: number): Promise<UserKeysJson> {
    return this.api.get<UserKeysJson>(`/api/users/${userId}/keys?after_version=${after}`);
  }

  /** Ask for many at once; of whom nothing is said must be asked for alone, to hear why. */
  private async askMany(userIds: readonly Id[]): Promise<Map<Id, Said>> {
    const found = new Map<Id, Said>();
    for (let at = 0; userIds.length > 1 && at < userIds.length; at += ASKED_AT_ONCE) {
      const part = userIds.slice(at, at + ASKED_AT_ONCE);
      const accounts = await Promise.all(part.map((userId) => this.account(idBytes(userId))));
      const after = new Map(part.map((userId, place) => [userId, accounts[place]?.version ?? 0]));
      const wanted = [...after].map(([user_id, after_version]) => ({ user_id, after_version }));
      for (const keys of await this.saidOf(wanted)) found.set(keys.user_id, { after: after.get(keys.user_id) ?? -1, keys });
    }
    return found;
  }

  private async saidOf(users: readonly object[]): Promise<UserKeysJson[]> {
    try {
      return (await this.api.post<{ users: UserKeysJson[] }>("/api/users/keys", { users })).users;
    } catch (error) {
      // A server of an earlier release, while a new one is taking its place; and nobody has to wait.
      if (error instanceof Refusal && ["not_found", "rate_limited"].includes(error.code)) return [];
      throw error;
    }
  }

  /**
   * Fetch the keys of several people in few requests; gives all their newest prekeys. Refuses
   * with `pin_mismatch` when one of `newcomers` has another account key than the pinned one.
   */
  async refreshAll(
    userIds: readonly Id[],
    newcomers: readonly Id[] = [],
  ): Promise<PrekeysByDevice> {
    const prekeys = new Map<string, SignedPrekey>();
    const said = await this.askMany(userIds);
    const waiting = [...userIds];
    const worker = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const fetched = await this.fetch(next, said.get(next));
        if (!fetched.isPinned && newcomers.includes(next)) {
          throw new ProtocolError("pin_mismatch", "another account key than the pinned one");
        }
        for (const [device, prekey] of fetched.prekeys) prekeys.set(device, prekey);
      }
    };
    await Promise.all([worker(), worker(), worker(), worker()]);
    return prekeys;
  }

  /** The highest number of a verified prekey of each device, by hexadecimal device. */
  async prekeyFloors(): Promise<Map<string, number>> {
    const accounts = await this.store.tables.getAll("accounts");
    return new Map(accounts.flatMap((row) => [...row.prekeySeqs]));
  }

  /** Remember the numbers of prekeys that verify `now` (ms): no lower one is used again (§4). */
  async rememberPrekeys(prekeys: PrekeysByDevice, now: number): Promise<void> {
    const changes = new Changes();
    for (const account of await this.store.tables.getAll("accounts")) {
      const prekeySeqs = new Map(account.prekeySeqs);
      const user = fromHex(account.user);
      for (const entry of parseDeviceList((await this.newestList(user)).data).entries) {
        const device = hex(entry.device);
        const signed = prekeys.get(device);
        const seq = signed ? verifiedSeq(signed, { user, entry, now }) : 0;
        if (seq > (prekeySeqs.get(device) ?? 0)) prekeySeqs.set(device, seq);
      }
      const isNew = [...prekeySeqs].some(([device, seq]) => account.prekeySeqs.get(device) !== seq);
      if (isNew) changes.put("accounts", account.user, { ...account, prekeySeqs });
    }
    try {
      await this.store.commit(changes);
    } catch (error) {
      // Another room's commit keeps the same rows at this moment; the next one does it again.
      if (!(error instanceof Conflict)) throw error;
    }
  }

  /**
   * The account key that a verified reset leads to from a person's pinned one, else null;
   * `pin_mismatch` where the server names another one and nothing leads there.
   */
  async renewedKey(userId: Id): Promise<Uint8Array | null> {
    const { account, amkPub, isPinned, former } = await this.offerOf(userId);
    if (!account || isPinned) return null;
    resetsFrom(former, account.amkPub);
    return amkPub;
  }

  private async keep(offer: Offer): Promise<void> {
    const { user, account, lists, former } = offer;
    const changes = new Changes();
    keepFormer(changes, former);
    for (const signed of lists) {
      const hash = hex(listHash(signed));
      changes.set("lists", hash, { hash, user: hex(user), data: signed.data, sig: signed.sig });
    }
    const row = rowAfter(offer);
    if (row) changes.put("accounts", hex(user), row);
    await this.store.commit(changes);
    if (row && hexOrNone(row.offered) !== hexOrNone(account?.offered)) this.onOffer();
  }

  /**
   * Take over the account key of somebody who started again: the person here has decided
   * (docs/protocol.md §3.6). Refuses `pin_mismatch` when the server shows another one than `amkPub`
   * or no reset leads there from the pinned key, and `kt` when the key log does not tell of the
   * reset or names another newest list.
   */
  async repin(userId: Id, amkPub: Uint8Array): Promise<void> {
    await this.keyLog?.follow();
    await this.take(async () => {
      const offer = await this.offerOf(userId);
      if (!equalBytes(offer.amkPub, amkPub) || !offer.newest) {
        throw new ProtocolError("pin_mismatch", "another account key than the one that was looked at");
      }
      await this.keyLog?.demandNewest(offer.user, offer.newest.listHash);
      if (!offer.isPinned) await this.demandReset(offer);
      return offer.isPinned ? offer : { ...offer, isPinned: true, account: bare(offer) };
    });
  }

  private async demandReset({ user, account, former }: Offer): Promise<void> {
    const pinned = account ?? (await this.linked()).get(hex(user));
    const last = pinned && resetsFrom(former, pinned.amkPub).at(-1);
    if (!last || !(await this.keyLog?.tellsOfReset(user, last.resetId))) {
      throw new ProtocolError("kt", "a reset that the key log does not tell of");
    }
  }

  /** Fetch the lists of everybody of whom the key log names a newer one than is known here. */
  async refreshBehind(): Promise<void> {
    for (const row of await this.store.tables.getAll("accounts")) {
      const user = fromHex(row.user);
      if (await this.keyLog?.isNewest(user, row.listHash)) continue;
      try {
        await this.refresh(idOf(user));
      } catch (error) {
        // Somebody with whom nothing is shared any more, or a list that does not verify.
        if (!(error instanceof ProtocolError) && !(error instanceof Refusal)) throw error;
      }
    }
  }
}

/** What is remembered of a person after an offer; null where nothing of it is new. */
function rowAfter({ user, amkPub, account, isPinned, lists, newest }: Offer): AccountRow | null {
  if (!isPinned) {
    const isKnown = account?.offered !== undefined && equalBytes(account.offered, amkPub);
    return account && !isKnown ? { ...account, offered: amkPub } : null;
  }
  if (!newest || (lists.length === 0 && account?.offered === undefined)) return null;
  const { version, listHash: hash } = newest;
  const { revision = 0, prekeySeqs = new Map<string, number>() } = account ?? {};
  return { user: hex(user), amkPub, version, listHash: hash, prekeySeqs, revision };
}

/** The row of a person before anything of another account key is remembered. */
function bare({ account }: Offer): AccountRow | null {
  return account && { ...account, prekeySeqs: new Map() };
}

function hexOrNone(key: Uint8Array | undefined): string {
  return key === undefined ? "" : hex(key);
}
