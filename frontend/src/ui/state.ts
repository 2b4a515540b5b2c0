/** What the screens know: the newest of each part that the engine has shown. Null: not shown yet. */

import type {
  Connection, Id, KeyLogNotice, Me, Phase, Restoring, RoomSummary, Snapshot, StartingAgain, Timeline,
} from "../engine/contract.ts";

export interface AppState {
  phase: Phase;
  me: Me | null;
  connection: Connection | null;
  friends: NonNullable<Snapshot["friends"]> | null;
  rooms: RoomSummary[] | null;
  restoring: Restoring | null;
  keyLog: KeyLogNotice;
  startingAgain: StartingAgain | null;
  timeline: Timeline | null;
}

export const nothingYet: AppState = {
  phase: "starting",
  me: null,
  connection: null,
  friends: null,
  rooms: null,
  restoring: null,
  keyLog: "none",
  startingAgain: null,
  timeline: null,
};

export function merged(state: AppState, snapshot: Snapshot): AppState {
  return { ...state, ...snapshot };
}

export function roomOf(state: AppState, roomId: Id): RoomSummary | null {
  return state.rooms?.find((room) => room.roomId === roomId) ?? null;
}

/** Newest first; rooms without a message stand where they were made. */
export function byActivity(rooms: readonly RoomSummary[]): RoomSummary[] {
  return [...rooms].sort((a, b) => b.lastAtMs - a.lastAtMs);
}

export function unreadTotal(state: AppState): number {
  return (state.rooms ?? []).reduce((sum, room) => sum + room.unread, 0);
}
