/** How the items of a timeline stand together: days, the unread line, bubbles, facts, unreadable runs. */

import type { Person, Timeline, TimelineItem, Unreadable } from "../engine/contract.ts";
import { isSameDay } from "./format.ts";

export type Row =
  | { kind: "day"; key: string; atMs: number }
  | { kind: "unread"; key: string }
  | { kind: "bubbles"; key: string; sender: Person | null; mine: boolean; items: TimelineItem[] }
  | { kind: "fact"; key: string; item: TimelineItem }
  | { kind: "unreadable"; key: string; reason: Unreadable; items: TimelineItem[] };

const MINUTE_MS = 60_000;

function sameMinute(a: number, b: number): boolean {
  return Math.floor(a / MINUTE_MS) === Math.floor(b / MINUTE_MS);
}

function joins(row: Row, item: TimelineItem): boolean {
  if (row.kind === "unreadable") return item.kind === "unreadable" && item.unreadable === row.reason;
  const last = row.kind === "bubbles" ? row.items.at(-1) : undefined;
  return (
    row.kind === "bubbles" &&
    item.kind === "text" &&
    last !== undefined &&
    row.mine === item.mine &&
    row.sender?.userId === item.sender?.userId &&
    sameMinute(last.atMs, item.atMs)
  );
}

function rowOf(item: TimelineItem): Row {
  const key = item.key;
  if (item.kind === "text") {
    return { kind: "bubbles", key, sender: item.sender, mine: item.mine, items: [item] };
  }
  if (item.kind === "unreadable") {
    return { kind: "unreadable", key, reason: item.unreadable ?? "damaged", items: [item] };
  }
  return { kind: "fact", key, item };
}

function append(rows: Row[], item: TimelineItem): void {
  const last = rows.at(-1);
  if (last !== undefined && joins(last, item) && (last.kind === "bubbles" || last.kind === "unreadable")) {
    last.items.push(item);
  } else {
    rows.push(rowOf(item));
  }
}

/** The rows to draw. The unread line stands before the first item of others after `unreadAfter`. */
export function rowsOf(timeline: Pick<Timeline, "items" | "unreadAfter">): Row[] {
  const rows: Row[] = [];
  let previous: TimelineItem | null = null;
  let lineDrawn = timeline.unreadAfter === null;
  for (const item of timeline.items) {
    if (previous === null || !isSameDay(previous.atMs, item.atMs)) {
      rows.push({ kind: "day", key: `day ${item.key}`, atMs: item.atMs });
    }
    if (!lineDrawn && !item.mine && item.seq > (timeline.unreadAfter ?? 0)) {
      rows.push({ kind: "unread", key: "unread" });
      lineDrawn = true;
    }
    append(rows, item);
    previous = item;
  }
  return rows;
}
