// @vitest-environment happy-dom
import { describe, expect, test } from "vitest";
import { alice, bob, carol, FakeEngine, gardenId, item, room } from "./fake_engine.ts";
import { everything, find, gardenPath, openPage, press, settled, type, visibleText } from "./page.ts";

const box = () => find<HTMLInputElement>("gamrae-new-room input[name=history]");

async function flip(): Promise<void> {
  box().click();
  await settled();
}

async function pick(at: number): Promise<void> {
  document.querySelectorAll<HTMLInputElement>(".picker input")[at]!.click();
  await settled();
}

async function create(): Promise<void> {
  find<HTMLFormElement>("gamrae-new-room form").requestSubmit();
  await settled();
}

describe("making a room", () => {
  async function asked(more: Parameters<FakeEngine["show"]>[0] = {}): Promise<FakeEngine> {
    const engine = new FakeEngine({ ...everything, ...more });
    engine.answer("room_create_group", { roomId: gardenId });
    engine.answer("room_open_direct", { roomId: gardenId });
    await openPage("/rooms", engine);
    await press("새 대화");
    return engine;
  }

  test("asks whether its past is kept, says what that means, and is on by itself", async () => {
    const engine = await asked();
    await press("그룹 대화");
    expect(box().checked).toBe(true);
    expect(box().getAttribute("role")).toBe("switch");
    expect(visibleText()).toContain("내 새 기기에서도 참여한 뒤의 메시지를 모두 볼 수 있고");
    await type("#new-room-title", "가족");
    await pick(0);

    await flip();

    expect(visibleText()).toContain("새 기기에서는 그 기기를 쓰기 전의 메시지를 볼 수 없고");
    expect(visibleText()).toContain("다시 켤 수 없어요");
    await create();
    const chosen = { title: "가족", userIds: [bob.userId], keepsHistory: false };
    expect(engine.argsOf("room_create_group")).toEqual([chosen]);
  });

  test("of two asks as well, but not where the one room is there already", async () => {
    const withBob = room({ kind: "direct", members: [{ ...alice, role: "member" }, { ...bob, role: "member" }] });
    const engine = await asked({ rooms: [withBob] });
    await pick(0);
    expect(document.querySelector("gamrae-new-room input[name=history]")).toBeNull();

    await pick(1);
    await flip();
    await create();

    expect(engine.argsOf("room_open_direct")).toEqual([{ userId: carol.userId, keepsHistory: false }]);
  });
});

describe("a room", () => {
  const details = async (more: Parameters<typeof room>[0]): Promise<FakeEngine> => {
    const engine = new FakeEngine({ ...everything, rooms: [room(more)] });
    await openPage(gardenPath, engine);
    await press("대화 정보");
    return engine;
  };

  test("that keeps no history says so in its head, at its beginning and in its details", async () => {
    await details({ keepsHistory: false });
    expect(find(".room-title p").textContent).toBe("2명 참여 중 · 지난 대화를 남기지 않아요");
    expect(find("gamrae-room-details").textContent).toContain("새 기기에서는 그 기기를 쓰기 전의 메시지를 볼 수 없고");
    expect(find("gamrae-room-details").textContent).not.toContain("이제부터 남기지 않기");
  });

  test("that ended it says from when on, and nothing else of what came before", async () => {
    await details({ keepsHistory: false, historyEnded: true });
    expect(find("gamrae-room-details").textContent).toContain("남기지 않기로 한 뒤의 메시지는 새 기기에서 볼 수 없고");
    const items = [item({ key: "off", seq: 3, kind: "history_off", sender: bob })];
    const timeline = { roomId: gardenId, items, hasOlder: false, unreadAfter: null };
    await openPage(gardenPath, new FakeEngine({ ...everything, rooms: [room({ keepsHistory: false, historyEnded: true })], timeline }));
    expect(visibleText()).toContain("서버를 운영하는 사람도 읽을 수 없어요");
  });

  test("that keeps it is ended by its admin, after its consequence was confirmed", async () => {
    const engine = await details({});
    expect(find(".room-title p").textContent).toBe("2명 참여 중");

    await press("이제부터 남기지 않기");
    expect(visibleText()).toContain("다시 켤 수는 없어요");
    await press("취소");
    expect(engine.argsOf("room_end_history")).toEqual([]);
    await press("이제부터 남기지 않기");
    await press("이제부터 남기지 않기");

    expect(engine.argsOf("room_end_history")).toEqual([{ roomId: gardenId }]);
  });

  test.each([
    ["a group, by a member", { isAdmin: false }, false],
    ["a group that one has left", { left: "left" as const }, false],
    ["a room of two", { kind: "direct" as const, isAdmin: false }, true],
  ])("%s", async (_, more, isThere) => {
    await details(more);
    expect(visibleText().includes("이제부터 남기지 않기")).toBe(isThere);
  });

  test("says in one line why older messages are not there, and who ended it", async () => {
    const closed = (seq: number) => item({ key: String(seq), seq, kind: "unreadable", unreadable: "not_kept", messageId: String(seq) });
    const items = [closed(1), closed(2), item({ key: "off", seq: 3, kind: "history_off", sender: bob })];
    const timeline = { roomId: gardenId, items, hasOlder: false, unreadAfter: null };
    await openPage(gardenPath, new FakeEngine({ ...everything, rooms: [room({ keepsHistory: false })], timeline }));

    const text = visibleText();
    expect(text).toContain("이 대화방은 지난 대화를 남기지 않아요. 이 기기에서는 들어온 뒤의 메시지만 볼 수 있어요 (2개)");
    expect(text).toContain("밥 님이 이제부터 지난 대화를 남기지 않게 바꿨어요");
    expect(text).toContain("복구 열쇠로도 되찾을 수 없어요");
  });
});
