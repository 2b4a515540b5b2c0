// @vitest-environment happy-dom
import { describe, expect, test } from "vitest";
import { FakeEngine } from "./fake_engine.ts";
import { everything, find, openPage, press, settled, visibleText } from "./page.ts";

const HOUR = 3_600_000;
const waiting = (hours: number, isMine = true) => ({
  announcedMs: Date.now() - HOUR,
  dueMs: Date.now() + hours * HOUR - 1_000,
  isMine,
});

async function submit(password: string): Promise<void> {
  const field = find<HTMLInputElement>("#start-again-password");
  field.value = password;
  field.form?.dispatchEvent(new SubmitEvent("submit", { bubbles: true, cancelable: true }));
  await settled();
}

describe("a browser without keys", () => {
  test("says what stays and what goes, and asks for the password once more", async () => {
    const engine = new FakeEngine({ phase: "no_keys_here" });
    await openPage("/rooms", engine);
    expect(visibleText()).toContain("남는 것");
    expect(visibleText()).toContain("사라지는 것");
    await press("새로 시작하기");
    await submit("correct horse");
    expect(engine.argsOf("reset_begin")).toEqual([{ password: "correct horse" }]);
  });

  test("says that a password is wrong, and keeps the form", async () => {
    const engine = new FakeEngine({ phase: "no_keys_here" });
    engine.refuse("reset_begin", "password");
    await openPage("/rooms", engine);
    await press("새로 시작하기");
    await submit("a guess");
    expect(find("dialog [role=alert]").textContent).toContain("비밀번호가 맞지 않아요");
  });

  test("shows how long it waits, and takes it back", async () => {
    const engine = new FakeEngine({ phase: "no_keys_here", startingAgain: waiting(71) });
    await openPage("/rooms", engine);
    expect(visibleText()).toContain("71시간 남았어요");
    expect(visibleText()).not.toContain("지금 새로 시작하기");
    await press("그만두기");
    expect(engine.argsOf("reset_withdraw")).toEqual([{}]);
  });

  test("starts again once it is due, after one more question", async () => {
    const engine = new FakeEngine({ phase: "no_keys_here", startingAgain: waiting(0) });
    await openPage("/rooms", engine, "en");
    await press("Start again now");
    expect(engine.argsOf("reset_finish")).toEqual([]);
    await press("Start again now");
    expect(engine.argsOf("reset_finish")).toEqual([{}]);
  });

  test("still takes the recovery key while it waits", async () => {
    await openPage("/rooms", new FakeEngine({ phase: "no_keys_here", startingAgain: waiting(5) }));
    expect(find("#recovery-secret")).toBeTruthy();
  });

  test("that did not begin it only offers to stop it", async () => {
    const engine = new FakeEngine({ phase: "no_keys_here", startingAgain: waiting(0, false) });
    await openPage("/rooms", engine);
    expect(visibleText()).not.toContain("지금 새로 시작하기");
    await press("멈추기");
    expect(engine.argsOf("reset_withdraw")).toEqual([{}]);
  });
});

describe("a device of the account", () => {
  test("says it on every screen, and stops it with one press", async () => {
    const engine = new FakeEngine({ ...everything, startingAgain: waiting(10, false) });
    await openPage("/friends", engine);
    const bar = [...document.querySelectorAll("[role=alert]")].find((each) => each.textContent.includes("10시간"));
    expect(bar?.textContent).toContain("직접 한 게 아니라면");
    await press("멈추기");
    expect(engine.argsOf("reset_veto")).toEqual([{}]);
    engine.show({ startingAgain: null });
    await settled();
    expect(visibleText()).not.toContain("직접 한 게 아니라면");
  });
});
