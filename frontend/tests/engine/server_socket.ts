/** The server's end of one socket. */
import { encodeBase64url } from "../../src/crypto/encoding";
import { systemRandom } from "../../src/crypto/primitives";
import type { Id } from "../../src/engine/contract";
import type { SocketPort } from "../../src/engine/platform";
import type { Server } from "./server";
import { Problem, type Session } from "./server_asked";

type Frame = Record<string, unknown> & { event: string; ref: string };

export class ServerSocket implements SocketPort {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  private isProved = false;
  private isOpen = true;

  constructor(
    private readonly server: Server,
    readonly session: Session,
  ) {
    setImmediate(() => this.open());
  }

  private open(): void {
    if (!this.server.isUp) {
      this.lose(1006);
      return;
    }
    this.server.sockets.add(this);
    const nonce = encodeBase64url(systemRandom(32));
    const hello = { event: "hello", nonce, origin: "https://chat.example:443", now_ms: 1 };
    this.deliver(hello);
  }

  /** Push a frame; nothing reaches a socket that has not proved its device. */
  tell(frame: Record<string, unknown>): void {
    if (this.isProved) this.deliver(frame);
  }

  private deliver(frame: Record<string, unknown>): void {
    const data = JSON.stringify(frame);
    setImmediate(() => {
      if (this.isOpen) this.onmessage?.({ data });
    });
  }

  /** Break the connection, as a network or a server does. */
  lose(code: number): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.server.sockets.delete(this);
    this.onclose?.({ code });
  }

  close(): void {
    this.isOpen = false;
    this.server.sockets.delete(this);
  }

  send(text: string): void {
    if (!this.isOpen) return;
    const frame = JSON.parse(text) as Frame;
    if (this.server.drop(frame)) return;
    const { ref } = frame;
    let answer: Record<string, unknown>;
    try {
      answer = { event: "reply", ref, ...this.answer(frame) };
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      answer = { event: "error", ref, code: error.code, retryable: error.status >= 500 };
    }
    if (!this.server.dropReply(frame)) this.deliver(answer);
  }

  private answer(frame: Frame): Record<string, unknown> {
    const { server, session } = this;
    switch (frame.event) {
      case "device.prove":
        server.proved(session, frame["device_id"] as Id);
        this.isProved = true;
        return { user_id: session.user, device_id: session.device };
      case "message.send":
        return server.accept(session, frame["room_id"] as Id, frame["envelope"] as string);
      case "sync":
        return this.sync(frame["rooms"] as Record<Id, number>);
      case "heads":
        return { rooms: this.heads() };
      case "cursor.move":
        return this.move(frame);
      case "ping":
        return { t: frame["t"], now_ms: server.clock.now() };
      default:
        throw new Problem("protocol", 400);
    }
  }

  private sync(rooms: Record<Id, number>): Record<string, unknown> {
    for (const [id, after] of Object.entries(rooms)) {
      const room = this.server.rooms.get(id);
      if (!room?.stays.has(this.session.user)) continue;
      const page = room.page(this.session.user, after, 50);
      const more = page.upto < page.head;
      this.deliver({ event: "sync.page", room_id: id, after, ...page, more });
    }
    return { rooms: Object.keys(rooms).length };
  }

  private heads(): Record<Id, { seq: number; epoch: number }> {
    const rooms = [...this.server.rooms.values()].filter((room) => room.isMember(this.session.user));
    return Object.fromEntries(
      rooms.map((room) => [room.id, { seq: room.log.length, epoch: room.commits.length - 1 }]),
    );
  }

  private move(frame: Frame): Record<string, unknown> {
    const room = this.server.room(frame["room_id"] as Id);
    const { user } = this.session;
    const before = room.cursors.get(user) ?? { delivered_to: 0, read_to: 0 };
    const moved = {
      delivered_to: Math.max(before.delivered_to, (frame["delivered_to"] as number | undefined) ?? 0),
      read_to: Math.max(before.read_to, (frame["read_to"] as number | undefined) ?? 0),
    };
    room.cursors.set(user, moved);
    this.server.tell(room, { event: "cursor.moved", room_id: room.id, user_id: user, ...moved });
    return moved;
  }
}
