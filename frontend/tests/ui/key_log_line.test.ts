// @vitest-environment happy-dom
import { describe, expect, test } from "vitest";
import { FakeEngine } from "./fake_engine.ts";
import { everything, openPage, settled, visibleText } from "./page.ts";

describe("the key log", () => {
  test.each(["refused", "split"] as const)("that is %s is said as long as it is", async (keyLog) => {
    const engine = new FakeEngine({ ...everything, keyLog });
    await openPage("/rooms", engine);
    expect(visibleText()).toContain("서로 다른 기기 목록");

    engine.show({ keyLog: "none" });
    await settled();

    expect(visibleText()).not.toContain("서로 다른 기기 목록");
    expect(engine.argsOf("key_log_seen")).toEqual([]);
  });

  test("that began again is said once", async () => {
    const engine = new FakeEngine({ ...everything, keyLog: "began_again" });
    await openPage("/rooms", engine, "en");
    await settled();

    expect(visibleText()).toContain("began a new record");
    expect(engine.argsOf("key_log_seen")).toEqual([{}]);
  });
});
