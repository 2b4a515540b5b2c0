/** Reads the store and gives screens what they show: one for each tab, leading or not. */
import { hex } from "../crypto/encoding";
import { keepsHistory } from "../crypto/epoch";
import { deviceId } from "../crypto/identity";
import { type AccountIdentity, fingerprint } from "../crypto/safety";
import { pastOf } from "./bringing_back";
import type { Connection, Friend, FriendTrust, Id, Me, Restoring, RoomSummary, Snapshot, Timeline } from "./contract";
import type { Change } from "./core";
import { formerKeysOf } from "./former_keys";
import { idBytes, idOf } from "./ids";
import type { SystemLine } from "./lines";
import { keyLogNotice } from "./key_log_notice";
import { membershipOf, nameIn } from "./membership";
import { readNotes } from "./notes";
import { readOutbox } from "./outbox";
import { isOutstanding } from "./outbox_state";
import { isOwn, ownAccount } from "./own_room";
import { isWrittenDown } from "./recovery";
import { type RoomRecord, readRoom, readRooms } from "./records";
import { refuse } from "./refusal";
import { renewing } from "./renewing";
import type { KeptHistory } from "./restoring";
import { startingAgain } from "./starting_again";
import { bodyOfItem } from "./store/reopen";
import type { ItemRow, OutboxRow } from "./store/schema";
import type { Store } from "./store/store";
import { type ReadItem, type ReadWaiting, timelineItems, unreadLine } from "./timeline";
import { trustIn } from "./verifying";
import type { FriendsJson, MeJson } from "./wire";

export const WINDOW = 100;

interface Shown {
  readonly roomId: Id;
  /** The lowest place that is shown; paging moves it up the log. */
  from: number;
  unreadAfter: number | null;
}

function friendOf(json: FriendsJson["friends"][number], trust: FriendTrust): Friend {
  return {
    userId: json.user_id,
    email: json.email,
    nickname: json.nickname,
    statusMessage: json.status_message,
    sinceMs: json.since_ms,
    hasKeys: json.has_keys,
    trust,
  };
}

/** Say whether a room stands in the list: hidden ones do not until something newer came. */
export function isListed(record: RoomRecord): boolean {
  return record.hiddenTo === 0 || record.reopened || record.head > record.hiddenTo;
}

/** Say whether the composer is open. */
export function canWrite(record: RoomRecord): boolean {
  const isTroubled = record.trouble !== "none" && record.trouble !== "getting_keys";
  const isOut = record.left !== null || record.leaveSent;
  return record.view !== null && !isTroubled && !isOut;
}

/** The own account under keys of before: its own rooms are nobody's to look at, either. */
async function formerAccounts(store: Store, { user, amkPub }: AccountIdentity): Promise<AccountIdentity[]> {
  return (await formerKeysOf(store, { user, amkPub })).map((key) => ({ user, amkPub: key.amkPub }));
}

export class Views {
  private shown: Shown | null = null;
  private readonly read = new Map<string, { revision: number; item: ReadItem }>();
  private readonly texts = new Map<Id, string>();
  private own: { userId: Id; digits: string } | null = null;
  private account: AccountIdentity | null = null;

  constructor(
    private readonly store: Store,
    private readonly emit: (snapshot: Snapshot) => void,
  ) {}

  /** Give everything that is known. */
  async all(): Promise<void> {
    await this.changed({ me: true, friends: true, rooms: [], keyLog: true, startingAgain: true });
  }

  /** Read again what changed and give it to the screens. */
  async changed(change: Change): Promise<void> {
    if (change.me) await this.giveMe();
    if (change.friends) await this.giveFriends();
    if (change.rooms) await this.giveRooms();
    if (change.keyLog) this.emit({ keyLog: await keyLogNotice(this.store) });
    if (change.startingAgain) this.emit({ startingAgain: await startingAgain(this.store) });
    const { shown } = this;
    if (shown && change.rooms?.includes(shown.roomId)) await this.giveTimeline(shown);
  }

  /** Count own messages that wait, for the ribbon. */
  async waiting(): Promise<number> {
    const rows = await this.store.tables.getAll("outbox");
    return rows.filter((row) => !row.isNote && isOutstanding(row.state)).length;
  }

  /** Give the connection with the number of waiting messages. */
  async giveConnection(connection: Omit<Connection, "waiting">): Promise<void> {
    this.emit({ connection: { ...connection, waiting: await this.waiting() } });
  }

  /** Show a room in this tab from now on; `not_found` while it is not here, and shown once it is. */
  async show(roomId: Id): Promise<void> {
    const record = (await readRoom(this.store, roomId))?.record;
    const newest = await this.page(roomId, Infinity);
    const from = Math.min(newest.at(-1)?.seq ?? 1, (record?.readTo ?? 0) + 1);
    const shown = { roomId, from, unreadAfter: null };
    this.shown = shown;
    this.read.clear();
    if (!record) throw refuse("not_found");
    await this.giveTimeline(shown, true);
  }

  close(): void {
    this.shown = null;
    this.read.clear();
  }

  /** Show one page more of the past. */
  async older(roomId: Id): Promise<void> {
    const { shown } = this;
    if (shown?.roomId !== roomId) return;
    const page = await this.page(roomId, shown.from - 1);
    shown.from = page.at(-1)?.seq ?? shown.from;
    await this.giveTimeline(shown);
  }

  /** The newest rows up to a place, newest first. */
  private async page(roomId: Id, upto: number): Promise<ItemRow[]> {
    if (upto < 1) return [];
    const range = IDBKeyRange.bound([roomId, 1], [roomId, upto]);
    const index = this.store.tables.transaction("items").store.index("bySeq");
    const rows: ItemRow[] = [];
    let cursor = await index.openCursor(range, "prev");
    while (cursor && rows.length < WINDOW) {
      rows.push(cursor.value);
      cursor = await cursor.continue();
    }
    return rows;
  }

  private async giveMe(): Promise<void> {
    const me = (await this.store.fact<MeJson>("me")).value;
    const device = (await this.store.fact<{ dskPub: Uint8Array; amkPub: Uint8Array }>("device"))
      .value;
    if (!me || !device) return;
    const user = idBytes(this.store.userId);
    this.own ??= { userId: me.user_id, digits: fingerprint(user, device.amkPub) };
    const shown: Me = {
      userId: me.user_id,
      email: me.email,
      nickname: me.nickname,
      statusMessage: me.status_message,
      fingerprint: (this.own.digits.match(/.{5}/g) ?? []).join(" "),
      deviceId: idOf(deviceId(user, device.dskPub)),
      hasRecoveryKey: await isWrittenDown(this.store),
      renewing: await renewing(this.store),
      past: await pastOf(this.store),
    };
    this.emit({ me: shown });
  }

  private async giveFriends(): Promise<void> {
    const json = (await this.store.fact<FriendsJson>("friends")).value;
    if (!json) return;
    const { friends, received, sent } = json;
    const id = (row: { friend_request_id: Id; created_ms: number }) => ({
      id: row.friend_request_id,
      createdMs: row.created_ms,
    });
    this.emit({
      friends: {
        friends: await this.withTrust(friends),
        received: received.map((row) => ({ ...id(row), email: row.email, nickname: row.nickname })),
        sent: sent.map((row) => ({ ...id(row), email: row.email })),
      },
    });
  }

  private async withTrust(friends: FriendsJson["friends"]): Promise<Friend[]> {
    const trustOf = await this.trusts();
    return friends.map((json) => friendOf(json, trustOf(json.user_id)));
  }

  private async trusts(): Promise<(userId: Id) => FriendTrust> {
    const notes = await readNotes(this.store);
    const rows = await this.store.tables.getAll("accounts");
    const accounts = new Map(rows.map((row) => [row.user, row]));
    return (userId) => {
      const user = idBytes(userId);
      return trustIn(notes, user, accounts.get(hex(user)));
    };
  }

  private async giveRooms(): Promise<void> {
    const own = (this.account ??= await ownAccount(this.store));
    const hidden = own ? [own, ...(await formerAccounts(this.store, own))] : [];
    const isShown = (record: RoomRecord) => !hidden.some((account) => isOwn(record, account));
    const records = (await readRooms(this.store)).filter(isShown).filter(isListed);
    const outbox = (await this.store.tables.getAll("outbox")).filter((row) => !row.isGivenUp);
    const rooms = await Promise.all(
      records.map((record) =>
        this.summary(
          record,
          outbox.filter((row) => row.roomId === record.info.room_id),
        ),
      ),
    );
    const trustOf = await this.trusts();
    for (const { members } of rooms) {
      for (const member of members) if (member.userId !== this.store.userId) member.trust = trustOf(member.userId);
    }
    rooms.sort((left, right) => right.lastAtMs - left.lastAtMs);
    this.emit({ rooms, restoring: await this.restoring(records) });
  }

  /** Count the rooms whose past is here while this browser is being restored. */
  private async restoring(records: readonly RoomRecord[]): Promise<Restoring | null> {
    const isFollowing = Boolean((await this.store.fact<KeptHistory>("history")).value);
    const isDone = ({ view, olderTo = 0 }: RoomRecord) => view !== null && olderTo === 0;
    const done = records.filter(isDone).length;
    const isLeft = records.some(({ olderTo = 0 }) => olderTo > 0);
    return isFollowing || isLeft ? { done, of: records.length } : null;
  }

  private async summary(record: RoomRecord, outbox: readonly OutboxRow[]): Promise<RoomSummary> {
    const newest = [...outbox].sort((left, right) => right.order - left.order)[0];
    const isNewer = newest !== undefined && newest.createdMs >= record.lastAtMs;
    const trouble = record.trouble === "none" && record.logFork ? "fork" : record.trouble;
    return {
      roomId: record.info.room_id,
      ...membershipOf(record, this.store.userId),
      left: record.left,
      keepsHistory: record.view === null || keepsHistory(record.view),
      historyEnded: (record.view?.unkeptFrom ?? 0) > 0,
      unread: record.unread,
      lastText: isNewer ? await this.textOf(newest) : record.lastText,
      lastAtMs: isNewer ? newest.createdMs : record.lastAtMs,
      hasFailed: outbox.some((row) => row.state === "failed"),
      canWrite: canWrite(record),
      trouble,
    };
  }

  private async textOf(row: OutboxRow): Promise<string> {
    const known = this.texts.get(row.messageId);
    if (known !== undefined) return known;
    const key: [Id, Id] = [row.roomId, row.messageId];
    const text = await this.store.unseal<string>("outbox", key, row.text);
    this.texts.set(row.messageId, text);
    return text;
  }

  private async giveTimeline(shown: Shown, isFirst = false): Promise<void> {
    const { roomId } = shown;
    const record = (await readRoom(this.store, roomId))?.record;
    if (!record) return;
    const range = IDBKeyRange.bound([roomId, shown.from], [roomId, Infinity]);
    const live = IDBKeyRange.only([roomId, 0]);
    const tables = this.store.tables;
    const rows = await tables.getAllFromIndex("items", "bySeq", range);
    rows.push(...(await tables.getAllFromIndex("items", "bySeq", live)));
    const items = await Promise.all(rows.map((row) => this.open(row)));
    const waiting = await this.waitingIn(roomId);
    const device = (await this.store.fact<{ dskPub: Uint8Array }>("device")).value;
    const made = timelineItems({
      userId: this.store.userId,
      deviceId: device ? idOf(deviceId(idBytes(this.store.userId), device.dskPub)) : "",
      items,
      waiting,
      members: membershipOf(record, this.store.userId).members,
      cursors: record.info.cursors,
      nameOf: (userId) => nameIn(record, userId),
    });
    if (isFirst) shown.unreadAfter = unreadLine(record.readTo, made);
    const hasOlder = (await this.page(roomId, shown.from - 1)).length > 0;
    const timeline: Timeline = { roomId, items: made, hasOlder, unreadAfter: shown.unreadAfter };
    if (this.shown === shown) this.emit({ timeline });
  }

  private async waitingIn(roomId: Id): Promise<ReadWaiting[]> {
    const rows = (await readOutbox(this.store, roomId)).filter((row) => !row.isGivenUp);
    return Promise.all(rows.map(async (row) => ({ row, text: await this.textOf(row) })));
  }

  private async open(row: ItemRow): Promise<ReadItem> {
    const id = `${row.kind}/${hex(row.eid)}`;
    const known = this.read.get(id);
    if (known?.revision === row.revision) return known.item;
    const body = row.kind === "message" ? await bodyOfItem(this.store, row) : null;
    const lines = row.kind === "commit" ? await this.lines(row.roomId, row.epoch) : [];
    const item = { row, text: body?.text ?? null, type: body?.type ?? null, lines };
    this.read.set(id, { revision: row.revision, item });
    return item;
  }

  private async lines(roomId: Id, epoch: number): Promise<SystemLine[]> {
    const row = await this.store.tables.get("lines", [roomId, epoch]);
    return row ? this.store.unseal<SystemLine[]>("lines", [roomId, epoch], row.sealed) : [];
  }
}
