import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Id } from "../../src/engine/contract";
import { openDB } from "idb";
import { type Person, World } from "./cast";
import { until } from "./clock";

let world: World;
let alice: Person;
let bob: Person;
let room: Id;

beforeEach(async () => {
  world = new World();
  [alice, bob] = (await world.friends("alice", "bob")) as [Person, Person];
  room = await alice.talkTo(bob);
  await bob.show(room);
});
afterEach(() => world.end());

describe("a page that is loaded again", () => {
  it("shows everything it had, without a network", async () => {
    await alice.say(room, "one");
    await bob.say(room, "two");
    await alice.sees("one", "two");
    await alice.allAre("stored");
    world.server.isUp = false;
    await alice.reload();
    await alice.show(room);
    await alice.sees("one", "two");
    expect(alice.room(room)?.title).toBe("bob");
    expect(alice.page.seen.me?.nickname).toBe("alice");
  });

  it("reads what came while it was closed", async () => {
    await alice.closeAll();
    for (const text of ["1", "2", "3", "4", "5", "6", "7"]) await bob.say(room, text);
    await bob.allAre("stored");
    await alice.reload();
    await alice.online();
    await alice.show(room);
    await alice.sees("1", "2", "3", "4", "5", "6", "7");
    expect(alice.room(room)?.unread).toBe(7);
  });

  it("pages back through what is older", async () => {
    await alice.closeAll();
    const texts = Array.from({ length: 110 }, (_, at) => `m${at}`);
    for (const text of texts) await bob.say(room, text);
    const log = world.server.room(room).log;
    await until(() => log.length > texts.length, "not all were sent");
    await alice.reload();
    await alice.online();
    await until(() => (alice.room(room)?.unread ?? 0) === texts.length, "not all came");
    await alice.ask("room_read", { roomId: room, seq: 1_000 });
    await alice.reload();
    await alice.show(room);
    expect(alice.page.texts).toHaveLength(100);
    expect(alice.page.seen.timeline?.hasOlder).toBe(true);
    await alice.ask("timeline_older", { roomId: room });
    expect(alice.page.texts).toEqual(texts);
    expect(alice.page.seen.timeline?.hasOlder).toBe(false);
  });

  it("keeps a draft", async () => {
    await alice.ask("draft_save", { roomId: room, text: "half a thou" });
    await alice.reload();
    await alice.online();
    expect(await alice.ask("draft_load", { roomId: room })).toEqual({ text: "half a thou" });
  });
});

describe("a second tab", () => {
  it("sends and reads through the first, and takes over when it closes", async () => {
    const first = alice.page;
    const second = await alice.open();
    await alice.online();
    await alice.show(room);
    await alice.say(room, "from the second");
    await bob.sees("from the second");
    await alice.sees("from the second");
    expect(world.server.sockets.size).toBe(2);
    await alice.close(first);
    await until(() => second.seen.connection?.state === "online", "nobody took over");
    await alice.say(room, "after the first");
    await bob.sees("from the second", "after the first");
    await alice.allAre("stored");
  });

  it("has its question answered by whoever leads", async () => {
    await alice.open();
    await alice.online();
    const { number } = await alice.ask("safety_number", { userId: bob.id });
    expect(number).toHaveLength(60);
  });

  it("learns that another tab signed out and forgot everything", async () => {
    const first = alice.page;
    await alice.open();
    await alice.online();
    await first.ask("forget", {});
    await until(() => alice.page.seen.phase === "signed_out", "still there");
    expect((await indexedDB.databases()).map(({ name }) => name)).not.toContain(alice.database);
  });
});

describe("a browser", () => {
  it("without the keys of an account that has some says so", async () => {
    await alice.closeAll();
    indexedDB.deleteDatabase(alice.database);
    await alice.reload();
    await until(() => alice.page.seen.phase === "no_keys_here", "it made other keys");
  });

  it("keeps no word, name, title or key that can be read at rest", async () => {
    await alice.say(room, "canary-words");
    await alice.sees("canary-words");
    await alice.ask("draft_save", { roomId: room, text: "canary-draft" });
    await alice.allAre("stored");
    const database = await openDB(alice.database);
    const found: string[] = [];
    for (const table of database.objectStoreNames) {
      for (const row of (await database.getAll(table)) as unknown[]) found.push(readable(row));
    }
    database.close();
    expect(found.length).toBeGreaterThan(10);
    for (const word of ["canary", "alice", "bob", "example.org"]) {
      expect(found.filter((text) => text.includes(word))).toEqual([]);
    }
  });
});

/** Every byte and text of a row, as text. */
function readable(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1");
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return "";
  return Object.values(value).map(readable).join(" ");
}
