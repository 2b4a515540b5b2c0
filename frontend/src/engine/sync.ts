/**
 * From a connection to the newest state, and staying there: prove, collect pushes, sync by
 * cursors, apply the pages, then the pushes; after that every push repairs or announces.
 */
import { ProtocolError } from "../crypto/errors";
import { applyHeld, applyLive, applyPage, applyStored, catchUp } from "./apply";
import { openPast } from "./bringing_back";
import { followChain } from "./chain";
import { DUE, commitRoom } from "./commits";
import type { Id } from "./contract";
import type { Core } from "./core";
import type { Cursors } from "./cursors";
import { bringOwnList } from "./devices";
import type { Heads, Push } from "./frames";
import { refreshFriends, refreshMe } from "./friends";
import { endRestoring } from "./history";
import { letAllGo } from "./letting_go";
import { houseNotes } from "./noting";
import { fetchPast } from "./older";
import type { Outbox } from "./outbox";
import type { Cancel } from "./platform";
import { readRoom, readRooms } from "./records";
import { Refusal, refuse } from "./refusal";
import { moveHistory } from "./resealing";
import { deleteRoom, moveCursor, refreshRoom, refreshRooms } from "./rooms";
import { backoff } from "./socket";
import { refreshReset } from "./starting_again";
import { Conflict } from "./store/store";
import { deliverHistory } from "./wraps";

const HEADS_MS = 60_000;
const HEADS_JITTER_MS = 15_000;
const LEAVE_DELAY_MS = 2_000;
/** The least wait before what failed right after connecting is done again, and how often it is. */
const AGAIN_MS = 1_000;
const MOST_TRIES_AGAIN = 6;
const ROOMS_IN_A_SYNC = 200;
const LET_GO_EVERY_MS = 3_600_000;

type SyncPage = Extract<Push, { event: "sync.page" }>;

export class Sync {
  /** Pushes that came while the first pages were on their way; null when none are collected. */
  private collected: Push[] | null = null;
  private pages: SyncPage[] = [];
  private cancelHeads: Cancel | null = null;
  private cancelAgain: Cancel | null = null;
  private failures = 0;
  private letGoMs = -LET_GO_EVERY_MS;
  private isStopped = false;
  private readonly leaving = new Map<Id, Cancel>();

  constructor(
    private readonly core: Core,
    private readonly outbox: Outbox,
    private readonly cursors: Cursors,
  ) {}

  stop(): void {
    this.isStopped = true;
    this.cancelHeads?.();
    this.cancelAgain?.();
    for (const cancel of this.leaving.values()) cancel();
    this.leaving.clear();
  }

  /** The socket is about to prove its device: from now on collect pushes. */
  connecting(): void {
    this.collected = [];
    this.failures = 0;
    this.cancelAgain?.();
  }

  /** The socket is online: bring everything up to date, then look at what came meanwhile. */
  async connected(): Promise<void> {
    const collected = (this.collected ??= []);
    this.cursors.forgetTold();
    const isWhole = await this.quietly(() => this.bringUpToDate());
    // Another connection has begun meanwhile, and collects for itself.
    if (this.collected !== collected) return;
    this.collected = null;
    for (const push of collected) this.push(push);
    this.scheduleHeads();
    if (!isWhole) this.connectedAgain();
    void this.lookForNewKeys();
    await this.quietly(() => this.core.keyring.renewPrekey());
    await this.quietly(() => this.core.keyring.destroyOldPrekeys());
    await this.quietly(() => houseNotes(this.core, this.outbox));
    await this.quietly(() => this.outbox.kickAll());
    await this.quietly(() => this.fetchPast());
    await this.quietly(() => moveHistory(this.core));
    await this.quietly(() => openPast(this.core));
    await this.letGo();
  }

  /** Once an hour at most: what is let go is days old. */
  private async letGo(): Promise<void> {
    const now = this.core.platform.now();
    if (now - this.letGoMs < LET_GO_EVERY_MS) return;
    this.letGoMs = now;
    await this.quietly(() => letAllGo(this.core));
  }

  /** `Refusal` when a request was refused, `unavailable` when only some rooms are up to date. */
  private async bringUpToDate(): Promise<void> {
    await this.core.keyring.proveSession();
    await refreshMe(this.core);
    await refreshFriends(this.core);
    await this.resetChanged();
    const rooms = await refreshRooms(this.core);
    const areFresh = await this.freshenAll(rooms);
    const areSynced = await this.syncAll();
    // Commits take a while, and a new device reads before it may write.
    await this.bringOwnLists(rooms);
    if (!areFresh || !areSynced) throw refuse("unavailable");
  }

  /**
   * A socket may be back before everything behind it is: one refused request must not leave the
   * screen as it was until the next heartbeat, which takes over from the last try.
   */
  private connectedAgain(): void {
    const { platform, socket } = this.core;
    if (this.failures >= MOST_TRIES_AGAIN) return;
    const wait = AGAIN_MS + backoff(this.failures, platform.random());
    this.failures += 1;
    this.cancelAgain?.();
    this.cancelAgain = platform.after(wait, () => {
      if (!this.isStopped && socket.state === "online") void this.connected();
    });
  }

  /** Follow every room's chain; once all were followed, history records are needed no more. */
  private async freshenAll(rooms: readonly Id[]): Promise<boolean> {
    let areFollowed = true;
    for (const roomId of rooms) {
      const isFollowed = await this.inLane(roomId, () => this.freshen(roomId));
      areFollowed &&= isFollowed;
    }
    if (areFollowed) await endRestoring(this.core);
    return areFollowed;
  }

  private async bringOwnLists(rooms: readonly Id[]): Promise<void> {
    for (const roomId of rooms) {
      await this.inLane(roomId, () => bringOwnList(this.core, roomId));
    }
  }

  /** Follow the key log, and fetch the lists of whoever has a newer one in it. */
  private async lookForNewKeys(): Promise<void> {
    await this.quietly(async () => {
      await this.core.keyLog.follow();
      await this.core.people.refreshBehind();
    });
  }

  /** After restoring: what is older than each room's newest messages. */
  private fetchPast(): Promise<void> {
    const isGoing = () => !this.isStopped && this.core.socket.state === "online";
    return isGoing() ? fetchPast(this.core, isGoing) : Promise.resolve();
  }

  /**
   * Run what the network, or a row that another tab wrote, may interrupt, and say whether nothing
   * did; the next check does it again. What did not verify has already marked its room.
   */
  private async quietly(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (error instanceof ProtocolError) return true;
      const isKnown = error instanceof Refusal || error instanceof Conflict;
      if (isKnown || this.isStopped) return false;
      if (!(error instanceof DOMException)) throw error;
      this.core.storageFailed();
      return false;
    }
  }

  private inLane(roomId: Id, work: () => Promise<unknown>): Promise<boolean> {
    return this.core.lanes.run(roomId, () => this.quietly(work));
  }

  /** Follow a room's chain where it is behind, and see to those who leave. */
  private async freshen(roomId: Id): Promise<void> {
    const room = await readRoom(this.core.store, roomId);
    if (!room) return;
    const { view, info } = room.record;
    if (info.head_epoch > (view?.epoch ?? -1)) {
      await followChain(this.core, roomId);
      await applyHeld(this.core, roomId);
    }
    await deliverHistory(this.core, roomId);
    if (info.leaving.some((leaving) => leaving.user_id !== this.core.userId)) {
      this.executeLeave(roomId);
    }
  }

  private async syncAll(): Promise<boolean> {
    let areSynced = true;
    const records = await readRooms(this.core.store);
    let wanted = new Map(records.map((record) => [record.info.room_id, record.cursor]));
    while (wanted.size > 0) {
      const asked = [...wanted].slice(0, ROOMS_IN_A_SYNC);
      wanted = new Map([...wanted].slice(ROOMS_IN_A_SYNC));
      this.pages = [];
      await this.core.socket.ask({ event: "sync", rooms: Object.fromEntries(asked) });
      for (const page of this.pages.splice(0)) {
        const roomId = page.room_id;
        const isApplied = await this.inLane(roomId, () => applyPage(this.core, roomId, page));
        areSynced &&= isApplied;
        this.cursors.schedule(roomId);
        const before = asked.find(([id]) => id === roomId)?.[1] ?? 0;
        if (page.more && page.upto > before) wanted.set(roomId, page.upto);
      }
    }
    return areSynced;
  }

  /** Ask for the heads at once: the page came into view, or the network came back. */
  async check(): Promise<void> {
    if (this.core.socket.state !== "online") return;
    await this.quietly(async () => {
      const { rooms } = await this.core.socket.ask({ event: "heads" });
      await this.compare(rooms as Heads);
      await this.core.keyLog.followSometimes();
    });
    await this.letGo();
  }

  private scheduleHeads(): void {
    const { platform } = this.core;
    this.cancelHeads?.();
    if (this.isStopped) return;
    const jitter = (2 * platform.random() - 1) * HEADS_JITTER_MS;
    this.cancelHeads = platform.after(HEADS_MS + jitter, () => {
      void this.check().then(() => this.scheduleHeads());
    });
  }

  private async compare(heads: Heads): Promise<void> {
    for (const [roomId, { seq, epoch }] of Object.entries(heads)) {
      const room = await readRoom(this.core.store, roomId);
      if (!room) await this.inLane(roomId, () => this.welcome(roomId));
      else if (epoch > (room.record.view?.epoch ?? -1)) this.commitAccepted(roomId);
      if (room && seq > room.record.cursor) {
        await this.inLane(roomId, () => catchUp(this.core, roomId));
        this.cursors.schedule(roomId);
      }
    }
  }

  private async welcome(roomId: Id): Promise<void> {
    if (!(await refreshRoom(this.core, roomId))) return;
    await this.freshen(roomId);
    await catchUp(this.core, roomId);
    this.cursors.schedule(roomId);
  }

  /** Take one push; during the first pages it waits. */
  push(push: Push): void {
    if (push.event === "sync.page") this.pages.push(push);
    else if (this.collected) this.collected.push(push);
    else this.act(push);
  }

  private act(push: Push): void {
    const { core } = this;
    switch (push.event) {
      case "message.live":
        void this.inLane(push.room_id, () => applyLive(core, push.room_id, push));
        break;
      case "message.stored":
        this.stored(push);
        break;
      case "message.refused":
        void this.quietly(() =>
          this.outbox.refusedLater(push.room_id, push.message_id, push.code),
        );
        break;
      case "commit.accepted":
        this.commitAccepted(push.room_id);
        break;
      case "member.left":
        void this.inLane(push.room_id, () => this.welcome(push.room_id));
        break;
      case "room.added":
      case "room.removed":
        void this.inLane(push.room_id, () => this.welcome(push.room_id));
        break;
      case "room.deleted":
        void this.inLane(push.room_id, () => deleteRoom(core, push.room_id));
        break;
      case "cursor.moved":
        void this.inLane(push.room_id, () => moveCursor(core, push.room_id, push));
        break;
      case "heads":
        void this.quietly(() => this.compare(push.rooms));
        break;
      case "friend_request.received":
      case "friend_request.closed":
      case "friendship.made":
      case "friendship.ended":
        void this.quietly(() => refreshFriends(core));
        break;
      case "profile.changed":
        void this.quietly(() => this.profileChanged(push.user_id));
        break;
      case "reset.changed":
        void this.quietly(() => this.resetChanged());
        break;
      case "sync.page":
      case "reconnect":
        break;
    }
  }

  private stored(push: Extract<Push, { event: "message.stored" }>): void {
    void this.inLane(push.room_id, async () => {
      await applyStored(this.core, push.room_id, push);
      this.cursors.schedule(push.room_id);
    });
  }

  private commitAccepted(roomId: Id): void {
    void this.inLane(roomId, async () => {
      await refreshRoom(this.core, roomId);
      await followChain(this.core, roomId);
      await applyHeld(this.core, roomId);
    }).then(() => {
      this.outbox.kick(roomId);
      void this.quietly(() => openPast(this.core));
    });
  }

  /** Somebody starts the own account again, or does not any more. */
  private async resetChanged(): Promise<void> {
    await refreshReset(this.core.store, this.core.api);
    this.core.changed({ startingAgain: true });
  }

  private async profileChanged(userId: Id): Promise<void> {
    if (userId === this.core.userId) await refreshMe(this.core);
    await refreshFriends(this.core);
    await this.core.people.refresh(userId);
    for (const record of await readRooms(this.core.store)) {
      const { room_id: roomId, members } = record.info;
      if (!members.some((member) => member.user_id === userId)) continue;
      await this.inLane(roomId, () => refreshRoom(this.core, roomId));
    }
  }

  /** Somebody leaves: commit it after a random moment, unless another member was faster. */
  private executeLeave(roomId: Id): void {
    if (this.leaving.has(roomId)) return;
    const { platform } = this.core;
    const cancel = platform.after(platform.random() * LEAVE_DELAY_MS, () => {
      this.leaving.delete(roomId);
      void this.inLane(roomId, async () => {
        const info = await refreshRoom(this.core, roomId);
        const isStill = info?.leaving.some((one) => one.user_id !== this.core.userId);
        if (!isStill || info?.me.last_epoch !== null) return;
        await commitRoom(this.core, roomId, DUE);
      });
    });
    this.leaving.set(roomId, cancel);
  }
}
