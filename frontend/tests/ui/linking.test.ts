// @vitest-environment happy-dom
import { describe, expect, test } from "vitest";
import { FakeEngine } from "./fake_engine.ts";
import { everything, find, openPage, press, settled, visibleText } from "./page.ts";

const shown = { code: "ABCD-EFGH-JKMN-PQRS-TVWX-YZ01", compare: "123456", leftMs: 285_000 };

/** An engine whose waits are answered when the test says so. */
class WaitingEngine extends FakeEngine {
  private settle: (state: "taken" | "linked") => void = () => undefined;

  override command: FakeEngine["command"] = async (name, args) => {
    if (name !== "link_wait") return super.command(name, args);
    const state = await new Promise<"taken" | "linked">((resolve) => (this.settle = resolve));
    return { state } as never;
  };

  async tell(state: "taken" | "linked"): Promise<void> {
    this.settle(state);
    await settled();
  }
}

async function give(field: string, text: string): Promise<void> {
  const input = find<HTMLInputElement | HTMLTextAreaElement>(field);
  input.value = text;
  input.form?.dispatchEvent(new SubmitEvent("submit", { bubbles: true, cancelable: true }));
  await settled();
}

describe("a browser without keys", () => {
  test("shows a code as text and as a picture, and the number to compare", async () => {
    const engine = new WaitingEngine({ phase: "no_keys_here" });
    engine.answer("link_show", shown);
    await openPage("/rooms", engine);
    await press("코드 보기");
    expect(find(".link-code").textContent).toBe(shown.code);
    expect(find(".link-compare").textContent).toBe("123 456");
    expect(find(".qr path").getAttribute("d")?.startsWith("M4 4h1v1h-1z")).toBe(true);
    expect(visibleText()).toContain("기다리는 중이에요");
    await engine.tell("taken");
    expect(visibleText()).toContain("쓰던 기기가 코드를 읽었어요");
  });

  test("stops showing it when its owner cancels", async () => {
    const engine = new WaitingEngine({ phase: "no_keys_here" });
    engine.answer("link_show", shown);
    await openPage("/rooms", engine);
    await press("코드 보기");
    await press("취소");
    expect(engine.argsOf("link_cancel")).toHaveLength(1);
    expect(document.querySelector(".link-code")).toBeNull();
  });

  test.each([
    ["link_gone", "새 코드를 보고 다시"],
    ["link_expired", "시간이 지나서"],
    ["link_untrue", "코드와 맞지 않는 답"],
  ])("says of %s what it is and offers another code", async (code, text) => {
    const engine = new FakeEngine({ phase: "no_keys_here" });
    engine.answer("link_show", shown);
    engine.refuse("link_wait", code);
    await openPage("/rooms", engine);
    await press("코드 보기");
    expect(find("[role=alert]").textContent).toContain(text);
    expect(document.querySelector(".link-code")).toBeNull();
    await press("새 코드 보기");
    expect(engine.argsOf("link_show")).toHaveLength(2);
  });
});

describe("linking in 나", () => {
  async function asked(engine: FakeEngine): Promise<void> {
    engine.answer("link_read", { compare: "123456", leftMs: 200_000 });
    await openPage("/me", engine);
    await press("기기 연결");
    await give("#link-code", "abcd efgh");
  }

  test("shows the number, takes the recovery key, and is done", async () => {
    const engine = new FakeEngine(everything);
    await asked(engine);
    expect(engine.argsOf("link_read")).toEqual([{ code: "abcd efgh" }]);
    expect(find(".link-compare").textContent).toBe("123 456");
    await give("dialog #recovery-secret", "six words");
    expect(engine.argsOf("link_accept")).toEqual([{ secret: "six words" }]);
    expect(document.querySelector("dialog")).toBeNull();
    expect(engine.argsOf("link_refuse")).toEqual([]);
  });

  test("refuses the device when its owner says so, or closes the page", async () => {
    const engine = new FakeEngine(everything);
    await asked(engine);
    await press("연결하지 않기");
    expect(engine.argsOf("link_refuse")).toHaveLength(1);
    expect(engine.argsOf("link_accept")).toEqual([]);
  });

  test("keeps what was typed when the code is wrong", async () => {
    const engine = new FakeEngine(everything);
    engine.refuse("link_read", "link_code");
    await openPage("/me", engine);
    await press("기기 연결");
    await give("#link-code", "abcd");
    expect(find("dialog [role=alert]").textContent).toContain("네 글자씩");
    expect(find<HTMLInputElement>("#link-code").value).toBe("abcd");
  });

  test("begins with another code when time ran out, and stays for a wrong recovery key", async () => {
    const engine = new FakeEngine(everything);
    engine.refuse("link_accept", "recovery_secret");
    await asked(engine);
    await give("dialog #recovery-secret", "wrong words");
    expect(find(".link-compare").textContent).toBe("123 456");
    engine.refuse("link_accept", "link_expired");
    await give("dialog #recovery-secret", "six words");
    expect(document.querySelector(".link-compare")).toBeNull();
    expect(find("dialog [role=alert]").textContent).toContain("시간이 지나서");
  });
});
