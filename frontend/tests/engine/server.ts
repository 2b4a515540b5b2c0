/** A server that speaks docs/wire.md, in memory: the double at the engine's network boundary. */
import { decodeBase64url, encodeBase64url } from "../../src/crypto/encoding";
import { parseEnvelope } from "../../src/crypto/envelope";
import { systemRandom } from "../../src/crypto/primitives";
import type { Id } from "../../src/engine/contract";
import { idBytes, idOf } from "../../src/engine/ids";
import type { HistoryRecordJson, MessageItem } from "../../src/engine/wire";
import type { Clock } from "./clock";
import { Accounts } from "./server_accounts";
import { type Asked, Problem, type Session } from "./server_asked";
import { ServerLinks } from "./server_links";
import { type CommitBody, ServerRoom, type WrapBody, storedId } from "./server_rooms";
import { ServerSocket } from "./server_socket";

export class Server extends Accounts {
  readonly rooms = new Map<Id, ServerRoom>();
  readonly sockets = new Set<ServerSocket>();
  readonly links: ServerLinks;
  readonly sessions = new Set<Session>();
  /** False: accepted messages wait until a test calls `archive`. */
  isArchiving = true;
  /** False: nothing is shown before it is stored. */
  hasLive = true;
  isUp = true;
  /** Called with each frame that a client sends; true drops it, answer and all. */
  drop: (frame: Record<string, unknown>) => boolean = () => false;
  /** Like `drop`, but only the answer is lost. */
  dropReply: (frame: Record<string, unknown>) => boolean = () => false;

  /** A code that every message is refused with. */
  refuse: string | null = null;

  constructor(readonly clock: Clock) {
    super();
    this.links = new ServerLinks(clock);
    this.handlers = this.allHandlers();
  }

  room(id: Id): ServerRoom {
    const room = this.rooms.get(id);
    if (!room) throw new Problem("not_found", 404);
    return room;
  }

  /** What a hostile server answers, by request; it may ask for the true answer. */
  readonly lies: Record<string, (truth: () => unknown, asked: Asked) => unknown> = {};

  /** A request that is done, and whose answer never arrives. */
  loseAnswerTo: string | null = null;

  /** People to whom no push gets through. */
  readonly muted = new Set<Id>();

  /** Send a frame to everybody who is in a room. */
  tell(room: ServerRoom, frame: Record<string, unknown>, but: Id | null = null): void {
    for (const user of room.members) if (user !== but) this.tellUser(user, frame);
  }

  tellUser(user: Id, frame: Record<string, unknown>): void {
    if (this.muted.has(user)) return;
    for (const socket of this.sockets) if (socket.session.user === user) socket.tell(frame);
  }

  /** Say that the newest item of the log, no message, has its place. */
  private tellLast(room: ServerRoom): void {
    const { length: seq } = room.log;
    const places = { from: seq, to: seq, ids: [] };
    this.tell(room, { event: "message.stored", room_id: room.id, ...places });
  }

  archive(room: ServerRoom): void {
    const { stored, clashes } = room.archive();
    for (const { envelope } of clashes) {
      const { user, msgId } = envelope.header.pre;
      const refused = { message_id: idOf(msgId), code: "counter_reused" };
      this.tellUser(idOf(user), { event: "message.refused", room_id: room.id, ...refused });
    }
    const places = stored.map((item) => item.seq);
    if (stored.length === 0) return;
    const range = { from: Math.min(...places), to: Math.max(...places) };
    const ids = stored.map((item: MessageItem) => storedId(item));
    this.tell(room, { event: "message.stored", room_id: room.id, ...range, ids });
  }

  /** The fetch of one browser. */
  fetchFor(session: Session): (url: string, init: RequestInit) => Promise<Response> {
    return async (url, init) => {
      await Promise.resolve();
      if (!this.isUp) throw new TypeError("no network");
      const { pathname, searchParams: query } = new URL(url);
      const path = pathname.split("/").slice(2);
      const body = JSON.parse((init.body as string | undefined) ?? "{}") as Record<string, unknown>;
      try {
        const { user } = session;
        if (session.isOver) throw new Problem("not_signed_in", 401);
        const what = `${init.method ?? "GET"} ${route(path)}`;
        const answer = this.answer(what, { ...{ user, session, path, query, body } });
        if (what === this.loseAnswerTo) throw new TypeError("the connection broke");
        return Response.json(answer ?? null);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        const { code, status, more } = error;
        return Response.json({ code, status, ...more }, { status });
      }
    };
  }

  private answer(what: string, asked: Asked): unknown {
    const handler = this.handlers[what];
    if (!handler) throw new Error(`the double does not know ${what}`);
    const lie = this.lies[what];
    return lie ? lie(() => handler(asked), asked) : handler(asked);
  }

  /** Whatever would be said, or lied, of each of them alone. */
  private keysOfMany(asked: Asked): unknown[] {
    const users = asked.body["users"] as { user_id: Id; after_version: number }[];
    return users.flatMap(({ user_id, after_version }) => {
      const query = new URLSearchParams({ after_version: String(after_version) });
      try {
        return [this.answer("GET users/*/keys", { ...asked, path: ["users", user_id, "keys"], query })];
      } catch (error) {
        if (error instanceof Problem) return [];
        throw error;
      }
    });
  }

  private create({ user, body }: Asked): unknown {
    const { genesis, commit, wraps } = body as unknown as {
      genesis: string;
      commit: CommitBody;
      wraps: WrapBody[];
    };
    const room = new ServerRoom(genesis, this.clock.now());
    if (this.rooms.has(room.id)) throw new Problem("room_exists", 409, { room_id: room.id });
    this.rooms.set(room.id, room);
    room.commit(commit, wraps);
    for (const member of room.members) {
      if (member !== user) this.tellUser(member, { event: "room.added", room_id: room.id });
    }
    return room.json(user, this.nameOf);
  }

  private commit({ user, path, body }: Asked): unknown {
    const room = this.roomFor(user, path[1]!);
    if (room.leaving.has(user) || !room.isMember(user)) throw new Problem("forbidden", 403);
    const before = room.members;
    const { wraps, ...parts } = body as unknown as CommitBody & { wraps: WrapBody[] };
    const taken = room.commit(parts, wraps);
    if (!taken) throw new Problem("stale_head", 409);
    const { epoch, hash } = taken;
    this.tell(room, { event: "commit.accepted", room_id: room.id, epoch, hash });
    this.tellLast(room);
    for (const id of room.members.filter((id) => !before.includes(id))) {
      this.tellUser(id, { event: "room.added", room_id: room.id });
    }
    for (const id of before.filter((id) => !room.isMember(id))) {
      this.tellUser(id, { event: "room.removed", room_id: room.id });
    }
    return { epoch, hash };
  }

  /** A leave waits, or a member has a newer device list than the roster names. */
  private isStale(room: ServerRoom): boolean {
    const isOld = room.roster.some((row) => this.listVersion(idOf(row.user)) > row.listVersion);
    return room.leaving.size > 0 || isOld;
  }

  private jsonOf(room: ServerRoom, user: Id): unknown {
    const isStale = room.isMember(user) && this.isStale(room);
    return { ...room.json(user, this.nameOf), stale: isStale };
  }

  /** Whoever lost their device is signed out there; everybody near hears of the new list. */
  listChanged(user: Id, dropped: readonly Id[], asking: Session | null = null): void {
    for (const socket of [...this.sockets]) {
      if (dropped.includes(socket.session.device ?? "")) socket.lose(4001);
    }
    for (const session of this.sessions) {
      if (!dropped.includes(session.device ?? "")) continue;
      session.device = null;
      session.isOver = session !== asking;
    }
    const near = this.friendships.filter((pair) => pair.includes(user)).flat();
    for (const id of new Set([user, ...near])) {
      this.tellUser(id, { event: "profile.changed", user_id: user });
    }
  }

  private roomFor(user: Id, id: Id): ServerRoom {
    const room = this.room(id);
    if (!room.stays.has(user)) throw new Problem("not_found", 404);
    return room;
  }

  private commits({ user, path, query }: Asked): unknown {
    const room = this.roomFor(user, path[1]!);
    const last = room.stays.get(user)?.last ?? Infinity;
    const after = Number(query.get("after"));
    const commits = room.commits.filter(({ epoch }) => epoch > after && epoch <= last);
    return {
      commits: commits.map((commit) => ({ ...commit, prekeys: undefined })),
      head_epoch: Math.min(last, room.commits.length - 1),
    };
  }

  private leave({ user, path, body }: Asked): null {
    const room = this.roomFor(user, path[1]!);
    const statement = body["statement"] as string;
    const { joined } = room.stays.get(user)!;
    room.leaving.set(user, { joined_epoch: joined, statement });
    room.log.push({ seq: room.log.length + 1, kind: "leave", event: statement });
    this.tellLast(room);
    this.tell(room, { event: "member.left", room_id: room.id, user_id: user }, user);
    return null;
  }

  private readonly handlers: Record<string, (asked: Asked) => unknown>;

  private readonly allHandlers = (): Record<string, (asked: Asked) => unknown> => ({
    ...this.accountHandlers,
    ...this.links.handlers,
    ...this.resets.handlers,
    ...this.passkeys.handlers,
    "POST devices/challenge": () => ({ nonce: encodeBase64url(systemRandom(32)) }),
    "POST devices/proof": ({ session, body }) => {
      this.proved(session, body["device_id"] as Id);
      return null;
    },
    "POST users/keys": (asked) => ({ users: this.keysOfMany(asked) }),
    "GET rooms": ({ user }) => ({
      rooms: [...this.rooms.values()]
        .filter((room) => room.stays.has(user))
        .map((room) => this.jsonOf(room, user)),
    }),
    "POST rooms": (asked) => this.create(asked),
    "GET rooms/*": ({ user, path }) => this.jsonOf(this.roomFor(user, path[1]!), user),
    "DELETE rooms/*": ({ user, path }) => {
      const room = this.roomFor(user, path[1]!);
      this.tell(room, { event: "room.deleted", room_id: room.id });
      this.rooms.delete(room.id);
      return null;
    },
    "GET rooms/*/commits": (asked) => this.commits(asked),
    "POST rooms/*/commits": (asked) => this.commit(asked),
    "GET rooms/*/prekeys": ({ user, path }) => ({
      prekeys: this.roomFor(user, path[1]!).commits.at(-1)!.prekeys,
    }),
    "GET rooms/*/wraps": ({ session, user, path, query }) => {
      const found = [...this.roomFor(user, path[1]!).wraps].map(([key, wrap]) => {
        const [device, epoch] = key.split("/");
        return { device, epoch: Number(epoch), wrap };
      });
      const after = Number(query.get("after"));
      const own = found.filter((row) => row.device === session.device && row.epoch > after);
      return { wraps: own.map(({ epoch, wrap }) => ({ epoch, wrap })) };
    },
    "POST rooms/*/wraps/ack": ({ session, user, path, body }) => {
      const room = this.roomFor(user, path[1]!);
      for (const epoch of body["epochs"] as number[]) room.wraps.delete(`${session.device}/${epoch}`);
      return null;
    },
    "PUT rooms/*/history-records": ({ user, session, path, body }) => {
      const { records } = this.roomFor(user, path[1]!);
      for (const record of body["records"] as HistoryRecordJson[]) {
        const { epoch, bk_version: brought } = record;
        const present = records.filter((row) => row.user === user && !row.isFormer && row.epoch === epoch);
        // As the server does: what an older recovery key opens is not kept beside what a newer one does.
        if (present.some((row) => row.bk_version > brought)) continue;
        const older = present.filter((row) => row.bk_version < brought);
        for (const row of older) records.splice(records.indexOf(row), 1);
        records.push({ user, ...record, writer_device: session.device! });
      }
      return null;
    },
    "GET rooms/*/history-records": ({ user, path, query }) => {
      const after = Number(query.get("after"));
      const own = this.roomFor(user, path[1]!).records.filter((row) => row.user === user);
      const rows = own.filter((row) => row.epoch > after).sort((a, b) => a.epoch - b.epoch);
      return { records: rows.slice(0, 100) };
    },
    "POST rooms/*/leave": (asked) => this.leave(asked),
    "POST rooms/*/hide": ({ user, path }) => {
      const room = this.roomFor(user, path[1]!);
      room.hidden.set(user, room.log.length);
      return null;
    },
    "GET rooms/*/items": ({ user, path, query }) => {
      const room = this.roomFor(user, path[1]!);
      const after = Number(query.get("after"));
      const upto = Number(query.get("upto") ?? room.log.length);
      return { room_id: room.id, after, ...room.page(user, after, Math.min(100, upto - after)) };
    },
  });

  /** Bind a login to a device of its account's newest list. */
  proved(session: Session, device: Id): void {
    if (!this.devicesOf(session.user).includes(device)) throw new Problem("device_proof", 403);
    session.device = device;
    this.sessions.add(session);
  }

  /** Accept a message as the web process does. */
  accept(session: Session, roomId: Id, data: string): Record<string, unknown> {
    const room = this.roomFor(session.user, roomId);
    if (this.refuse !== null) throw new Problem(this.refuse, 403);
    const envelope = parseEnvelope(decodeBase64url(data));
    const { pre } = envelope.header;
    if (idOf(pre.device) !== session.device) throw new Problem("header_mismatch", 400);
    const known = room.find(pre.device, pre.msgId);
    const answer = { room_id: roomId, message_id: idOf(pre.msgId) };
    if (known) {
      const { accepted_ms, key_id, stamp } = known.item;
      const at = known.seq > 0 ? { state: "stored", seq: known.seq } : { state: "accepted" };
      return { ...answer, ...at, accepted_ms, key_id, stamp };
    }
    if (!room.isMember(session.user)) throw new Problem("not_found", 404);
    if (!this.devicesOf(session.user).includes(session.device)) throw new Problem("device_required", 403);
    const isHead = encodeBase64url(pre.commitHash) === room.head.hash;
    if (!isHead || this.isStale(room)) throw new Problem("stale_epoch", 409);
    const stamp = { accepted_ms: this.clock.now(), key_id: 1, stamp: encodeBase64url(idBytes(roomId)) };
    const item = { kind: "message" as const, envelope: data, ...stamp };
    room.queue.push({ item, envelope });
    if (this.hasLive) {
      this.tell(room, { event: "message.live", room_id: roomId, envelope: data, ...stamp });
    }
    if (this.isArchiving) setImmediate(() => this.archive(room));
    return { ...answer, state: "accepted", ...stamp };
  }
}

function route(path: string[]): string {
  const isId = (part: string) => /^[0-9a-f]{8}-/.test(part);
  return path.map((part) => (isId(part) ? "*" : part)).join("/");
}

export type { ServerSocket };
