import { describe, expect, test } from "vitest";
import { firstUnread, rowsOf } from "../../src/ui/grouping.ts";
import { afterChange, around, atEnd, MOST_ITEMS, movedDown, movedUp } from "../../src/ui/window.ts";
import { alice, bob, item } from "./fake_engine.ts";

const noon = new Date(2026, 2, 3, 12, 0, 0).getTime();
const kinds = (rows: ReturnType<typeof rowsOf>): string[] => rows.map((row) => row.kind);

describe("rows of a timeline", () => {
  test("one sender within one minute is one group", () => {
    const items = [0, 10_000, 59_000].map((after, n) => item({ key: `k${n}`, sender: alice, atMs: noon + after }));

    const rows = rowsOf(items, null);

    expect(kinds(rows)).toEqual(["day", "bubbles"]);
    expect(rows[1]).toMatchObject({ items });
  });

  test("another minute, another sender or a fact in between starts a new group", () => {
    const items = [
      item({ key: "a", sender: alice, atMs: noon }),
      item({ key: "b", sender: alice, atMs: noon + 60_000 }),
      item({ key: "c", sender: bob, atMs: noon + 61_000 }),
      item({ key: "d", kind: "joined", about: [bob], atMs: noon + 62_000 }),
      item({ key: "e", sender: bob, atMs: noon + 63_000 }),
    ];

    expect(kinds(rowsOf(items, null))).toEqual([
      "day", "bubbles", "bubbles", "bubbles", "fact", "bubbles",
    ]);
  });

  test("each local day has its separator", () => {
    const items = [item({ key: "a", atMs: noon }), item({ key: "b", atMs: noon + 86_400_000 })];

    expect(kinds(rowsOf(items, null))).toEqual(["day", "bubbles", "day", "bubbles"]);
  });

  const read = item({ key: "a", seq: 1, sender: bob, atMs: noon });
  const own = item({ key: "b", seq: 2, mine: true, sender: alice, atMs: noon + 1 });
  const unread = [3, 4].map((seq) => item({ key: `u${seq}`, seq, sender: bob, atMs: noon + seq }));

  test("the unread line stands once, before the first unread item of somebody else", () => {
    const items = [read, own, ...unread];

    expect(firstUnread({ items, unreadAfter: 1, hasOlder: false })).toBe(2);
    expect(kinds(rowsOf(items, "u3"))).toEqual(["day", "bubbles", "bubbles", "unread", "bubbles"]);
  });

  test("there is no unread line while its place is not known", () => {
    expect(firstUnread({ items: unread, unreadAfter: 1, hasOlder: false })).toBe(0);
    expect(firstUnread({ items: unread, unreadAfter: 1, hasOlder: true })).toBe(-1);
    expect(firstUnread({ items: [read, own], unreadAfter: 2, hasOlder: false })).toBe(-1);
    expect(firstUnread({ items: unread, unreadAfter: null, hasOlder: false })).toBe(-1);
  });

  test("what cannot be read for the same reason is one line", () => {
    const unreadable = (key: string, reason: "damaged" | "getting_key") =>
      item({ key, kind: "unreadable", unreadable: reason, atMs: noon });
    const items = [unreadable("a", "getting_key"), unreadable("b", "getting_key"), unreadable("c", "damaged")];

    const rows = rowsOf(items, null);

    expect(kinds(rows)).toEqual(["day", "unreadable", "unreadable"]);
    expect(rows[1]).toMatchObject({ reason: "getting_key", items: [{ key: "a" }, { key: "b" }] });
  });
});

describe("the part that is drawn", () => {
  test("is the end of the list, and never more than 300 items", () => {
    expect(atEnd(20)).toEqual({ start: 0, end: 20 });
    expect(atEnd(1000)).toEqual({ start: 700, end: 1000 });
    expect(around(500, 1000)).toEqual({ start: 400, end: 700 });
    expect(around(990, 1000)).toEqual({ start: 700, end: 1000 });
    expect(around(3, 10)).toEqual({ start: 0, end: 10 });
    expect(movedUp({ start: 700, end: 1000 })).toEqual({ start: 600, end: 900 });
    expect(movedUp({ start: 30, end: 330 })).toEqual({ start: 0, end: 300 });
    expect(movedDown({ start: 600, end: 900 }, 1000)).toEqual({ start: 700, end: 1000 });
  });

  test("stays on the same items when older ones come in front", () => {
    expect(afterChange({ start: 0, end: 300 }, 100, 400, false)).toEqual({ start: 100, end: 400 });
  });

  test("follows the end only for a reader who is there", () => {
    expect(afterChange({ start: 0, end: 300 }, 0, 301, true)).toEqual({ start: 1, end: 301 });
    expect(afterChange({ start: 0, end: 300 }, 0, 301, false)).toEqual({ start: 0, end: 300 });
    expect(afterChange({ start: 0, end: 10 }, 0, 11, false)).toEqual({ start: 0, end: 11 });
  });

  test.each([0, 1, 299, 300, 301, 5000])("of %i items is within them", (count) => {
    const drawn = afterChange({ start: 50, end: 60 }, 0, count, false);

    expect(drawn.start).toBeGreaterThanOrEqual(0);
    expect(drawn.end).toBeLessThanOrEqual(count);
    expect(drawn.end - drawn.start).toBeLessThanOrEqual(MOST_ITEMS);
  });
});
