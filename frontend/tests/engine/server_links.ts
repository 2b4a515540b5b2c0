/** The boxes of the in-memory server through which one browser links another. */
import type { Id } from "../../src/engine/contract";
import type { Clock } from "./clock";
import { type Asked, Problem, type Session } from "./server_asked";

export const BOX_LIFE_MS = 285_000;

interface Box {
  id: Id;
  opener: Session;
  offer: string;
  device: Id | null;
  answer: string | null;
  until: number;
}

/** One box for each account. */
export class ServerLinks {
  readonly boxes = new Map<Id, Box>();

  constructor(private readonly clock: Clock) {}

  private living(user: Id, id: string | undefined): Box {
    const box = this.boxes.get(user);
    if (!box || box.id !== id || box.until < this.clock.now()) throw new Problem("not_found", 404);
    return box;
  }

  private ofDevice({ user, session, path }: Asked): Box {
    if (session.device === null) throw new Problem("device_required", 403);
    const box = this.living(user, path[2]);
    if (box.device !== null && box.device !== session.device) throw new Problem("not_found", 404);
    return box;
  }

  private state({ device, answer, until }: Box): unknown {
    return { is_taken: device !== null, answer, left_ms: until - this.clock.now() };
  }

  readonly handlers: Record<string, (asked: Asked) => unknown> = {
    "POST me/links": ({ user, session, body }) => {
      const before = this.boxes.get(user);
      const isTaken = before?.device && before.until >= this.clock.now();
      if (isTaken && before.opener !== session) throw new Problem("link_busy", 409);
      const { link_id: id, offer } = body as { link_id: Id; offer: string };
      const until = this.clock.now() + BOX_LIFE_MS;
      const box = { id, opener: session, offer, device: null, answer: null, until };
      this.boxes.set(user, box);
      return this.state(box);
    },
    "GET me/links/*": ({ user, session, path }) => {
      const box = this.living(user, path[2]);
      if (box.opener !== session) throw new Problem("not_found", 404);
      return this.state(box);
    },
    "DELETE me/links/*": ({ user, session, path }) => {
      const box = this.boxes.get(user);
      const isIts = box?.opener === session || box?.device === session.device;
      if (isIts && box.id === path[2]) this.boxes.delete(user);
      return null;
    },
    "POST me/links/*/take": (asked) => {
      const box = this.ofDevice(asked);
      box.device = asked.session.device;
      return { offer: box.offer, left_ms: box.until - this.clock.now() };
    },
    "PUT me/links/*/answer": (asked) => {
      const box = this.ofDevice(asked);
      if (box.device === null) throw new Problem("not_found", 404);
      box.answer ??= asked.body["answer"] as string;
      return null;
    },
  };
}
