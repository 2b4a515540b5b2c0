// @vitest-environment happy-dom
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Phase } from "../../src/engine/contract.ts";
import { neighbour, shortcutOf } from "../../src/ui/shortcuts.ts";
import { targetsFor } from "../../src/ui/switcher.ts";
import { merged, nothingYet } from "../../src/ui/state.ts";
import { alice, bob, carol, FakeEngine, gardenId, me, room } from "./fake_engine.ts";
import { button, compositionEnd, everything, find, gardenPath, openPage, press, settled, type, visibleText } from "./page.ts";

const secondId = gardenId.replace("9a", "9b");

function key(init: KeyboardEventInit): KeyboardEvent {
  return new KeyboardEvent("keydown", { bubbles: true, cancelable: true, ...init });
}

describe("states without a chat", () => {
  test.each<[Phase, string, string]>([
    ["no_keys_here", "대화를 되찾아요", "복구 열쇠를 넣으면"],
    ["revoked", "이 브라우저는 기기 목록에서 빠졌어요", "복구 열쇠를 넣어 주세요"],
    ["insecure", "안전한 주소로 열어 주세요", "https://"],
    ["unsupported", "이 브라우저에서는 쓸 수 없어요", "Firefox 130"],
    ["storage_failed", "브라우저에 저장할 수 없어요", "일반 창에서"],
    ["signed_out", "로그아웃됐어요", "다시 로그인하면"],
  ])("%s has a page that says what is and what to do", async (phase, title, text) => {
    await openPage("/rooms", new FakeEngine({ phase }));

    expect(find("h1").textContent).toBe(title);
    expect(visibleText()).toContain(text);
    expect(document.querySelector("nav")).toBeNull();
  });

  test("an insecure address leads to the secure one", async () => {
    const app = await openPage("/rooms", new FakeEngine({ phase: "insecure" }));

    app.publicUrl = "https://chat.example";
    await settled();

    expect(button("안전한 주소로 열기").getAttribute("href")).toBe("https://chat.example");
  });

  test.each<Phase>(["starting", "enrolling", "ready"])("while %s the three tabs are there", async (phase) => {
    await openPage("/rooms", new FakeEngine({ phase }));

    expect([...document.querySelectorAll(".tab-label")].map((tab) => tab.textContent)).toEqual(["친구", "채팅", "나"]);
    expect(document.querySelector(".ribbon")).toBeNull();
  });
});

describe("the ribbon", () => {
  afterEach(() => void vi.useRealTimers());

  test("says nothing for five seconds without a connection, then that messages wait", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const engine = new FakeEngine({ ...everything, connection: { state: "connecting", sinceMs: Date.now(), waiting: 2 } });
    const opening = openPage("/rooms", engine);
    await vi.advanceTimersByTimeAsync(4_000);
    const app = await opening;
    expect(document.querySelector(".ribbon")).toBeNull();

    await vi.advanceTimersByTimeAsync(1_100);
    await app.updateComplete;

    expect(find(".ribbon").textContent).toBe("연결 중… 메시지는 자동으로 보내져요 · 보낼 메시지 2개");
  });
});

describe("the account", () => {
  test("name and status are saved", async () => {
    const engine = new FakeEngine(everything);
    await openPage("/me", engine);
    await type("#me-nickname", " 새 이름 ");
    await type("#me-status", "바빠요");

    find<HTMLFormElement>("gamrae-me form").requestSubmit();
    await settled();

    expect(engine.argsOf("profile_update")).toEqual([{ nickname: "새 이름", statusMessage: "바빠요" }]);
  });

  test("the fingerprint stands in groups", async () => {
    await openPage("/me", new FakeEngine(everything));

    expect([...find(".digits").children].map((group) => group.textContent)).toEqual(me.fingerprint.split(" "));
  });

  test("signing out keeps the keys of this browser", async () => {
    const engine = new FakeEngine(everything);
    const submit = vi.spyOn(HTMLFormElement.prototype, "submit").mockImplementation(() => undefined);
    await openPage("/me", engine);

    await press("로그아웃");
    expect(visibleText()).toContain("다시 로그인하면 그대로 이어서");
    await press("로그아웃");

    expect(submit).toHaveBeenCalledTimes(1);
    expect(engine.argsOf("forget")).toEqual([]);
    submit.mockRestore();
  });

  test("erasing deletes the keys first, and stays signed in when that fails", async () => {
    const engine = new FakeEngine({ ...everything, connection: { state: "offline", sinceMs: 0, waiting: 3 } });
    engine.refuse("forget", "storage");
    const submit = vi.spyOn(HTMLFormElement.prototype, "submit").mockImplementation(() => undefined);
    await openPage("/me", engine);
    await press("이 브라우저에서 지우기");
    expect(visibleText()).toContain("보내지 못한 메시지 3개도 지워져요");

    await press("지우고 로그아웃");
    expect(submit).not.toHaveBeenCalled();

    engine.answer("forget", null);
    await press("이 브라우저에서 지우기");
    await press("지우고 로그아웃");
    expect(submit).toHaveBeenCalledTimes(1);
    expect(find<HTMLFormElement>('form[method="post"]').getAttribute("action")).toBe("/accounts/logout/");
    submit.mockRestore();
  });

  test("a chosen brightness is kept and told to the style sheet", async () => {
    await openPage("/me", new FakeEngine(everything));
    const field = find<HTMLSelectElement>("#me-theme");

    field.value = "dark";
    field.dispatchEvent(new Event("change"));
    expect(document.documentElement.dataset["theme"]).toBe("dark");

    field.value = "system";
    field.dispatchEvent(new Event("change"));
    expect(document.documentElement.dataset["theme"]).toBeUndefined();
    expect(localStorage.getItem("gamrae-theme")).toBeNull();
  });
});

describe("the keyboard", () => {
  test.each([
    [{ key: "k", code: "KeyK", ctrlKey: true }, "switcher"],
    [{ key: "ㅏ", code: "KeyK", metaKey: true }, "switcher"],
    [{ key: "ArrowUp", altKey: true }, "previous_room"],
    [{ key: "ArrowDown", altKey: true }, "next_room"],
    [{ key: "F6" }, "next_landmark"],
    [{ key: "F6", shiftKey: true }, "previous_landmark"],
    [{ key: "Escape" }, "escape"],
    [{ key: "?", shiftKey: true }, "help"],
    [{ key: "k" }, null],
    [{ key: "k", code: "KeyK", ctrlKey: true, isComposing: true }, null],
  ])("%o is %s", (init, shortcut) => {
    expect(shortcutOf(key(init))).toBe(shortcut);
  });

  test("a question mark that is typed is only a question mark", async () => {
    await openPage(gardenPath, new FakeEngine(everything));

    find("textarea").dispatchEvent(key({ key: "?", shiftKey: true }));
    await settled();

    expect(document.querySelector("dialog")).toBeNull();
  });

  test("? shows the shortcuts, and closing gives the focus back", async () => {
    await openPage("/friends", new FakeEngine(everything));
    button("친구 추가").focus();

    document.dispatchEvent(key({ key: "?", shiftKey: true }));
    await settled();
    expect(visibleText()).toContain("단축키");
    await press("닫기");

    expect(document.querySelector("dialog")).toBeNull();
    expect(document.activeElement).toBe(button("친구 추가"));
  });

  test("rooms follow each other, and the list has ends", () => {
    expect(neighbour(["a", "b", "c"], "b", 1)).toBe("c");
    expect(neighbour(["a", "b", "c"], "b", -1)).toBe("a");
    expect(neighbour(["a", "b", "c"], "c", 1)).toBeUndefined();
    expect(neighbour(["a", "b", "c"], "a", -1)).toBeUndefined();
    expect(neighbour(["a", "b", "c"], null, 1)).toBe("a");
    expect(neighbour([], null, 1)).toBeUndefined();
  });
});

describe("the quick switcher", () => {
  const direct = room({
    roomId: secondId, kind: "direct", title: "밥", lastAtMs: 5, members: [{ ...alice, role: "member" }, { ...bob, role: "member" }],
  });
  const state = merged(nothingYet, { ...everything, rooms: [room(), direct] });

  test("finds rooms and friends by initials, and nobody twice", () => {
    const names = (query: string): string[] =>
      targetsFor(state, query, alice.userId).map((target) => (target.kind === "room" ? target.room.title : target.friend.nickname));

    expect(names("")).toEqual(["밥", "정원", carol.nickname]);
    expect(names("ㅈㅇ")).toEqual(["정원"]);
    expect(names("ㅂ")).toEqual(["밥"]);
    expect(names("car")).toEqual(["Carol"]);
  });

  test("opens what is chosen with the arrows and Enter", async () => {
    await openPage("/friends", new FakeEngine({ ...everything, rooms: [room(), direct] }));
    document.dispatchEvent(key({ key: "k", code: "KeyK", ctrlKey: true }));
    await settled();

    find(".switcher input").dispatchEvent(key({ key: "ArrowDown" }));
    await settled();
    find(".switcher input").dispatchEvent(key({ key: "Enter", code: "Enter" }));
    await settled();

    expect(location.pathname).toBe(gardenPath);
  });

  test("a Korean name is taken whole with one Enter", async () => {
    await openPage("/friends", new FakeEngine({ ...everything, rooms: [direct, room()] }));
    document.dispatchEvent(key({ key: "k", code: "KeyK", ctrlKey: true }));
    await settled();
    const field = find<HTMLInputElement>(".switcher input");

    field.dispatchEvent(key({ key: "Enter", code: "Enter", isComposing: true }));
    field.value = "정";
    field.dispatchEvent(new InputEvent("input"));
    field.dispatchEvent(compositionEnd("정"));
    await settled();

    expect(location.pathname).toBe(gardenPath);
  });
});

test("there is one main region and a heading on every screen", async () => {
  for (const path of ["/friends", "/rooms", "/me", gardenPath]) {
    const app = await openPage(path, new FakeEngine(everything));
    expect(document.querySelectorAll('main, [role="main"]')).toHaveLength(1);
    expect(app.querySelector("h1")).not.toBeNull();
    app.remove();
  }
});
