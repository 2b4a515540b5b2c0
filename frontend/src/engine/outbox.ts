/**
 * The line of outgoing messages of each room: sent one after the other, kept until they are
 * stored, and sent again after 30 s, 1, 2, 5 and 10 minutes while they are only accepted.
 */
import { decodeBase64url, encodeBase64url } from "../crypto/encoding";
import { catchUp } from "./apply";
import { followChain } from "./chain";
import type { Failure, Id } from "./contract";
import type { Core } from "./core";
import {
  accepted,
  isAnswer,
  isForLater,
  isOutstanding,
  refused,
  resendDelay,
  retried,
  surelyRefused,
} from "./outbox_state";
import type { Cancel } from "./platform";
import { failureOf, refuse } from "./refusal";
import { refreshRoom } from "./rooms";
import { prepare } from "./sealing";
import type { Attempt, OutboxRow } from "./store/schema";
import { Changes, Conflict, type Store } from "./store/store";
import type { Stamp } from "./wire";

const LATER_MS = 2_000;
// A new epoch is a commit of wraps for everybody: a server that never has enough is asked more and more slowly.
const PROMPT_RENEWALS = 3;
const RENEWAL_CAP_MS = 60_000;

type SendReply = { state: "accepted" | "stored" } & Partial<Stamp>;

/** Read a room's line, oldest first. */
export async function readOutbox(store: Store, roomId: Id): Promise<OutboxRow[]> {
  const range = IDBKeyRange.bound([roomId], [roomId, []]);
  const rows = await store.tables.getAll("outbox", range);
  return rows.sort((left, right) => left.order - right.order);
}

export class Outbox {
  private readonly running = new Set<Id>();
  private readonly again = new Set<Id>();
  private readonly timers = new Map<string, Cancel>();
  private readonly resends = new Map<Id, { times: number; dueMs: number }>();
  private readonly renewals = new Map<Id, { times: number; untilMs: number }>();
  private isStopped = false;

  constructor(private readonly core: Core) {}

  /** Look at a room's line now. */
  kick(roomId: Id): void {
    if (this.isStopped) return;
    this.cancel(roomId);
    if (this.running.has(roomId)) {
      this.again.add(roomId);
      return;
    }
    this.running.add(roomId);
    void this.work(roomId).finally(() => {
      this.running.delete(roomId);
      if (this.again.delete(roomId)) this.kick(roomId);
    });
  }

  /** Look at every line: after connecting. What was accepted before is asked about at once. */
  async kickAll(): Promise<void> {
    this.resends.clear();
    this.renewals.clear();
    const rows = await this.core.store.tables.getAllKeys("outbox");
    for (const roomId of new Set(rows.map(([id]) => id))) this.kick(roomId);
  }

  stop(): void {
    this.isStopped = true;
    for (const cancel of this.timers.values()) cancel();
    this.timers.clear();
  }

  private cancel(roomId: Id): void {
    this.timers.get(roomId)?.();
    this.timers.delete(roomId);
  }

  private wakeIn(roomId: Id, ms: number): void {
    this.cancel(roomId);
    if (this.isStopped) return;
    const { platform } = this.core;
    this.timers.set(roomId, platform.after(ms, () => this.kick(roomId)));
  }

  private async work(roomId: Id): Promise<void> {
    try {
      for (;;) {
        if (this.core.socket.state !== "online" || this.isStopped) return;
        const row = await this.nextDue(roomId);
        if (!row) return;
        const waitMs = this.renewalPause(roomId) ?? (await this.deliver(row));
        if (waitMs !== null) {
          this.wakeIn(roomId, waitMs);
          return;
        }
      }
    } catch {
      // Storage or a broken row: the line stays as it is and is looked at again.
      this.wakeIn(roomId, LATER_MS);
    }
  }

  /** The first message that has to go out; sets the alarm for the next one that may have to. */
  private async nextDue(roomId: Id): Promise<OutboxRow | null> {
    const rows = await readOutbox(this.core.store, roomId);
    const now = this.core.platform.now();
    const due = rows.find((row) => isOutstanding(row.state) || this.isResendDue(row, now));
    if (due) return due;
    const dues = rows
      .filter((row) => row.state === "accepted")
      .map((row) => this.resends.get(row.messageId)?.dueMs ?? now);
    if (dues.length > 0) this.wakeIn(roomId, Math.max(0, Math.min(...dues) - now));
    return null;
  }

  private isResendDue(row: OutboxRow, now: number): boolean {
    if (row.state !== "accepted") return false;
    return (this.resends.get(row.messageId)?.dueMs ?? now) <= now;
  }

  /** Send one message; gives how long the line must wait, or null to go on. */
  private async deliver(row: OutboxRow): Promise<number | null> {
    const { roomId, messageId } = row;
    const { lanes } = this.core;
    let isFirst = false;
    let reply: SendReply;
    try {
      const prepared = await lanes.run(roomId, () => prepare(this.core, roomId, messageId));
      if (!prepared) return null;
      isFirst = prepared.isFirst;
      reply = await this.send(roomId, prepared.attempt);
    } catch (error) {
      if (error instanceof Conflict) return null;
      return this.failed(row, failureOf(error), isFirst);
    }
    // Trouble from here on says nothing against the message.
    await this.heard(row, reply);
    return null;
  }

  private async send(roomId: Id, attempt: Attempt): Promise<SendReply> {
    this.core.changed({ rooms: [roomId] });
    const envelope = encodeBase64url(attempt.envelope);
    const reply = await this.core.socket.ask({ event: "message.send", room_id: roomId, envelope });
    return reply as unknown as SendReply;
  }

  private async heard(row: OutboxRow, reply: SendReply): Promise<void> {
    const { roomId, messageId } = row;
    this.renewals.delete(roomId);
    const { times } = this.resends.get(messageId) ?? { times: 0 };
    const dueMs = this.core.platform.now() + resendDelay(times);
    this.resends.set(messageId, { times: times + 1, dueMs });
    const { accepted_ms = 0, key_id = 0, stamp = "" } = reply;
    await this.change(row, (now) =>
      accepted(now, { accepted_ms, key_id, stamp: decodeBase64url(stamp) }),
    );
    if (reply.state === "stored") {
      await this.core.lanes.run(roomId, () => catchUp(this.core, roomId));
    }
  }

  private async failed(row: OutboxRow, failure: Failure, isFirst: boolean): Promise<number | null> {
    const { roomId } = row;
    const isSure = isFirst && isAnswer(failure.code);
    if (isSure) await this.change(row, surelyRefused);
    if (failure.code === "stale_epoch") await this.renew(roomId);
    const next = await this.change(row, (now) => refused(now, failure));
    if (failure.code === "id_reused") {
      await this.core.lanes.run(roomId, () => catchUp(this.core, roomId));
    }
    if (!next || !isForLater(failure.code)) return null;
    return failure.retryAfterMs ?? LATER_MS * (0.5 + this.core.platform.random());
  }

  /** The head is another now, or the room needs a commit: learn which, and what is stored. */
  private async renew(roomId: Id): Promise<void> {
    const { core } = this;
    const times = (this.renewals.get(roomId)?.times ?? 0) + 1;
    const pauseMs = times > PROMPT_RENEWALS ? LATER_MS * 2 ** (times - PROMPT_RENEWALS - 1) : 0;
    const untilMs = core.platform.now() + Math.min(RENEWAL_CAP_MS, pauseMs);
    this.renewals.set(roomId, { times, untilMs });
    await core.lanes.run(roomId, async () => {
      await refreshRoom(core, roomId);
      await followChain(core, roomId);
      await catchUp(core, roomId);
    });
  }

  /** How long a line must wait whose renewals did not help, whatever wakes it; null: not at all. */
  private renewalPause(roomId: Id): number | null {
    const waitMs = (this.renewals.get(roomId)?.untilMs ?? 0) - this.core.platform.now();
    return waitMs > 0 ? waitMs : null;
  }

  private async change(
    { roomId, messageId }: OutboxRow,
    how: (row: OutboxRow) => OutboxRow,
  ): Promise<OutboxRow | null> {
    const { store, lanes } = this.core;
    return lanes.run(roomId, async () => {
      const row = await store.tables.get("outbox", [roomId, messageId]);
      if (!row) return null;
      const next = how(row);
      if (next !== row) await store.commit(new Changes().put("outbox", [roomId, messageId], next));
      this.core.changed({ rooms: [roomId] });
      return next;
    });
  }

  /** An accepted message can never be stored: the server says why. */
  async refusedLater(roomId: Id, messageId: Id, code: string): Promise<void> {
    const row = await this.core.store.tables.get("outbox", [roomId, messageId]);
    if (!row) return;
    const open = row.attempts.filter(({ isRefused }) => !isRefused);
    // Which of several the log refused is not said: then all stay in doubt.
    const isSure = open.length === 1 && open[0] === row.attempts.at(-1);
    await this.change(row, (now) => refused(isSure ? surelyRefused(now) : now, { code }));
    this.kick(roomId);
  }

  /** Try a failed message again. */
  async retry(roomId: Id, messageId: Id): Promise<void> {
    const row = await this.core.store.tables.get("outbox", [roomId, messageId]);
    if (!row) throw refuse("not_found");
    await this.change(row, retried);
    this.kick(roomId);
  }
}
