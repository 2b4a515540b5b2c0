// @vitest-environment happy-dom
import { describe, expect, test, vi } from "vitest";
import type { RoomSummary, TimelineItem } from "../../src/engine/contract.ts";
import { navigate } from "../../src/ui/navigation.ts";
import { alice, bob, carol, FakeEngine, gardenId, item, room } from "./fake_engine.ts";
import { compositionEnd, everything, find, gardenPath, openPage, press, settled, type, visibleText } from "./page.ts";

function withItems(items: TimelineItem[], more: { hasOlder?: boolean; unreadAfter?: number | null } = {}): FakeEngine {
  const timeline = { roomId: gardenId, items, hasOlder: false, unreadAfter: null, ...more };
  return new FakeEngine({ ...everything, timeline });
}

const own = (state: TimelineItem["state"], more: Partial<TimelineItem> = {}): TimelineItem =>
  item({ key: `own ${String(state)}`, sender: alice, mine: true, text: "안녕", state, messageId: "m1", ...more });

const pondId = "9a4de000-0000-4000-8000-00000000000a";

/** Has pressed for changing a failed message of the garden; its text comes with `answer`. */
async function changing(draft = ""): Promise<{ engine: FakeEngine; answer: () => void }> {
  const engine = withItems([own("failed", { isChangeable: true })]);
  engine.show({ rooms: [room(), room({ roomId: pondId, title: "연못" })] });
  engine.answer("message_take_back", { text: "안녕" });
  const answer = engine.hold("message_take_back");
  await openPage(gardenPath, engine);
  if (draft !== "") await type("textarea", draft);
  await press("고치기");
  return { engine, answer };
}

const buttonNames = (): string[] =>
  [...document.querySelectorAll(".line-actions button")].map((button) => button.textContent.trim());

describe("the timeline", () => {
  test("is shown when the room is opened, and closed with it", async () => {
    const engine = withItems([]);
    const app = await openPage(gardenPath, engine);
    expect(engine.argsOf("room_show")).toEqual([{ roomId: gardenId }]);

    app.remove();

    expect(engine.argsOf("room_close")).toHaveLength(1);
  });

  test.each([
    ["waiting", "보내기를 기다리는 중"],
    ["sending", "보내는 중"],
    ["accepted", "서버에 도착함"],
    ["stored", "보냄"],
    ["failed", "보내지 못함"],
  ] as const)("an own message that is %s says: %s", async (state, text) => {
    await openPage(gardenPath, withItems([own(state, { unreadBy: 2 })]));

    const line = find(`.line[data-state="${state}"]`);

    expect(line.textContent).toContain(text);
    expect(line.textContent).toContain("안 읽은 사람 2명");
  });

  test("a failed message says why and can be sent again, changed or deleted", async () => {
    const engine = withItems([own("failed", { failure: { code: "too_large" }, isChangeable: true })]);
    engine.answer("message_take_back", { text: "안녕" });
    await openPage(gardenPath, engine);
    expect(visibleText()).toContain("메시지가 너무 길어요");
    expect(visibleText()).not.toContain("이미 보내졌을 수도 있어요");

    await press("다시 보내기");
    await press("고치기");
    expect(find<HTMLTextAreaElement>("textarea").value).toBe("안녕");
    await press("지우기");
    expect(visibleText()).toContain("아직 아무에게도 보내지지 않은");
    await press("지우기");

    const named = [{ roomId: gardenId, messageId: "m1" }];
    for (const name of ["message_retry", "message_take_back", "message_discard"] as const) {
      expect(engine.argsOf(name)).toEqual(named);
    }
  });

  test("a failed message that somebody may have got cannot be changed, and says so", async () => {
    const engine = withItems([own("failed", { failure: { code: "forbidden" } })]);
    await openPage(gardenPath, engine);
    expect(visibleText()).toContain("이미 보내졌을 수도 있어요");
    expect(buttonNames()).toContain("다시 보내기");
    expect(buttonNames()).not.toContain("고치기");

    await press("지우기");

    expect(visibleText()).toContain("이미 보내졌다면 대화에 다시 나타나요");
  });

  test.each([
    ["offline", true],
    ["connecting", true],
    ["online", false],
  ] as const)("while %s, what waits can be changed: %s", async (state, isOffered) => {
    const engine = withItems([own("waiting", { isChangeable: true })]);
    engine.show({ connection: { state, sinceMs: 0, waiting: 1 } });
    await openPage(gardenPath, engine);

    expect(buttonNames().includes("고치기")).toBe(isOffered);
    expect(buttonNames().includes("지우기")).toBe(isOffered);
    expect(buttonNames()).not.toContain("다시 보내기");
  });

  test("where nothing can be written any more, a failed message is not put out of sight", async () => {
    const engine = withItems([own("failed", { failure: { code: "forbidden" }, isChangeable: true })]);
    engine.show({ rooms: [room({ left: "removed" })] });
    await openPage(gardenPath, engine);

    expect(buttonNames()).toEqual(["다시 보내기", "지우기"]);
  });

  test("a message that left meanwhile is not changed, and the person is told", async () => {
    const engine = withItems([own("failed", { isChangeable: true })]);
    engine.refuse("message_take_back", "forbidden");
    await openPage(gardenPath, engine);

    await press("고치기");

    expect(visibleText()).toContain("그사이 보내기 시작했어요");
    expect(find<HTMLTextAreaElement>("textarea").value).toBe("");
  });

  test("a message that is changed comes back into its own room, whichever is open by then", async () => {
    const { engine, answer } = await changing();

    navigate({ page: "room", roomId: pondId });
    await settled();
    answer();
    await settled();

    expect(find<HTMLTextAreaElement>("textarea").value).toBe("");
    window.dispatchEvent(new Event("pagehide"));
    expect(engine.argsOf("draft_save")).toEqual([]);
  });

  test("what is written while a message comes back does not take its place in the draft", async () => {
    const { engine, answer } = await changing("반쯤");
    const names = engine.asked.map((asked) => asked.name);
    expect(names.indexOf("draft_save")).toBeGreaterThan(-1);
    expect(names.indexOf("draft_save")).toBeLessThan(names.indexOf("message_take_back"));

    await type("textarea", "반쯤 더");
    navigate({ page: "room", roomId: pondId });
    await settled();
    answer();
    await settled();

    expect(engine.argsOf("draft_save")).toEqual([
      { roomId: gardenId, text: "반쯤" },
      { roomId: gardenId, text: "안녕\n반쯤 더" },
    ]);
  });

  test("what is written while a message could not come back is kept", async () => {
    const { engine, answer } = await changing();
    engine.refuse("message_take_back", "forbidden");

    await type("textarea", "반쯤");
    navigate({ page: "room", roomId: pondId });
    await settled();
    answer();
    await settled();

    expect(engine.argsOf("draft_save")).toEqual([{ roomId: gardenId, text: "반쯤" }]);
  });

  test("several failed messages are sent again with one press", async () => {
    const failed = ["m1", "m2", "m3"].map((messageId) => own("failed", { key: messageId, messageId }));
    const engine = withItems(failed);
    await openPage(gardenPath, engine);

    await press("모두 다시 보내기");

    expect(engine.argsOf("message_retry")).toHaveLength(3);
  });

  test("what cannot be read is one line for each reason", async () => {
    const items = ["a", "b", "c"].map((key) => item({ key, kind: "unreadable", unreadable: "getting_key" }));
    await openPage(gardenPath, withItems([...items, item({ key: "d", kind: "unreadable", unreadable: "before_joining" })]));

    expect(visibleText()).toContain("메시지 3개를 여는 중이에요…");
    expect(visibleText()).toContain("참여하기 전 메시지예요");
  });

  test("never has more than 300 items in the page", async () => {
    const items = Array.from({ length: 1000 }, (_, n) => item({ key: `k${n}`, seq: n + 1, text: `${n}` }));
    await openPage(gardenPath, withItems(items));

    expect(document.querySelectorAll(".line")).toHaveLength(300);
    expect(visibleText()).toContain("999");
  });

  test("announces only new text of others, without times", async () => {
    const engine = withItems([item({ key: "a", seq: 1, text: "옛날" })]);
    await openPage(gardenPath, engine);
    const live = find("gamrae-timeline [aria-live=polite]");
    expect(live.textContent).toBe("");

    const fresh = [item({ key: "b", seq: 2, sender: bob, text: "새 소식" }), own("sending")];
    engine.show({ timeline: { roomId: gardenId, hasOlder: false, unreadAfter: null, items: [item({ key: "a", seq: 1, text: "옛날" }), ...fresh] } });
    await settled();

    expect(live.textContent).toBe("밥: 새 소식");
    expect(find("[role=log]").getAttribute("aria-live")).toBe("off");
  });

  test("a reader at the end has read everything, once", async () => {
    const engine = withItems([item({ key: "a", seq: 7 }), own("sending", { seq: 0 })]);
    await openPage(gardenPath, engine);
    await settled();

    expect(engine.argsOf("room_read")).toEqual([{ roomId: gardenId, seq: 7 }]);
  });

  test("a room that is not there says so and leads back", async () => {
    const engine = new FakeEngine({ ...everything, rooms: [] });
    engine.refuse("room_show", "not_found");
    await openPage(gardenPath, engine);

    expect(visibleText()).toContain("대화를 찾을 수 없어요");
  });
});

describe("the composer", () => {
  const enter = (more: KeyboardEventInit = {}): KeyboardEvent =>
    new KeyboardEvent("keydown", { key: "Enter", code: "Enter", bubbles: true, cancelable: true, ...more });

  test("sends with Enter and is empty at once, without waiting for anybody", async () => {
    const engine = withItems([]);
    await openPage(gardenPath, engine);
    await type("textarea", "  들여쓴 글\n둘째 줄");

    find("textarea").dispatchEvent(enter());

    expect(find<HTMLTextAreaElement>("textarea").value).toBe("");
    await settled();
    expect(engine.argsOf("message_send")).toEqual([{ roomId: gardenId, text: "  들여쓴 글\n둘째 줄" }]);
  });

  test("sends Hangul once and whole when Enter ends its last syllable", async () => {
    const engine = withItems([]);
    await openPage(gardenPath, engine);
    const field = find<HTMLTextAreaElement>("textarea");
    await type("textarea", "안녀");

    field.dispatchEvent(enter({ isComposing: true }));
    field.value = "안녕";
    field.dispatchEvent(compositionEnd("녕"));
    field.dispatchEvent(enter());
    await settled();

    expect(engine.argsOf("message_send")).toEqual([{ roomId: gardenId, text: "안녕" }]);
  });

  test("does not send blanks", async () => {
    const engine = withItems([]);
    await openPage(gardenPath, engine);
    await type("textarea", " \n ");

    find("textarea").dispatchEvent(enter());
    await settled();

    expect(engine.argsOf("message_send")).toEqual([]);
  });

  test("gives the text back when it could not be kept", async () => {
    const engine = withItems([]);
    engine.refuse("message_send", "storage");
    await openPage(gardenPath, engine);
    await type("textarea", "소중한 글");

    find("textarea").dispatchEvent(enter());
    await settled();

    expect(find<HTMLTextAreaElement>("textarea").value).toBe("소중한 글");
  });

  test("shows what is left near the limit, and refuses what is over it", async () => {
    const engine = withItems([]);
    await openPage(gardenPath, engine);

    await type("textarea", "가".repeat(10_400));
    expect(visibleText()).toContain("800바이트 남았어요");
    await type("textarea", "가".repeat(10_700));
    find("textarea").dispatchEvent(enter());
    await settled();

    expect(visibleText()).toContain("100바이트 넘었어요");
    expect(engine.argsOf("message_send")).toEqual([]);
  });

  test("brings the draft back, and keeps a new one after half a second", async () => {
    const engine = withItems([]);
    engine.answer("draft_load", { text: "어제 쓰던 글" });
    await openPage(gardenPath, engine);
    expect(find<HTMLTextAreaElement>("textarea").value).toBe("어제 쓰던 글");

    vi.useFakeTimers();
    find<HTMLTextAreaElement>("textarea").value = "오늘 쓰는 글";
    find("textarea").dispatchEvent(new InputEvent("input"));
    expect(engine.argsOf("draft_save")).toEqual([]);
    vi.advanceTimersByTime(500);
    vi.useRealTimers();

    expect(engine.argsOf("draft_save")).toEqual([{ roomId: gardenId, text: "오늘 쓰는 글" }]);
  });

  test("keeps the draft of a room that is left in a hurry", async () => {
    const engine = withItems([]);
    const app = await openPage(gardenPath, engine);
    await type("textarea", "반쯤 쓴 글");

    app.remove();

    expect(engine.argsOf("draft_save")).toEqual([{ roomId: gardenId, text: "반쯤 쓴 글" }]);
  });

  test.each([
    [{ left: "removed" as const }, "내보내진 대화예요"],
    [{ left: "left" as const }, "나간 대화예요"],
    [{ trouble: "getting_keys" as const }, "열쇠를 받는 중이에요"],
    [{ trouble: "fork" as const }, "기록이 서로 맞지 않아서"],
    [{ trouble: "pin_mismatch" as const }, "안전 번호를 비교해 주세요"],
  ])("is closed with a reason: %o", async (more, reason) => {
    await openPage(gardenPath, new FakeEngine({ ...everything, rooms: [room({ canWrite: false, ...more })] }));

    expect(document.querySelector("textarea")).toBeNull();
    expect(visibleText()).toContain(reason);
  });
});

describe("a room of two in which one has started again", () => {
  const withBob: Pick<RoomSummary, "kind" | "members"> = {
    kind: "direct",
    members: [{ ...alice, role: "admin" }, { ...bob, role: "admin" }],
  };
  const former = (roomId: string, lastAtMs: number, more: Partial<RoomSummary> = {}) =>
    room({ ...withBob, roomId, left: "removed", canWrite: false, lastAtMs, ...more });

  const opened = async (shown: RoomSummary, ...others: RoomSummary[]) => {
    const timeline = { roomId: gardenId, items: [], hasOlder: false, unreadAfter: null };
    await openPage(gardenPath, new FakeEngine({ ...everything, rooms: [shown, ...others], timeline }));
    return document.querySelector<HTMLAnchorElement>("gamrae-timeline .empty a")?.getAttribute("href");
  };
  const now = room({ ...withBob, lastAtMs: 1 });

  test("is divided from what was before, which is one step away", async () => {
    expect(await opened(now, former("first", 5), former("second", 7))).toBe("/rooms/second");
    expect(visibleText()).toContain("둘 중 한 사람이 새로 시작해서 대화가 여기서 나뉘어요.");
  });

  test("leads from one ended room to the one before", async () => {
    const ended = former(gardenId, 7);

    expect(await opened(ended, former("first", 5), former("later", 9))).toBe("/rooms/first");
  });

  test("leads nowhere when nothing was before, or only chats with others", async () => {
    const withCarol: Partial<RoomSummary> = { members: [{ ...alice, role: "admin" }, { ...carol, role: "admin" }] };
    const group = former("group", 5, { kind: "group" });

    expect(await opened(now, former("other", 5, withCarol), group, former("left", 5, { left: "left" }))).toBeUndefined();
    expect(await opened(room(), former("first", 5))).toBeUndefined();
  });
});
