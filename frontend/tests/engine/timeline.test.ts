import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ItemRow, OutboxRow } from "../../src/engine/store/schema";
import { type ReadItem, type TimelineInput, timelineItems, unreadBy, unreadLine } from "../../src/engine/timeline";

const ALICE = "a";
const BOB = "b";
const BYTES = new Uint8Array(0);

function item(messageId: string, more: Partial<ItemRow> = {}, text = messageId): ReadItem {
  const row: ItemRow = {
    ...{ roomId: "r", key: `message/${messageId}`, kind: "message", seq: 0, status: "open" },
    ...{ reason: null, eid: BYTES, log: null, device: "phone", user: BOB, messageId, epoch: 0 },
    ...{ n: 0, counts: true, envelope: null, acceptedMs: 0, keyId: 1, stamp: BYTES },
    ...{ messageKey: null, revision: 1, ...more },
  };
  return { row, text, type: "text", lines: [] };
}

function waiting(messageId: string, order: number, more: Partial<OutboxRow> = {}) {
  const row: OutboxRow = {
    ...{ roomId: "r", messageId, order, createdMs: order, state: "waiting", failure: null },
    ...{ text: { iv: new Uint8Array(12), data: new Uint8Array(0) }, attempts: [] },
    ...{ sealAgain: false, acceptedMs: 0, keyId: 0, stamp: BYTES, revision: 1, ...more },
  };
  return { row, text: messageId };
}

function input(more: Partial<TimelineInput>): TimelineInput {
  return {
    ...{ userId: ALICE, deviceId: "laptop", items: [], waiting: [], cursors: [] },
    members: [
      { userId: ALICE, nickname: "alice" },
      { userId: BOB, nickname: "bob" },
    ],
    nameOf: (userId) => userId,
    ...more,
  };
}

function texts(more: Partial<TimelineInput>): string[] {
  return timelineItems(input(more)).map(({ text }) => text);
}

describe("a timeline", () => {
  it("is in the order of the log, with provisional messages and the own line last", () => {
    const items = [item("live"), item("two", { seq: 2 }), item("one", { seq: 1 })];
    expect(texts({ items, waiting: [waiting("mine", 1)] })).toEqual(["one", "two", "live", "mine"]);
  });

  it("is the same in whatever order its rows come", () => {
    const rows = Array.from({ length: 8 }, (_, at) => item(`m${at}`, { seq: at + 1 }));
    const shuffled = fc.shuffledSubarray(rows, { minLength: rows.length });
    fc.assert(
      fc.property(shuffled, (items) => {
        expect(texts({ items })).toEqual(rows.map(({ text }) => text));
      }),
    );
  });

  it("shows one sender's provisional messages in the order of their counters", () => {
    const items = [item("later", { n: 5, acceptedMs: 1 }), item("first", { n: 4, acceptedMs: 2 })];
    expect(texts({ items })).toEqual(["first", "later"]);
  });

  it("shows a message once, the stored copy before any other", () => {
    const own = { device: "laptop", user: ALICE };
    const items = [item("m", own, "live"), item("m", { ...own, seq: 3 }, "stored")];
    expect(texts({ items, waiting: [waiting("m", 1)] })).toEqual(["stored"]);
  });

  it("shows no silent message and nothing that waits for its epoch without a place", () => {
    const items = [item("edit", { counts: false, seq: 1 }), item("held", { status: "held" })];
    expect(texts({ items })).toEqual([]);
  });

  it("makes lines of commits from what was signed", () => {
    const line = { kind: "joined" as const, by: BOB, about: [ALICE], text: "", atMs: 7 };
    const commit = { ...item("", { kind: "commit", seq: 1, counts: false }), lines: [line] };
    const [shown] = timelineItems(input({ items: [commit] }));
    expect([shown?.kind, shown?.sender?.userId, shown?.about[0]?.userId]).toEqual(["joined", BOB, ALICE]);
  });

  it("says that a body of an unknown type needs a newer version", () => {
    const unknown = { ...item("new", { seq: 1 }), type: "hologram", text: null };
    expect(timelineItems(input({ items: [unknown] }))[0]?.unreadable).toBe("newer_version");
  });
});

describe("the number of those who have not read", () => {
  const { members } = input({});

  it("counts members besides the sender whose cursor is lower", () => {
    expect(unreadBy(5, ALICE, { members, cursors: [] })).toBe(1);
    const cursors = [{ user_id: BOB, delivered_to: 5, read_to: 5 }];
    expect(unreadBy(5, ALICE, { members, cursors })).toBe(0);
  });

  it("is not known before a message has its place", () => {
    expect(unreadBy(0, ALICE, { members, cursors: [] })).toBeNull();
  });
});

describe("the unread line", () => {
  it("stands after what was read, and only when somebody else wrote since", () => {
    const items = timelineItems(input({ items: [item("1", { seq: 1 }), item("2", { seq: 2 })] }));
    expect(unreadLine(1, items)).toBe(1);
    expect(unreadLine(2, items)).toBeNull();
    const mine = timelineItems(input({ items: [item("3", { seq: 3, user: ALICE })] }));
    expect(unreadLine(0, mine)).toBeNull();
  });
});
