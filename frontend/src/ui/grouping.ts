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

/**
 * Where the unread line stands: before the first item of somebody else after `unreadAfter`; -1 for no
 * line. While older items are missing above, the first one that is here need not be the first unread.
 */
export function firstUnread({ items, unreadAfter, hasOlder }: Omit<Timeline, "roomId">): number {
  if (unreadAfter === null) return -1;
  const index = items.findIndex((item) => !item.mine && item.seq > unreadAfter);
  const isCertain = !hasOlder || items.slice(0, index).some((item) => item.seq > 0 && item.seq <= unreadAfter);
  return isCertain ? index : -1;
}

/** The rows to draw, with the unread line before the item of `unreadKey`. */
export function rowsOf(items: readonly TimelineItem[], unreadKey: string | null): Row[] {
  const rows: Row[] = [];
  let previous: TimelineItem | null = null;
  for (const item of items) {
    if (previous === null || !isSameDay(previous.atMs, item.atMs)) {
      rows.push({ kind: "day", key: `day ${item.key}`, atMs: item.atMs });
    }
    if (item.key === unreadKey) rows.push({ kind: "unread", key: "unread" });
    append(rows, item);
    previous = item;
  }
  return rows;
}
