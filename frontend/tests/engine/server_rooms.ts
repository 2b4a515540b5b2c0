/** A room as the in-memory server keeps it: chain, wraps, log, cursors. */
import { decodeBase64url, encodeBase64url, hex } from "../../src/crypto/encoding";
import { commitHash, parseCore } from "../../src/crypto/commit";
import { type Envelope, envelopeId, parseEnvelope } from "../../src/crypto/envelope";
import { applyOps, parseOps } from "../../src/crypto/ops";
import { type Roster, parseOrigin, roomOf } from "../../src/crypto/roster";
import type { Id } from "../../src/engine/contract";
import { idOf } from "../../src/engine/ids";
import type { CommitJson, HistoryRecordJson, LogItem, MessageItem, RoomJson } from "../../src/engine/wire";

export interface CommitBody {
  core: string;
  tag: string;
  sig: string;
  ops: string;
  state: string;
  prekeys: string;
}

export interface WrapBody {
  device_id: Id;
  wrap: string;
}

interface Stay {
  role: "member" | "admin";
  joined: number;
  last: number | null;
}

/** A message that is accepted and not yet in the log. */
export interface Queued {
  readonly item: Omit<MessageItem, "seq">;
  readonly envelope: Envelope;
}

export class ServerRoom {
  readonly commits: (CommitJson & { prekeys: string })[] = [];
  readonly wraps = new Map<string, string>();
  readonly log: LogItem[] = [];
  readonly stays = new Map<Id, Stay>();
  /** Stays of people who came in again later. */
  readonly earlier: { user: Id; stay: Stay }[] = [];
  readonly leaving = new Map<Id, { joined_epoch: number; statement: string }>();
  readonly cursors = new Map<Id, { delivered_to: number; read_to: number }>();
  readonly hidden = new Map<Id, number>();
  /** `isFormer`: of before their owner started again. */
  readonly records: (HistoryRecordJson & { user: Id; isFormer?: true })[] = [];
  queue: Queued[] = [];
  roster: Roster = [];

  constructor(
    readonly genesis: string,
    readonly createdMs: number,
  ) {}

  get id(): Id {
    return idOf(roomOf(parseOrigin(decodeBase64url(this.genesis))));
  }

  get kind(): "group" | "direct" {
    return parseOrigin(decodeBase64url(this.genesis)).kind === 1 ? "group" : "direct";
  }

  get head(): CommitJson {
    return this.commits.at(-1)!;
  }

  get members(): Id[] {
    return [...this.stays].filter(([, stay]) => stay.last === null).map(([id]) => id);
  }

  isMember(user: Id): boolean {
    return this.stays.get(user)?.last === null;
  }

  /** Take a commit; null when it does not follow the head. */
  commit(body: CommitBody, wraps: WrapBody[]): CommitJson | null {
    const data = { core: decodeBase64url(body.core), tag: decodeBase64url(body.tag) };
    const core = parseCore(data.core);
    if (core.epoch !== this.commits.length) return null;
    if (core.epoch > 0 && encodeBase64url(core.prevHash) !== this.head.hash) return null;
    const ops = parseOps(decodeBase64url(body.ops));
    this.roster = applyOps(core.epoch === 0 ? null : this.roster, ops);
    this.seat(core.epoch);
    const hash = encodeBase64url(commitHash(data));
    const committer = {
      committer_user: idOf(core.committerUser),
      committer_device: idOf(core.committerDevice),
    };
    this.commits.push({ epoch: core.epoch, hash, ...body, ...committer });
    for (const { device_id, wrap } of wraps) this.wraps.set(`${device_id}/${core.epoch}`, wrap);
    this.log.push({ seq: this.log.length + 1, kind: "commit", epoch: core.epoch, hash });
    return this.head;
  }

  private seat(epoch: number): void {
    const now = new Map(this.roster.map((row) => [idOf(row.user), row]));
    for (const [user, stay] of this.stays) {
      if (!now.has(user) && stay.last === null) {
        this.stays.set(user, { ...stay, last: epoch - 1 });
      }
      if (!now.has(user)) this.leaving.delete(user);
    }
    for (const [user, row] of now) {
      // Who started again stays in the roster until somebody commits the removal.
      if (this.leaving.has(user)) continue;
      const before = this.stays.get(user);
      if (before && before.last !== null) this.earlier.push({ user, stay: before });
      const role = row.role === 2 ? "admin" : "member";
      this.stays.set(user, { role, joined: row.joinedEpoch, last: null });
    }
  }

  /** Whether this message has its place already, or waits for one. */
  find(device: Uint8Array, msgId: Uint8Array): { seq: number; item: Omit<MessageItem, "seq"> } | null {
    const name = hex(device) + hex(msgId);
    const nameOf = (envelope: string) => {
      const { pre } = parseEnvelope(decodeBase64url(envelope)).header;
      return hex(pre.device) + hex(pre.msgId);
    };
    for (const item of this.log) {
      if (item.kind === "message" && nameOf(item.envelope) === name) return { seq: item.seq, item };
    }
    const waiting = this.queue.find(({ item }) => nameOf(item.envelope) === name);
    return waiting ? { seq: 0, item: waiting.item } : null;
  }

  /** Give what waits its places; a second envelope of one id is the first one's `stored`. */
  archive(): { stored: MessageItem[]; clashes: Queued[] } {
    const stored: MessageItem[] = [];
    const clashes: Queued[] = [];
    for (const queued of this.queue.splice(0)) {
      const { pre } = queued.envelope.header;
      const same = this.find(pre.device, pre.msgId);
      if (same) {
        if (same.seq > 0) stored.push({ ...same.item, seq: same.seq });
        continue;
      }
      if (this.hasCounter(pre)) {
        clashes.push(queued);
        continue;
      }
      const item = { ...queued.item, seq: this.log.length + 1 };
      this.log.push(item);
      stored.push(item);
    }
    return { stored, clashes };
  }

  private hasCounter({ device, epoch, n }: Envelope["header"]["pre"]): boolean {
    return this.log.some((item) => {
      if (item.kind !== "message") return false;
      const { pre } = parseEnvelope(decodeBase64url(item.envelope)).header;
      return hex(pre.device) === hex(device) && pre.epoch === epoch && pre.n === n;
    });
  }

  /** The part of the log that a person may read. */
  page(user: Id, after: number, limit = 100): { upto: number; head: number; items: LogItem[] } {
    const stays = [this.stays.get(user)!, ...this.earlier.filter((one) => one.user === user).map(({ stay }) => stay)];
    const upto = Math.min(this.log.length, after + limit);
    const items = this.log.slice(after, upto).filter((item) => stays.some((stay) => this.mayRead(stay, item)));
    return { upto, head: this.log.length, items };
  }

  private mayRead(stay: Stay, item: LogItem): boolean {
    let epoch = 0;
    if (item.kind === "commit") epoch = item.epoch;
    if (item.kind === "message") {
      epoch = parseEnvelope(decodeBase64url(item.envelope)).header.pre.epoch;
    }
    if (item.kind === "leave") return stay.last === null;
    return epoch >= stay.joined && (stay.last === null || epoch <= stay.last);
  }

  json(user: Id, nameOf: (id: Id) => string): RoomJson {
    const stay = this.stays.get(user)!;
    const at = stay.last ?? this.commits.length - 1;
    return {
      room_id: this.id,
      kind: this.kind,
      genesis: this.genesis,
      head_epoch: at,
      head_hash: this.commits[at]!.hash,
      head_seq: this.log.length,
      stale: this.leaving.size > 0,
      created_ms: this.createdMs,
      me: {
        role: stay.role,
        joined_epoch: stay.joined,
        last_epoch: stay.last,
        hidden_to: this.hidden.get(user) ?? 0,
      },
      members: this.members.map((id) => {
        const { role, joined } = this.stays.get(id)!;
        return { user_id: id, nickname: nameOf(id), role, joined_epoch: joined };
      }),
      leaving: [...this.leaving].map(([user_id, leaving]) => ({ user_id, ...leaving })),
      cursors: [...this.cursors].map(([user_id, cursor]) => ({ user_id, ...cursor })),
    };
  }
}

/** The row of `message.stored` for an item. */
export function storedId(item: MessageItem): [Id, Id, number, string] {
  const data = decodeBase64url(item.envelope);
  const { pre } = parseEnvelope(data).header;
  const eid16 = encodeBase64url(envelopeId(data).slice(0, 16));
  return [idOf(pre.device), idOf(pre.msgId), item.seq, eid16];
}
