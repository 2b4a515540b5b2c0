/** What a room's timeline shows, from rows that are already opened: order, states, counts. Pure. */
import { hex } from "../crypto/encoding";
import type { Id, Person, TimelineItem } from "./contract";
import type { SystemLine } from "./lines";
import { isChangeable } from "./outbox_state";
import type { ItemRow, OutboxRow } from "./store/schema";
import type { CursorJson } from "./wire";

/** A row of the log with what it says: a text (null: it does not open), or a commit's lines. */
export interface ReadItem {
  readonly row: ItemRow;
  readonly text: string | null;
  /** The body's type, when it opened: an unknown one asks for a newer version. */
  readonly type: string | null;
  readonly lines: readonly SystemLine[];
}

/** A waiting message with its text. */
export interface ReadWaiting {
  readonly row: OutboxRow;
  readonly text: string;
}

export interface TimelineInput {
  readonly userId: Id;
  readonly deviceId: Id;
  readonly items: readonly ReadItem[];
  readonly waiting: readonly ReadWaiting[];
  readonly members: readonly Person[];
  readonly cursors: readonly CursorJson[];
  /** Names of people who are not members any more, where they are known. */
  nameOf(userId: Id): string;
}

/** Count the members besides the sender who have not read up to `seq`; null while it has no place. */
export function unreadBy(
  seq: number,
  sender: Id,
  { members, cursors }: Pick<TimelineInput, "members" | "cursors">,
): number | null {
  if (seq === 0) return null;
  const readTo = new Map(cursors.map((cursor) => [cursor.user_id, cursor.read_to]));
  const others = members.filter((member) => member.userId !== sender);
  return others.filter((member) => (readTo.get(member.userId) ?? 0) < seq).length;
}

function personOf(input: TimelineInput, userId: Id): Person {
  return { userId, nickname: input.nameOf(userId) };
}

const PLAIN = {
  ...{ unreadable: null, state: null, isChangeable: false, failure: null },
  ...{ messageId: null, unreadBy: null },
};

function messageItem(input: TimelineInput, { row, text, type }: ReadItem): TimelineItem {
  const mine = row.user === input.userId;
  const isUnknown = type !== null && type !== "text";
  const closed = text === null || isUnknown ? "damaged" : null;
  const unreadable = row.reason ?? (isUnknown ? "newer_version" : closed);
  return {
    ...PLAIN,
    key: keyOf({ row }),
    kind: unreadable === null ? "text" : "unreadable",
    seq: row.seq,
    sender: personOf(input, row.user),
    mine,
    atMs: row.acceptedMs,
    text: text ?? "",
    unreadable,
    state: mine ? (row.seq > 0 ? "stored" : "accepted") : null,
    messageId: row.messageId,
    unreadBy: unreadBy(row.seq, row.user, input),
    about: [],
  };
}

function lineItems(input: TimelineInput, { row, lines }: ReadItem): TimelineItem[] {
  return lines.map((line, at) => ({
    ...PLAIN,
    key: `${row.kind}/${hex(row.eid)}/${at}`,
    kind: line.kind,
    seq: row.seq,
    sender: personOf(input, line.by),
    mine: line.by === input.userId,
    atMs: line.atMs,
    text: line.text,
    about: line.about.map((userId) => personOf(input, userId)),
  }));
}

function waitingItem(input: TimelineInput, { row, text }: ReadWaiting): TimelineItem {
  return {
    ...PLAIN,
    key: `${input.deviceId}/${row.messageId}`,
    kind: "text",
    seq: 0,
    sender: personOf(input, input.userId),
    mine: true,
    atMs: row.state === "accepted" && row.acceptedMs > 0 ? row.acceptedMs : row.createdMs,
    text,
    state: row.state,
    isChangeable: isChangeable(row),
    failure: row.failure,
    messageId: row.messageId,
    about: [],
  };
}

function inOrder(items: readonly ReadItem[]): ReadItem[] {
  const stored = items.filter(({ row }) => row.seq > 0);
  const live = items.filter(({ row }) => row.seq === 0 && row.status === "open");
  stored.sort((left, right) => left.row.seq - right.row.seq);
  // One sender's provisional messages stand in the sender's own order of counters.
  live.sort((left, right) => {
    const isSame = left.row.device === right.row.device && left.row.epoch === right.row.epoch;
    return isSame ? left.row.n - right.row.n : left.row.acceptedMs - right.row.acceptedMs;
  });
  return [...stored, ...live];
}

function keyOf({ row }: Pick<ReadItem, "row">): string {
  return `${row.device}/${row.messageId}`;
}

/** What does not open only claims its header: it hides no message that does, or that waits. */
function shownItems({ items, waiting, deviceId }: TimelineInput): ReadItem[] {
  const known = new Set(items.filter(({ type }) => type !== null).map(keyOf));
  for (const { row } of waiting) known.add(`${deviceId}/${row.messageId}`);
  return inOrder(items).filter((item) => {
    const { kind, counts } = item.row;
    if (kind !== "message") return kind === "commit";
    return counts && (item.type !== null || !known.has(keyOf(item)));
  });
}

/**
 * Put a room's timeline together: by place in the log, then provisional copies, then the own
 * line; each message once by (device, id), the stored copy before any other.
 */
export function timelineItems(input: TimelineInput): TimelineItem[] {
  const shown = new Map<string, TimelineItem>();
  for (const item of shownItems(input)) {
    const made =
      item.row.kind === "message" ? [messageItem(input, item)] : lineItems(input, item);
    for (const one of made) if (!shown.has(one.key)) shown.set(one.key, one);
  }
  const waiting = [...input.waiting].sort((left, right) => left.row.order - right.row.order);
  for (const one of waiting.map((row) => waitingItem(input, row))) {
    if (!shown.has(one.key)) shown.set(one.key, one);
  }
  return [...shown.values()];
}

/** Where the unread line stands: the last read place, or null when nothing newer counts. */
export function unreadLine(readTo: number, items: readonly TimelineItem[]): number | null {
  const hasUnread = items.some(
    (item) => item.seq > readTo && !item.mine && item.messageId !== null,
  );
  return hasUnread ? readTo : null;
}
