import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Id } from "../../src/engine/contract";
import { type Person, World } from "./cast";
import { settled, until } from "./clock";
import { Problem } from "./server_asked";

let world: World;
let alice: Person;
let bob: Person;
let carol: Person;
let room: Id;

async function group(...people: Person[]): Promise<Id> {
  const userIds = people.map((person) => person.id);
  const { roomId } = await alice.ask("room_create_group", { title: "정원", userIds });
  for (const person of [alice, ...people]) await person.show(roomId);
  return roomId;
}

beforeEach(async () => {
  world = new World();
  const everybody = await world.friends("alice", "bob", "carol");
  [alice, bob, carol] = everybody as [Person, Person, Person];
});
afterEach(() => world.end());

describe("a new room", () => {
  it("is begun, and begun once, although the queue was away at first", async () => {
    let asked = 0;
    world.server.lies["POST rooms"] = (honest) => {
      asked += 1;
      if (asked < 3) throw new Problem("unavailable", 503);
      return honest();
    };

    const opening = alice.ask("room_open_direct", { userId: bob.id });
    for (const times of [1, 2]) {
      await until(() => asked === times, "it was not asked again");
      await settled();
      await world.clock.advance(2_000);
    }

    const { roomId } = await opening;
    expect([...world.server.rooms.keys()]).toEqual([roomId]);
  });
});

describe("a group", () => {
  it.each(["not_found", "rate_limited"])("is begun although asking for many keys is refused: %s", async (code) => {
    let asked = 0;
    world.server.lies["POST users/keys"] = () => {
      asked += 1;
      throw new Problem(code, code === "not_found" ? 404 : 429);
    };

    const garden = await group(bob, carol);

    expect(asked).toBeGreaterThan(0);
    expect(alice.room(garden)?.title).toBe("정원");
  });

  it("has a title that every member opens, and everybody hears everybody", async () => {
    room = await group(bob, carol);
    await until(() => carol.room(room)?.title === "정원", "no title");
    await bob.say(room, "hi");
    for (const person of [alice, bob, carol]) await person.sees("hi");
    expect(carol.page.kinds[0]).toBe("created");
  });

  it("is renamed, and the line says by whom", async () => {
    room = await group(bob);
    await alice.ask("room_rename", { roomId: room, title: "마당" });
    await until(() => bob.room(room)?.title === "마당", "the title stayed");
    await until(() => bob.page.kinds.includes("renamed"), "no line");
    const line = bob.page.seen.timeline!.items.find((item) => item.kind === "renamed");
    expect([line?.sender?.nickname, line?.text]).toEqual(["alice", "마당"]);
  });

  it("takes in somebody who reads what comes after, not what was before", async () => {
    room = await group(bob);
    await alice.say(room, "before");
    await bob.sees("before");
    await alice.ask("room_invite", { roomId: room, userIds: [carol.id] });
    await carol.show(room);
    await bob.say(room, "after");
    await carol.sees("after");
    await bob.sees("before", "after");
    expect(carol.page.kinds).toContain("joined");
  });

  it("lets go of a member, who keeps what they had and can no longer read or write", async () => {
    room = await group(bob, carol);
    await carol.say(room, "bye");
    await alice.sees("bye");
    await carol.sees("bye");
    await alice.ask("room_remove_member", { roomId: room, userId: carol.id });
    await until(() => carol.room(room)?.left === "removed", "carol does not know");
    await alice.say(room, "secret");
    await bob.sees("bye", "secret");
    await carol.sees("bye");
    expect(carol.room(room)?.canWrite).toBe(false);
    await carol.say(room, "still here?");
    await carol.lastIs("failed");
    await bob.sees("bye", "secret");
  });

  it("rotates its secret when a member leaves, by somebody else's commit", async () => {
    room = await group(bob, carol);
    const before = world.server.room(room).commits.length;
    await carol.ask("room_leave", { roomId: room });
    await until(() => world.server.room(room).commits.length > before, "nobody committed");
    await until(() => carol.room(room)?.left === "left", "carol did not leave");
    expect(world.server.room(room).head.committer_user).not.toBe(carol.id);
    await bob.say(room, "only us");
    await alice.sees("only us");
    await until(() => alice.page.kinds.includes("left"), "no line");
  });

  it("can be handed on to another admin", async () => {
    room = await group(bob);
    await alice.ask("room_make_admin", { roomId: room, userId: bob.id });
    await until(() => bob.room(room)?.isAdmin === true, "bob is no admin");
  });

  it("that is deleted for everybody is gone from every store", async () => {
    room = await group(bob);
    await alice.say(room, "words");
    await bob.sees("words");
    await alice.ask("room_delete", { roomId: room });
    await until(() => bob.room(room) === undefined, "bob still has it");
    await until(() => alice.room(room) === undefined, "alice still has it");
  });
});

describe("a direct room", () => {
  it("is one room when both open it", async () => {
    room = await alice.talkTo(bob);
    expect(await bob.talkTo(alice)).toBe(room);
    expect(world.server.rooms.size).toBe(1);
    expect(bob.room(room)?.title).toBe("alice");
  });

  it("that was hidden comes back with the next message", async () => {
    room = await alice.talkTo(bob);
    await bob.show(room);
    await bob.ask("room_hide", { roomId: room });
    await until(() => bob.room(room) === undefined, "still listed");
    await alice.say(room, "knock");
    await until(() => bob.room(room)?.lastText === "knock", "did not come back");
  });

  it("counts what is unread until it is read, and tells the sender", async () => {
    room = await alice.talkTo(bob);
    await alice.say(room, "one");
    await alice.say(room, "two");
    await until(() => bob.room(room)?.unread === 2, "not counted");
    await bob.show(room);
    expect(bob.page.seen.timeline?.unreadAfter).toBe(0);
    const last = bob.page.seen.timeline!.items.at(-1)!;
    expect(alice.page.seen.timeline!.items.at(-1)!.unreadBy).toBe(1);
    await bob.ask("room_read", { roomId: room, seq: last.seq });
    await until(() => bob.room(room)?.unread === 0, "still unread");
    await world.clock.advance(1_000);
    await until(() => alice.page.seen.timeline!.items.at(-1)!.unreadBy === 0, "nobody told alice");
  });

  it("has one safety number for both", async () => {
    room = await alice.talkTo(bob);
    await bob.show(room);
    const one = await alice.ask("safety_number", { userId: bob.id });
    const other = await bob.ask("safety_number", { userId: alice.id });
    expect(one.number).toBe(other.number);
    expect(one.number).toMatch(/^[0-9]{60}$/);
  });
});
