/** The people of the in-memory server: accounts, keys, friends. */
import { listHash, parseDeviceList } from "../../src/crypto/device_list";
import { decodeBase64url, encodeBase64url, equalBytes, lpSplit } from "../../src/crypto/encoding";
import { parsePrekey } from "../../src/crypto/prekeys";
import { systemRandom } from "../../src/crypto/primitives";
import type { Id } from "../../src/engine/contract";
import { idOf } from "../../src/engine/ids";
import type { Clock } from "./clock";
import { type Asked, Problem, type Session } from "./server_asked";
import { ServerKeyLog } from "./server_key_log";
import { ServerPasskeys } from "./server_passkeys";
import { ServerResets, type Touched } from "./server_resets";
import type { ServerRoom } from "./server_rooms";

export interface Account {
  email: string;
  nickname: string;
  status: string;
  accountKey: string | null;
  lists: { version: number; device_list: string; list_sig: string }[];
  recovery: { recovery_blob: string; recovery_sig: string } | null;
  recoveryVersion: number;
  carries: { bk_version: number; carry: string }[];
  prekeys: Map<Id, { device_id: Id; seq: number; prekey: string; prekey_sig: string }>;
}

interface Request {
  id: Id;
  from: Id;
  to: Id;
}

export abstract class Accounts implements Touched {
  readonly accounts = new Map<Id, Account>();
  friendships: [Id, Id][] = [];
  requests: Request[] = [];

  keyLog = new ServerKeyLog();
  readonly resets = new ServerResets(this);
  readonly passkeys = new ServerPasskeys();

  abstract readonly clock: Clock;
  abstract readonly rooms: ReadonlyMap<Id, ServerRoom>;
  abstract tellUser(user: Id, frame: Record<string, unknown>): void;
  abstract listChanged(user: Id, dropped: readonly Id[], asking?: Session | null): void;

  addAccount(nickname: string): Id {
    const id = idOf(systemRandom(16));
    const email = `${nickname}@example.org`;
    const none = { accountKey: null, lists: [], recovery: null, recoveryVersion: 1, carries: [], prekeys: new Map() };
    this.accounts.set(id, { email, nickname, status: "", ...none });
    return id;
  }

  befriend(one: Id, other: Id): void {
    this.friendships.push([one, other]);
  }

  nameOf = (id: Id): string => this.accounts.get(id)?.nickname ?? "";

  /** An account begins anew, with no keys. */
  reset(id: Id): void {
    const account = this.account(id);
    account.accountKey = null;
    account.lists = [];
    account.prekeys.clear();
  }

  account(id: Id): Account {
    const account = this.accounts.get(id);
    if (!account) throw new Problem("not_found", 404);
    return account;
  }

  me(session: Session): Record<string, unknown> {
    const { email, nickname, status, accountKey, lists, recoveryVersion } = this.account(session.user);
    return {
      user_id: session.user,
      ...{ email, nickname, status_message: status, account_key: accountKey },
      ...{ list_version: lists.length, recovery_version: recoveryVersion, device_id: session.device },
    };
  }

  enrol({ user, session, body }: Asked): unknown {
    const account = this.account(user);
    if (account.accountKey !== null) throw new Problem("keys_exist", 409);
    account.accountKey = body["account_key"] as string;
    const { device_list, list_sig, prekey, prekey_sig } = body as Record<string, string>;
    account.lists.push({ version: 1, device_list: device_list!, list_sig: list_sig! });
    const { recovery_blob, recovery_sig } = body as Record<string, string>;
    account.recovery = { recovery_blob: recovery_blob!, recovery_sig: recovery_sig! };
    const [entry] = parseDeviceList(decodeBase64url(device_list!)).entries;
    const id = idOf(entry!.device);
    account.prekeys.set(id, { device_id: id, seq: 1, prekey: prekey!, prekey_sig: prekey_sig! });
    return this.me(session);
  }

  /** The ids in the newest list of an account. */
  devicesOf(user: Id): Id[] {
    const newest = this.account(user).lists.at(-1);
    const entries = newest ? parseDeviceList(decodeBase64url(newest.device_list)).entries : [];
    return entries.map(({ device }) => idOf(device));
  }

  listVersion(user: Id): number {
    return this.account(user).lists.length;
  }

  private nextList({ user, session, body }: Asked): unknown {
    const account = this.account(user);
    const { device_list, list_sig, prekeys } = body as {
      device_list: string;
      list_sig: string;
      prekeys: { prekey: string; prekey_sig: string }[];
    };
    this.demandNext(account, device_list);
    const dropped = this.devicesOf(user);
    account.lists.push({ version: account.lists.length + 1, device_list, list_sig });
    for (const row of prekeys) this.keepPrekey(user, row);
    const gone = dropped.filter((id) => !this.devicesOf(user).includes(id));
    for (const id of gone) account.prekeys.delete(id);
    this.listChanged(user, gone, session);
    return this.me(session);
  }

  private demandNext({ lists }: Account, deviceList: string): void {
    const before = lists.at(-1)!;
    const list = parseDeviceList(decodeBase64url(deviceList));
    const previous = listHash({ data: decodeBase64url(before.device_list), sig: new Uint8Array() });
    const isNext = list.version === before.version + 1 && equalBytes(list.prevListHash, previous);
    if (!isNext) throw new Problem("list_version", 409);
  }

  /** A new recovery key: list, blob and carried seed at once. */
  private renew({ user, session, body }: Asked): unknown {
    const account = this.account(user);
    const sent = body as Record<string, string>;
    this.demandNext(account, sent["device_list"]!);
    const former = parseDeviceList(decodeBase64url(account.lists.at(-1)!.device_list)).bkVersion;
    const version = account.lists.length + 1;
    account.lists.push({ version, device_list: sent["device_list"]!, list_sig: sent["list_sig"]! });
    account.recovery = { recovery_blob: sent["recovery_blob"]!, recovery_sig: sent["recovery_sig"]! };
    account.recoveryVersion += 1;
    this.passkeys.of(user).clear();
    account.carries.push({ bk_version: former, carry: sent["carry"]! });
    this.listChanged(user, []);
    return this.me(session);
  }

  backupKeyOf(user: Id): unknown {
    const { recovery, lists } = this.account(user);
    const [, , , , bkPub] = lpSplit(decodeBase64url(recovery!.recovery_blob), 5);
    const { bkVersion } = parseDeviceList(decodeBase64url(lists.at(-1)!.device_list));
    return { bk_version: bkVersion, bk_pub: encodeBase64url(bkPub!) };
  }

  private keepPrekey(user: Id, { prekey, prekey_sig }: { prekey: string; prekey_sig: string }): number {
    const { seq, device } = parsePrekey(decodeBase64url(prekey));
    const row = { device_id: idOf(device), seq, prekey, prekey_sig };
    this.account(user).prekeys.set(row.device_id, row);
    return seq;
  }

  private keysOf({ path, query }: Asked): unknown {
    const id = path[1]!;
    const account = this.account(id);
    if (account.accountKey === null) throw new Problem("keys_missing", 409);
    const after = Number(query.get("after_version"));
    return {
      user_id: id,
      account_key: account.accountKey,
      lists: account.lists.filter((list) => list.version > after),
      prekeys: [...account.prekeys.values()],
      former: this.resets.former.get(id) ?? [],
    };
  }

  /** Every device list that the server has, in some order that stays. */
  keyLogLists(): (readonly [Id, Uint8Array])[] {
    return [...this.accounts].flatMap(([id, { lists }]) =>
      lists.map(({ device_list: list }) => {
        const data = decodeBase64url(list);
        return [id, listHash({ data, sig: new Uint8Array(0) })] as const;
      }),
    );
  }

  /** The log with a leaf for each list. */
  keyLogNow(): ServerKeyLog {
    this.keyLog.addAll(this.keyLogLists());
    return this.keyLog;
  }

  private friendsOf(user: Id): unknown {
    const others = this.friendships
      .filter((pair) => pair.includes(user))
      .map(([one, other]) => (one === user ? other : one));
    return {
      friends: others.map((id) => {
        const { email, nickname, status, accountKey } = this.account(id);
        const has_keys = accountKey !== null;
        return { user_id: id, email, nickname, status_message: status, since_ms: 1, has_keys };
      }),
      received: this.requests
        .filter(({ to }) => to === user)
        .map(({ id, from }) => {
          const { email, nickname } = this.account(from);
          return { friend_request_id: id, email, nickname, created_ms: 1 };
        }),
      sent: this.requests
        .filter(({ from }) => from === user)
        .map(({ id, to }) => ({
          friend_request_id: id,
          email: this.account(to).email,
          created_ms: 1,
        })),
    };
  }

  private request({ user, body }: Asked): unknown {
    const email = body["email"] as string;
    const to = [...this.accounts].find(([, account]) => account.email === email)?.[0];
    if (to) {
      const id = idOf(systemRandom(16));
      this.requests.push({ id, from: user, to });
      this.tellUser(to, { event: "friend_request.received", friend_request_id: id });
    }
    return { status: "sent" };
  }

  private acceptRequest({ path }: Asked): unknown {
    const found = this.requests.find(({ id }) => id === path[1]);
    if (!found) throw new Problem("not_found", 404);
    this.requests = this.requests.filter((request) => request !== found);
    this.befriend(found.from, found.to);
    this.tellUser(found.from, { event: "friendship.made", user_id: found.to });
    return {};
  }

  protected readonly accountHandlers: Record<string, (asked: Asked) => unknown> = {
    "GET me": ({ session }) => this.me(session),
    "PATCH me": ({ session, user, body }) => {
      const { nickname } = body as { nickname?: string };
      if (nickname) this.account(user).nickname = nickname;
      return this.me(session);
    },
    "POST me/keys": (asked) => this.enrol(asked),
    "POST me/device-lists": (asked) => this.nextList(asked),
    "GET me/recovery": ({ user }) => {
      const { recovery, carries } = this.account(user);
      return { ...recovery, carries };
    },
    "POST me/recovery": (asked) => this.renew(asked),
    "GET me/backup-key": ({ user }) => this.backupKeyOf(user),
    "GET devices": ({ user, session }) => ({
      devices: this.devicesOf(user).map((device_id) => {
        const times = { created_ms: 1, last_used_ms: 2 };
        return { device_id, ...times, current: device_id === session.device };
      }),
    }),
    "POST prekeys": ({ user, body }) => ({
      seq: this.keepPrekey(user, body as { prekey: string; prekey_sig: string }),
    }),
    "GET key-log/head": () => this.keyLogNow().headJson(this.clock.now()),
    "GET key-log": ({ query }) =>
      this.keyLogNow().pageJson(this.clock.now(), Number(query.get("after"))),
    "GET users/*/keys": (asked) => this.keysOf(asked),
    "GET users/*": ({ path }) => ({ user_id: path[1], nickname: this.nameOf(path[1]!) }),
    "GET friends": ({ user }) => this.friendsOf(user),
    "POST friend-requests": (asked) => this.request(asked),
    "POST friend-requests/*/accept": (asked) => this.acceptRequest(asked),
  };
}
