// @vitest-environment happy-dom
import { afterEach, describe, expect, test, vi } from "vitest";
import { drawRow } from "../../src/ui/message.ts";
import { render } from "lit";
import { alice, bob, FakeEngine, item, me } from "./fake_engine.ts";
import { everything, find, openPage, press, settled, visibleText } from "./page.ts";

afterEach(() => vi.unstubAllGlobals());

const six = "baba dede fifi gogu kaka zyzu";
const unwritten = { ...everything, me: { ...me, hasRecoveryKey: false } };

async function give(secret: string): Promise<void> {
  const field = [...document.querySelectorAll<HTMLTextAreaElement>("#recovery-secret")].at(-1);
  if (field === undefined) throw new Error("nothing asks for the recovery key");
  field.value = secret;
  field.form?.dispatchEvent(new SubmitEvent("submit", { bubbles: true, cancelable: true }));
  await settled();
}

describe("a browser without keys", () => {
  test("takes the recovery key", async () => {
    const engine = new FakeEngine({ phase: "no_keys_here" });
    await openPage("/rooms", engine);
    await give(six);
    expect(engine.argsOf("restore")).toEqual([{ secret: six }]);
  });

  test("that was a device before says so, and leaves the old entry to its owner", async () => {
    const engine = new FakeEngine({ phase: "no_keys_here" });
    engine.answer("former_entry", { former: { deviceId: "d", createdMs: Date.UTC(2026, 4, 3) } });
    await openPage("/rooms", engine, "en");
    const box = find<HTMLInputElement>("[role=switch]");
    expect(visibleText()).toContain("Take the place of this browser, in the list of devices since May 3, 2026");
    expect(box.checked).toBe(true);
    box.click();
    await settled();
    expect(engine.argsOf("former_entry")).toEqual([{ takesPlace: true }, { takesPlace: false }]);
  });

  test.each([
    ["recovery_secret", "이 계정의 복구 열쇠가 아니에요"],
    ["recovery_blob", "열쇠가 틀린 것은 아니에요"],
    ["recovery_lists", "기기 목록을 다 보여 주지 않아서"],
    ["devices_full", "쓰지 않는 기기를 빼"],
  ])("says of %s what it is and what to do", async (code, text) => {
    const engine = new FakeEngine({ phase: "no_keys_here" });
    engine.refuse("restore", code);
    await openPage("/rooms", engine);
    await give(six);
    expect(find("[role=alert]").textContent).toContain(text);
    expect(find<HTMLTextAreaElement>("#recovery-secret").value).toBe(six);
  });

  test("names the word that is none", async () => {
    const engine = new FakeEngine({ phase: "no_keys_here" });
    engine.refuse("restore", "recovery_words", { words: ["2", "5"] });
    await openPage("/rooms", engine, "en");
    await give("one wrong word");
    expect(find("[role=alert]").textContent).toContain("Word 2, 5: not in the list");
  });

  test.each([
    [{ blocks: ["7"] }, "Block 7 of the code"],
    [{ count: ["12"] }, "12 blocks of four instead of thirteen"],
    [{ blocks: ["1", "2", "3", "4"] }, "This is not a recovery key"],
    [undefined, "A character of the code is wrong"],
  ])("names the block of a code that is wrong: %o", async (fields, text) => {
    const engine = new FakeEngine({ phase: "no_keys_here" });
    engine.refuse("restore", "recovery_code", fields);
    await openPage("/rooms", engine, "en");
    await give("0000-0000");
    expect(find("[role=alert]").textContent).toContain(text);
  });

  test("says how many words are missing", async () => {
    const engine = new FakeEngine({ phase: "no_keys_here" });
    engine.refuse("restore", "recovery_words", { count: ["5"] });
    await openPage("/rooms", engine);
    await give("baba baba baba baba baba");
    expect(find("[role=alert]").textContent).toContain("단어가 5개예요");
  });

  test("asks nothing of the engine for an empty field", async () => {
    const engine = new FakeEngine({ phase: "no_keys_here" });
    await openPage("/rooms", engine);
    await give("  ");
    expect(engine.argsOf("restore")).toEqual([]);
  });

  test("says honestly what a lost key means", async () => {
    await openPage("/rooms", new FakeEngine({ phase: "no_keys_here" }), "en");
    expect(find("details").textContent).toContain("What goes: your past messages");
  });
});

test("a browser that was taken off the list can be erased to start again", async () => {
  const engine = new FakeEngine({ phase: "revoked" });
  engine.refuse("forget", "storage");
  await openPage("/rooms", engine);
  await press("지우고 다시 시작");
  await press("지우고 다시 시작");
  expect(engine.argsOf("forget")).toHaveLength(1);
  expect(find("[role=alert]").textContent).toContain("다시 시도");
});

describe("the recovery key in 나", () => {
  test("is not on the page before one asks for it, and gone when it is to be typed", async () => {
    const engine = new FakeEngine(unwritten);
    engine.answer("recovery_show", { words: six, code: "0000-1111" });
    await openPage("/me", engine);
    expect(find(".reminder").textContent).toContain("아직 적어 두지 않았어요");
    expect(visibleText()).not.toContain("baba");
    await press("보기");
    expect([...document.querySelectorAll(".recovery-words li")].map((li) => li.textContent).join(" ")).toBe(six);
    expect(visibleText()).toContain("0000-1111");
    await press("다 적었어요");
    expect(visibleText()).not.toContain("baba");
    await give(six);
    expect(engine.argsOf("recovery_test")).toEqual([{ secret: six }]);
    expect(document.querySelector("dialog")).toBeNull();
  });

  test("is asked for by a dot on the tab and the first card, until it was tested", async () => {
    const engine = new FakeEngine(unwritten);
    await openPage("/me", engine, "en");
    expect(document.querySelector(".tab-dot")).not.toBeNull();
    expect(find(".tabs").textContent).toContain("the recovery key is not written down yet");
    expect(find(".me").firstElementChild?.tagName).toBe("GAMRAE-ME-RECOVERY");
    engine.show({ me });
    await settled();
    expect(document.querySelector(".tab-dot")).toBeNull();
    expect(find(".me").firstElementChild?.tagName).toBe("SECTION");
  });

  test("is printed with the server's address", async () => {
    const engine = new FakeEngine(unwritten);
    engine.answer("recovery_show", { words: six, code: "0000-1111" });
    await openPage("/me", engine, "en");
    await press("Show");
    const printed = vi.fn();
    vi.stubGlobal("print", printed);
    await press("Print");
    expect(printed).toHaveBeenCalledOnce();
    expect(find(".paper-only").textContent).toContain(location.origin);
  });

  test("is gone from the page when the dialog is closed", async () => {
    const engine = new FakeEngine(unwritten);
    engine.answer("recovery_show", { words: six, code: "0000-1111" });
    await openPage("/me", engine);
    await press("보기");
    await press("닫기");
    expect(visibleText()).not.toContain("baba");
  });

  test("that was written down can still be tested", async () => {
    const engine = new FakeEngine(everything);
    await openPage("/me", engine);
    expect(document.querySelector(".reminder")).toBeNull();
    await press("복구 열쇠 시험하기");
    await give(six);
    expect(engine.argsOf("recovery_test")).toHaveLength(1);
  });
});

describe("a new recovery key", () => {
  const begun = { ...everything, me: { ...me, renewing: { state: "begun" } as const } };

  test("is offered to somebody who has the present one, and to nobody else", async () => {
    await openPage("/me", new FakeEngine(unwritten));
    expect(visibleText()).not.toContain("새로 만들기");
    await openPage("/me", new FakeEngine(everything));
    expect(visibleText()).toContain("새로 만들기");
  });

  test("is made with the present one, shown, and counts once it was typed again", async () => {
    const engine = new FakeEngine(everything);
    engine.answer("renewal_show", { words: six, code: "0000-1111" });
    await openPage("/me", engine);
    await press("새로 만들기");
    expect(find("dialog").textContent).toContain("이것만으로는 막을 수 없어요");
    await give("the present one");
    expect(engine.argsOf("renewal_begin")).toEqual([{ secret: "the present one" }]);
    expect(visibleText()).toContain("0000-1111");
    await press("다 적었어요");
    expect(visibleText()).not.toContain("0000-1111");
    expect(engine.argsOf("renewal_finish")).toEqual([]);
    await give(six);
    expect(engine.argsOf("renewal_finish")).toEqual([{ secret: six }]);
    expect(document.querySelector("dialog")).toBeNull();
  });

  test("says why it was refused, and lets one look again", async () => {
    const engine = new FakeEngine(begun);
    engine.answer("renewal_show", { words: six, code: "0000-1111" });
    engine.refuse("renewal_finish", "recovery_secret");
    await openPage("/me", engine);
    await press("이어서 하기");
    await press("다 적었어요");
    await give("baba baba baba baba baba baba");
    expect(find("dialog [role=alert]").textContent).toContain("복구 열쇠가 아니에요");
    await press("다시 보기");
    expect(visibleText()).toContain("0000-1111");
  });

  test("that was begun can be given up after asking", async () => {
    const engine = new FakeEngine(begun);
    await openPage("/me", engine);
    expect(find(".reminder").textContent).toContain("전에 쓰던 열쇠가 맞는 열쇠");
    await press("그만두기");
    expect(engine.argsOf("renewal_discard")).toEqual([]);
    find<HTMLButtonElement>("dialog .button.danger").click();
    await settled();
    expect(engine.argsOf("renewal_discard")).toHaveLength(1);
  });

  test("says how far the past is moved", async () => {
    const moving = { state: "moving", done: 3, of: 12 } as const;
    await openPage("/me", new FakeEngine({ ...everything, me: { ...me, renewing: moving } }), "en");
    expect(visibleText()).toContain("3 of 12 chats");
  });
});

describe("the devices in 나", () => {
  const other = { deviceId: "0", name: "", createdMs: 0, lastUsedMs: 0, isThis: false };
  const devices = [{ ...other, deviceId: me.deviceId, isThis: true }, other];

  test("mark this one, which cannot be taken off here", async () => {
    const engine = new FakeEngine(everything);
    engine.answer("devices_list", { devices });
    await openPage("/me", engine, "en");
    const rows = [...document.querySelectorAll("li.device")];
    expect(rows.map((row) => row.querySelector(".text-danger") === null)).toEqual([true, false]);
    expect(rows[0]?.textContent).toContain("This device");
  });

  test("are taken off with the recovery key, after what happens was said", async () => {
    const engine = new FakeEngine(everything);
    engine.answer("devices_list", { devices });
    await openPage("/me", engine, "en");
    find<HTMLButtonElement>("li.device .text-danger").click();
    await settled();
    expect(find("dialog .consequence").textContent).toContain("signed out at once");
    await give(six);
    expect(engine.argsOf("device_revoke")).toEqual([{ deviceId: "0", secret: six }]);
  });
});

describe("signing out", () => {
  test("offers to erase only to somebody who can come back", async () => {
    await openPage("/me", new FakeEngine(unwritten));
    await press("로그아웃");
    expect(find("dialog").textContent).not.toContain("지우고 로그아웃");
  });

  test("erases when that was chosen", async () => {
    const engine = new FakeEngine(everything);
    engine.refuse("forget", "storage");
    await openPage("/me", engine);
    await press("로그아웃");
    await press("지우고 로그아웃");
    expect(engine.argsOf("forget")).toHaveLength(1);
  });
});

test("while the past is fetched the list says how far it is", async () => {
  const engine = new FakeEngine({ ...everything, restoring: { done: 3, of: 12 } });
  await openPage("/rooms", engine, "en");
  expect(visibleText()).toContain("3 of 12 chats");
  engine.show({ restoring: null });
  await settled();
  expect(visibleText()).not.toContain("3 of 12");
});

test.each([
  ["device_added", "앨리스 님이 새 기기를 더했어요"],
  ["device_dropped", "앨리스 님이 기기 하나를 뺐어요"],
] as const)("%s is a quiet line", async (kind, text) => {
  await openPage("/rooms", new FakeEngine(everything));
  const place = document.createElement("ul");
  const none = () => undefined;
  const drawing = {
    ...{ nowMs: 0, beginningHint: "", earlier: null, isOffline: false, canWrite: true, named: true },
    ...{ retry: none, edit: none, discard: none },
  };
  const row = { kind: "fact", key: "k", item: item({ kind, sender: alice, about: [bob] }) } as const;
  render(drawRow(row, drawing), place);
  expect(place.textContent).toContain(text);
});

describe("the time before a new start", () => {
  test("is opened by the key of then", async () => {
    const engine = new FakeEngine({ ...everything, me: { ...me, past: { state: "closed" } } });
    await openPage("/me", engine, "en");
    await press("Enter the former recovery key");
    await give(six);
    expect(engine.argsOf("bring_back")).toEqual([{ secret: six }]);
    engine.show({ me: { ...me, past: { state: "opening", done: 1, of: 3 } } });
    await settled();
    expect(visibleText()).toContain("looked into 1 of 3");
    engine.show({ me });
    await settled();
    expect(visibleText()).not.toContain("before you started again");
  });
});
