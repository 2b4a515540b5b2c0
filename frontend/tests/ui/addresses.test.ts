// @vitest-environment happy-dom
import { describe, expect, test } from "vitest";
import { badgeNumber, byteLength, dayName, initialOf, shortTime } from "../../src/ui/format.ts";
import { pathOf, routeOf, routeOfClick, type Click } from "../../src/ui/router.ts";

const roomId = "0d3adb33-f000-4000-8000-000000000001";
const origin = "https://chat.example";

describe("addresses", () => {
  test.each([
    ["/", { page: "rooms" }],
    ["/rooms", { page: "rooms" }],
    ["/rooms/", { page: "rooms" }],
    ["/friends", { page: "friends" }],
    ["/me", { page: "me" }],
    [`/rooms/${roomId}`, { page: "room", roomId }],
    ["/rooms/not-an-id", { page: "unknown" }],
    [`/rooms/${roomId}/more`, { page: "unknown" }],
    ["/friends/x", { page: "unknown" }],
    ["/__proto__", { page: "unknown" }],
  ])("%s", (path, route) => {
    expect(routeOf(path)).toEqual(route);
  });

  test("a route and its path are the same thing", () => {
    expect(routeOf(pathOf({ page: "room", roomId }))).toEqual({ page: "room", roomId });
  });
});

describe("a click on a link", () => {
  const plain: Click = {
    button: 0, metaKey: false, ctrlKey: false, shiftKey: false, altKey: false, defaultPrevented: false,
  };
  const link = (href: string, attributes: Record<string, string> = {}): HTMLAnchorElement => {
    const made = document.createElement("a");
    made.setAttribute("href", href);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };

  test("opens one of our screens inside the page", () => {
    expect(routeOfClick(plain, link(`${origin}/friends`), origin)).toEqual({ page: "friends" });
  });

  test.each<[string, Click, HTMLAnchorElement]>([
    ["with Ctrl", { ...plain, ctrlKey: true }, link(`${origin}/friends`)],
    ["with the middle button", { ...plain, button: 1 }, link(`${origin}/friends`)],
    ["to another site", plain, link("https://elsewhere.example/friends")],
    ["to an account page", plain, link(`${origin}/accounts/password/change/`)],
    ["for a new tab", plain, link(`${origin}/friends`, { target: "_blank" })],
    ["that somebody else has handled", { ...plain, defaultPrevented: true }, link(`${origin}/friends`)],
  ])("%s is left to the browser", (_name, click, to) => {
    expect(routeOfClick(click, to, origin)).toBeNull();
  });
});

describe("times and sizes", () => {
  const now = new Date(2026, 6, 10, 15, 20).getTime();
  const at = (...parts: [number, number, number, number, number]): number => new Date(...parts).getTime();
  const names = { today: "오늘", yesterday: "어제" };

  test("days are named as people name them", () => {
    expect(dayName(at(2026, 6, 10, 0, 0), now, names, "ko")).toBe("오늘");
    expect(dayName(at(2026, 6, 9, 23, 59), now, names, "ko")).toBe("어제");
    expect(dayName(at(2026, 6, 1, 9, 0), now, names, "ko")).toBe("7월 1일 수요일");
    expect(dayName(at(2025, 6, 1, 9, 0), now, names, "en")).toBe("Tuesday, July 1, 2025");
  });

  test("a list shows the shortest time that is clear", () => {
    expect(shortTime(at(2026, 6, 10, 15, 5), now, "어제", "ko")).toBe("오후 3:05");
    expect(shortTime(at(2026, 6, 9, 15, 5), now, "Yesterday", "en")).toBe("Yesterday");
    expect(shortTime(at(2026, 0, 9, 15, 5), now, "Yesterday", "en")).toBe("Jan 9");
    expect(shortTime(at(2024, 0, 9, 15, 5), now, "어제", "ko")).toBe("2024. 1. 9.");
  });

  test("letters are counted as people see them, bytes as they travel", () => {
    expect(initialOf("  가람", "ko")).toBe("가");
    expect(initialOf("👨‍👩‍👧 family", "en")).toBe("👨‍👩‍👧");
    expect(initialOf("", "ko")).toBe("?");
    expect(byteLength("가a👍")).toBe(8);
    expect([7, 999, 1000].map(badgeNumber)).toEqual(["7", "999", "999+"]);
  });
});
