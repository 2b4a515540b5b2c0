/** Telling the server how far this account has received and read: only forwards, coalesced. */
import type { Id } from "./contract";
import type { Core } from "./core";
import type { Cancel } from "./platform";
import { readRoom } from "./records";
import { Refusal } from "./refusal";

const COALESCE_MS = 500;

export class Cursors {
  private readonly timers = new Map<Id, Cancel>();
  private readonly told = new Map<Id, { delivered: number; read: number }>();

  constructor(private readonly core: Core) {}

  /** A room's cursors may have moved: tell soon. */
  schedule(roomId: Id): void {
    if (this.timers.has(roomId)) return;
    const cancel = this.core.platform.after(COALESCE_MS, () => {
      this.timers.delete(roomId);
      void this.tell(roomId);
    });
    this.timers.set(roomId, cancel);
  }

  /** A new connection: what was told may be lost. */
  forgetTold(): void {
    this.told.clear();
  }

  stop(): void {
    for (const cancel of this.timers.values()) cancel();
    this.timers.clear();
  }

  private async tell(roomId: Id): Promise<void> {
    const { socket, store, userId } = this.core;
    const room = await readRoom(store, roomId).catch(() => null);
    if (!room || socket.state !== "online" || room.record.left !== null) return;
    const { cursor, readTo, info } = room.record;
    const server = info.cursors.find((one) => one.user_id === userId);
    const told = this.told.get(roomId);
    const delivered = Math.max(told?.delivered ?? 0, server?.delivered_to ?? 0);
    const read = Math.max(told?.read ?? 0, server?.read_to ?? 0);
    const moves = {
      ...(cursor > delivered ? { delivered_to: cursor } : {}),
      ...(readTo > read ? { read_to: readTo } : {}),
    };
    if (Object.keys(moves).length === 0) return;
    try {
      await socket.ask({ event: "cursor.move", room_id: roomId, ...moves });
      this.told.set(roomId, { delivered: cursor, read: readTo });
    } catch (error) {
      // Cursors are told again with the next movement, and after every connect.
      if (!(error instanceof Refusal)) throw error;
    }
  }
}
