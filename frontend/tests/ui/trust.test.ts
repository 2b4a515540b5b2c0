// @vitest-environment happy-dom
import { describe, expect, test } from "vitest";
import type { FriendTrust } from "../../src/engine/contract.ts";
import { alice, bob, carol, comparison, FakeEngine, friend, gardenId, room } from "./fake_engine.ts";
import { button, everything, find, gardenPath, openPage, press, settled, type, visibleText } from "./page.ts";

const direct = room({ kind: "direct", title: bob.nickname, isAdmin: false, members: [alice, bob].map((one) => ({ ...one, role: "member" })) });

function withBob(trust: FriendTrust): FakeEngine {
  const friends = { friends: [friend(bob, { trust })], received: [], sent: [] };
  return new FakeEngine({ ...everything, friends, rooms: [direct] });
}

async function openCompare(engine: FakeEngine): Promise<void> {
  await openPage("/friends", engine);
  find("gamrae-friends section button.row").click();
  await settled();
  await press("안전 번호 비교");
}

describe("comparing with a friend", () => {
  test("shows the number in groups, both halves and one QR code", async () => {
    await openCompare(withBob("unverified"));

    const [both, mine, theirs] = [...document.querySelectorAll("gamrae-compare .digits")];
    expect(both?.querySelectorAll("span")).toHaveLength(12);
    expect([mine, theirs].map((half) => half?.querySelectorAll("span").length)).toEqual([6, 6]);
    expect(find("svg.qr").getAttribute("aria-label")).toBe("밥 님과 비교하는 QR 코드");
    expect(find("svg.qr path").getAttribute("d")).toMatch(/^M\d/);
  });

  test("marks just the key that was on the screen", async () => {
    const engine = withBob("unverified");
    await openCompare(engine);

    await press("확인했어요");

    const { accountKey } = comparison;
    expect(engine.argsOf("friend_mark")).toEqual([{ userId: bob.userId, accountKey, isSame: true }]);
    expect(document.querySelector("gamrae-compare")).toBeNull();
  });

  test("says what the other's code came to, and lets nobody confirm a different one", async () => {
    const engine = withBob("unverified");
    engine.answer("safety_judge", { verdict: "different" });
    await openCompare(engine);

    await type("#their-code", "AAAA");
    find<HTMLFormElement>("gamrae-compare form").requestSubmit();
    await settled();

    expect(visibleText()).toContain("코드가 달라요");
    expect((button("확인했어요") as HTMLButtonElement).disabled).toBe(true);
  });

  test("says why the number cannot be shown", async () => {
    const engine = withBob("unverified");
    engine.refuse("safety_number", "keys_missing");
    await openCompare(engine);

    expect(find("gamrae-compare .problem").textContent).toContain("상대가 아직");
    expect(document.querySelector("gamrae-compare .digits")).toBeNull();
  });

  test("can be taken back", async () => {
    const engine = withBob("verified");
    await openCompare(engine);

    await press("확인 취소");

    expect(engine.argsOf("friend_mark")).toMatchObject([{ isSame: false }]);
  });
});

describe("what is known of a friend's account", () => {
  test("verified stands in the list, the profile and the head of the chat", async () => {
    await openPage("/friends", withBob("verified"));
    expect(find("gamrae-friends section .row").textContent).toContain("확인됨");
    find("gamrae-friends section button.row").click();
    await settled();
    expect(find("gamrae-friend-profile .profile-name").textContent).toContain("확인됨");

    await openPage(gardenPath, withBob("verified"));
    expect(find("gamrae-room .room-head").textContent).toContain("확인됨");
    expect(gardenPath).toContain(gardenId);
  });

  test("nothing is said of a friend with whom nothing was compared", async () => {
    await openPage(gardenPath, withBob("unverified"));

    expect(visibleText()).not.toContain("확인됨");
    expect(document.querySelector(".trust-bar, .trust-line")).toBeNull();
  });

  test("a changed account is one quiet line, without a mark", async () => {
    await openPage(gardenPath, withBob("changed"));

    expect(find(".trust-line").getAttribute("role")).toBe("status");
    expect(document.querySelector(".trust-bar")).toBeNull();
  });

  test("a verified friend's changed account is a bar that leads to comparing", async () => {
    await openPage(gardenPath, withBob("verified_changed"));

    const bar = find(".trust-bar");
    expect(bar.getAttribute("role")).toBe("alert");
    expect(bar.textContent).toContain("밥 님의 계정이 바뀌었어요");
    expect(find("gamrae-room .room-head").textContent).not.toContain("확인됨");
    await press("안전 번호 비교");
    expect(find("gamrae-compare").textContent).toContain("비교하지 않고 계속하기");
  });

  test("going on without comparing asks first", async () => {
    const engine = withBob("verified_changed");
    await openPage(gardenPath, engine);
    await press("안전 번호 비교");

    await press("비교하지 않고 계속하기");
    expect(engine.argsOf("friend_mark")).toEqual([]);
    await press("계속하기");

    expect(engine.argsOf("friend_mark")).toMatchObject([{ isSame: false }]);
  });
});

describe("a member of a room who is no friend", () => {
  test("is marked where their account changed, and gone on with after a look", async () => {
    const members = [{ ...alice, role: "admin" as const }, { ...carol, role: "member" as const, trust: "changed" as const }];
    const friends = { friends: [], received: [], sent: [] };
    const engine = new FakeEngine({ ...everything, friends, rooms: [room({ isAdmin: false, members })] });
    await openPage(gardenPath, engine);
    find(".details-button").click();
    await settled();
    expect(find("gamrae-room-details").textContent).toContain("계정 바뀜");

    find("gamrae-room-details .items-list button.row").click();
    await settled();
    await press("안전 번호 비교");
    await press("비교하지 않고 계속하기");
    await press("계속하기");

    const { accountKey } = comparison;
    expect(engine.argsOf("friend_mark")).toEqual([{ userId: carol.userId, accountKey, isSame: false }]);
  });
});

describe("the name of a device", () => {
  test("is given in a sheet and said of the right device", async () => {
    const engine = new FakeEngine(everything);
    const device = { deviceId: "d1", name: "", createdMs: 0, lastUsedMs: null, isThis: true };
    engine.answer("devices_list", { devices: [device] });
    await openPage("/me", engine);

    await press("‘이 기기’ 이름 바꾸기");
    await type("#device-name", " 부엌 노트북 ");
    find<HTMLFormElement>("gamrae-device-name form").requestSubmit();
    await settled();

    expect(engine.argsOf("device_rename")).toEqual([{ deviceId: "d1", name: "부엌 노트북" }]);
    expect(visibleText()).toContain("이름을 저장했어요");
  });
});
