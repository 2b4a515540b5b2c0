// @vitest-environment happy-dom
import { describe, expect, test } from "vitest";
import { alice, bob, carol, FakeEngine, friend, gardenId, room } from "./fake_engine.ts";
import { button, everything, find, gardenPath, openPage, press, settled, type, visibleText } from "./page.ts";

describe("friends", () => {
  const withRequests = {
    ...everything,
    friends: {
      friends: [friend(bob), friend(carol)],
      received: [{ id: "r1", nickname: "민지", email: "minji@example.org", createdMs: 0 }],
      sent: [{ id: "s1", email: "dave@example.org", createdMs: 0 }],
    },
  };

  test("a request can be accepted, declined and withdrawn", async () => {
    const engine = new FakeEngine(withRequests);
    await openPage("/friends", engine);

    await press("민지 님의 요청 수락");
    await press("민지 님의 요청 거절");
    await press("dave@example.org에게 보낸 요청 취소");

    expect(engine.asked).toEqual([
      { name: "friend_request_accept", args: { id: "r1" } },
      { name: "friend_request_decline", args: { id: "r1" } },
      { name: "friend_request_withdraw", args: { id: "s1" } },
    ]);
  });

  test("the tab says how many requests wait", async () => {
    await openPage("/friends", new FakeEngine(withRequests));

    const tab = document.querySelector('.tab[href="/friends"]');
    expect(tab?.querySelector(".seen-by-readers")?.textContent).toBe("친구, 새 소식 1개");
    expect(tab?.querySelectorAll('[aria-hidden="true"]').length).toBeGreaterThan(1);
  });

  test("friends are found by their initials", async () => {
    await openPage("/friends", new FakeEngine(everything));
    expect(visibleText()).toContain("Carol");

    await type(".search", "ㅂ");

    expect(visibleText()).toContain("밥");
    expect(visibleText()).not.toContain("Carol");
  });

  test("adding by e-mail says the same for every address", async () => {
    const engine = new FakeEngine(everything);
    await openPage("/friends", engine);
    await press("친구 추가");

    await type("#add-friend-email", "nobody@example.org");
    find<HTMLFormElement>("gamrae-add-friend form").requestSubmit();
    await settled();

    expect(engine.argsOf("friend_request_send")).toEqual([{ email: "nobody@example.org" }]);
    expect(visibleText()).toContain("요청을 보냈어요");
  });

  test("asking too often says so and keeps the address", async () => {
    const engine = new FakeEngine(everything);
    engine.refuse("friend_request_send", "rate_limited");
    await openPage("/friends", engine);
    await press("친구 추가");

    await type("#add-friend-email", "bob@example.org");
    find<HTMLFormElement>("gamrae-add-friend form").requestSubmit();
    await settled();

    expect(visibleText()).toContain("잠시 후 다시");
    expect(find<HTMLInputElement>("#add-friend-email").value).toBe("bob@example.org");
  });

  test("a profile opens the room of two", async () => {
    const engine = new FakeEngine(everything);
    engine.answer("room_open_direct", { roomId: gardenId });
    await openPage("/friends", engine);
    find("gamrae-friends li button.row").click();
    await settled();

    await press("대화하기");

    expect(location.pathname).toBe(gardenPath);
    expect(document.querySelector("dialog")).toBeNull();
  });

  test("a friend is removed only after the consequence was confirmed", async () => {
    const engine = new FakeEngine(everything);
    await openPage("/friends", engine);
    find("gamrae-friends li button.row").click();
    await settled();

    await press("친구 끊기");
    expect(visibleText()).toContain("이미 나눈 대화는 그대로 남아요");
    await press("취소");
    expect(engine.argsOf("friend_remove")).toEqual([]);

    await press("친구 끊기");
    await press("친구 끊기");
    expect(engine.argsOf("friend_remove")).toHaveLength(1);
  });

  test("without friends the next step is named", async () => {
    await openPage("/friends", new FakeEngine({ ...everything, friends: { friends: [], received: [], sent: [] } }));

    expect(visibleText()).toContain("아직 친구가 없어요");
    expect(button("친구 추가")).toBeTruthy();
  });
});

describe("chats", () => {
  test("stand by last activity, with what is unread, failed and left", async () => {
    const rooms = [
      room({ roomId: gardenId, title: "오래된 방", lastAtMs: 1, left: "left" }),
      room({ roomId: gardenId.replace("9a", "9b"), title: "새 방", lastAtMs: 2, unread: 3, hasFailed: true }),
    ];
    await openPage("/rooms", new FakeEngine({ ...everything, rooms }));

    const rows = [...document.querySelectorAll("gamrae-rooms li")].map((row) => row.textContent);

    expect(rows[0]).toMatch(/새 방.*보내지 못한 메시지가 있어요.*안 읽은 메시지 3개/su);
    expect(rows[1]).toMatch(/오래된 방.*나간 대화/su);
    expect(document.title).toBe("(3) 채팅 · 감래");
  });

  test("are ordinary links, opened inside the page, and back works", async () => {
    await openPage("/rooms", new FakeEngine(everything));
    const link = find<HTMLAnchorElement>("gamrae-rooms li a");
    expect(link.getAttribute("href")).toBe(gardenPath);

    link.click();
    await settled();

    expect(location.pathname).toBe(gardenPath);
    expect(document.querySelector("gamrae-room")).not.toBeNull();
  });

  test("a group is made of chosen friends under a title", async () => {
    const engine = new FakeEngine(everything);
    engine.answer("room_create_group", { roomId: gardenId });
    await openPage("/rooms", engine);
    await press("새 대화");
    await press("그룹 대화");
    await type("#new-room-title", "  가족  ");
    for (const box of document.querySelectorAll<HTMLInputElement>(".picker input")) box.click();
    await settled();

    find<HTMLFormElement>("gamrae-new-room form").requestSubmit();
    await settled();

    expect(engine.argsOf("room_create_group")).toEqual([{ title: "가족", userIds: [bob.userId, carol.userId], keepsHistory: true }]);
    expect(location.pathname).toBe(gardenPath);
  });

  test("a friend who has never been here cannot be chosen", async () => {
    const friends = { friends: [friend(bob, { hasKeys: false })], received: [], sent: [] };
    await openPage("/rooms", new FakeEngine({ ...everything, friends }));

    await press("새 대화");

    expect(find<HTMLInputElement>(".picker input").disabled).toBe(true);
    expect(visibleText()).toContain("아직 접속한 적이 없어요");
  });

  test("a friend who gets keys while the dialog is open can be chosen at once", async () => {
    const friends = { friends: [friend(bob, { hasKeys: false })], received: [], sent: [] };
    const engine = new FakeEngine({ ...everything, friends });
    await openPage("/rooms", engine);
    await press("새 대화");
    expect(find<HTMLInputElement>(".picker input").disabled).toBe(true);

    engine.show({ friends: { ...friends, friends: [friend(bob), friend(carol)] } });
    await settled();

    const boxes = [...document.querySelectorAll<HTMLInputElement>(".picker input")];
    expect(boxes.map((box) => box.disabled)).toEqual([false, false]);
  });

  test("speak English to those who chose it", async () => {
    await openPage("/rooms", new FakeEngine({ ...everything, rooms: [] }), "en");

    expect(visibleText()).toContain("Start your first chat");
    expect(visibleText()).not.toMatch(/[가-힣]/u);
  });
});

describe("about a room", () => {
  const details = async (more: Parameters<typeof room>[0] = {}): Promise<FakeEngine> => {
    const engine = new FakeEngine({ ...everything, rooms: [room(more)] });
    await openPage(gardenPath, engine);
    await press("대화 정보");
    return engine;
  };
  const twoAdmins = { members: [{ ...alice, role: "admin" as const }, { ...bob, role: "admin" as const }] };

  test.each([
    ["나가기", "room_leave", "다시 들어오려면 초대가 필요해요"],
    ["내 목록에서 지우기", "room_hide", "새 메시지가 오면 다시 나타나요"],
    ["모두에게서 지우기", "room_delete", "되돌릴 수 없어요"],
  ] as const)("%s happens only after its consequence was confirmed", async (label, command, consequence) => {
    const engine = await details(twoAdmins);

    await press(label);
    expect(visibleText()).toContain(consequence);
    await press("취소");
    expect(engine.argsOf(command)).toEqual([]);

    await press(label);
    await press(label);
    expect(engine.argsOf(command)).toEqual([{ roomId: gardenId }]);
  });

  test("the last admin is told to name another before leaving", async () => {
    const engine = await details();

    await press("나가기");

    expect(visibleText()).toContain("다른 사람을 관리자로 지정해 주세요");
    expect(engine.argsOf("room_leave")).toEqual([]);
  });

  test.each([
    ["관리자로 지정", "room_make_admin"],
    ["내보내기", "room_remove_member"],
  ] as const)("an admin may: %s", async (label, command) => {
    const engine = await details();
    find(".details li button.row").click();
    await settled();

    await press(label);
    await press(label);

    expect(engine.argsOf(command)).toEqual([{ roomId: gardenId, userId: bob.userId }]);
  });

  test("a member who is no admin cannot remove, and cannot delete for everybody", async () => {
    await details({ isAdmin: false, members: [{ ...alice, role: "member" }, { ...carol, role: "admin" }] });
    expect(visibleText()).toContain("나가기");

    expect(visibleText()).not.toContain("모두에게서 지우기");
    find(".details li button.row").click();
    await settled();
    expect(visibleText()).not.toContain("내보내기");
  });

  test("only friends who are not inside can be invited", async () => {
    const engine = await details();
    await press("친구 초대");
    expect(document.querySelectorAll(".picker input")).toHaveLength(1);

    find<HTMLInputElement>(".picker input").click();
    await settled();
    await press("초대하기");

    expect(engine.argsOf("room_invite")).toEqual([{ roomId: gardenId, userIds: [carol.userId] }]);
  });

  test("a group is renamed", async () => {
    const engine = await details();
    await press("이름 바꾸기");

    await type("#rename-title", "새 이름");
    find<HTMLFormElement>("dialog form").requestSubmit();
    await settled();

    expect(engine.argsOf("room_rename")).toEqual([{ roomId: gardenId, title: "새 이름" }]);
  });
});
