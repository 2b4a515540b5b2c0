/** Rooms that keep no history, and what comes back of those that do. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Commit, commitHash } from "../../src/crypto/commit";
import { decodeBase64url, encodeBase64url, hex } from "../../src/crypto/encoding";
import { sealHistory } from "../../src/crypto/history";
import { Api } from "../../src/engine/api";
import type { Id } from "../../src/engine/contract";
import { idBytes } from "../../src/engine/ids";
import { Keyring } from "../../src/engine/keys";
import { LATE_MS } from "../../src/engine/letting_go";
import { browserPlatform } from "../../src/engine/platform";
import { readEpoch, readRoom } from "../../src/engine/records";
import { bodyOfItem, keyOfItem } from "../../src/engine/store/reopen";
import { Store } from "../../src/engine/store/store";
import type { HistoryRecordJson } from "../../src/engine/wire";
import { type Person, World } from "./cast";
import { settled, until } from "./clock";
import { Forgery, garbageLike } from "./forgery";

let world: World;
let alice: Person;
let bob: Person;
let carol: Person;
beforeEach(async () => {
  world = new World();
  [alice, bob, carol] = (await world.friends("alice", "bob", "carol")) as [Person, Person, Person];
});
afterEach(() => world.end());

const DAY_MS = 24 * 3600 * 1000;

async function group(keepsHistory: boolean): Promise<Id> {
  const people = { title: "garden", userIds: [bob.id] };
  const { roomId } = await alice.ask("room_create_group", { ...people, keepsHistory });
  await alice.show(roomId);
  await bob.show(roomId);
  return roomId;
}

async function says(person: Person, room: Id, text: string): Promise<void> {
  await person.say(room, text);
  await person.allAre("stored");
}

const recordsOf = (room: Id) => world.server.room(room).records;
const unreadables = (person: Person) =>
  (person.page.seen.timeline?.items ?? []).map((item) => item.unreadable).filter((one) => one !== null);

describe("a room that keeps no history", () => {
  it("says so to everybody, and nobody writes a record", async () => {
    const quiet = await group(false);
    const loud = await group(true);
    await says(alice, loud, "kept");
    await bob.show(quiet);
    await says(bob, quiet, "not kept");
    await until(() => recordsOf(loud).length === 2, "the other room has no records");
    for (const person of [alice, bob]) {
      await until(() => person.room(quiet)?.keepsHistory === false, `${person.name} does not know`);
      expect(person.room(loud)?.keepsHistory).toBe(true);
    }
    await settled();
    expect(recordsOf(quiet)).toEqual([]);
  });

  it("may be a direct one", async () => {
    const { roomId } = await alice.ask("room_open_direct", { userId: bob.id, keepsHistory: false });
    await until(() => bob.room(roomId)?.keepsHistory === false, "bob does not know");
    const again = await bob.ask("room_open_direct", { userId: alice.id, keepsHistory: true });
    expect(again.roomId).toBe(roomId);
    expect(bob.room(roomId)?.keepsHistory).toBe(false);
  });

  it("tells a restored browser why older lines are not there, and goes on with it", async () => {
    const room = await group(false);
    await says(alice, room, "before the laptop");
    const words = await alice.words();
    await alice.closeAll();
    const laptop = world.elsewhere(alice);
    await laptop.restore(words);
    await until(() => world.server.room(room).commits.length === 2, "the room was not entered");
    await laptop.show(room);
    await until(() => unreadables(laptop).length === 1, "nothing is said");
    expect(unreadables(laptop)).toEqual(["not_kept"]);
    expect(laptop.room(room)).toMatchObject({ keepsHistory: false, canWrite: true, title: "" });

    await says(bob, room, "welcome");
    await until(() => laptop.page.texts.includes("welcome"), "nothing new is read");

    expect(laptop.room(room)?.title).toBe("garden");
    await says(laptop, room, "thanks");
    await bob.sees("before the laptop", "welcome", "thanks");
  });

  it("opens nothing by a genuine record that is handed out all the same", async () => {
    world.server.lies["POST rooms/*/wraps/ack"] = () => null;
    const room = await group(false);
    await says(alice, room, "sealed");
    const record = await genuineRecord(room);
    const words = await alice.words();
    await alice.closeAll();
    world.server.lies["GET rooms/*/history-records"] = () => ({ records: [record] });
    const laptop = world.elsewhere(alice);

    await laptop.restore(words);

    await laptop.show(room);
    await until(() => unreadables(laptop).length === 1, "nothing is said");
    expect(unreadables(laptop)).toEqual(["not_kept"]);
  });
});

/** What alice's device would have sealed for epoch 0, were the room another one. */
async function genuineRecord(room: Id): Promise<HistoryRecordJson> {
  const store = await Store.open(alice.id, () => undefined);
  const origin = "https://chat.example";
  const keyring = await Keyring.load(store, { api: new Api(browserPlatform, origin, ""), platform: browserPlatform, origin });
  const { commits, wraps } = world.server.room(room);
  const { core, tag, sig, ops, state, prekeys } = commits[0]!;
  const wrap = decodeBase64url(wraps.get(`${alice.session.device}/0`)!);
  const commit: Commit = {
    ...{ core: decodeBase64url(core), tag: decodeBase64url(tag), sig: decodeBase64url(sig) },
    ...{ ops: decodeBase64url(ops), state: decodeBase64url(state), prekeys: decodeBase64url(prekeys) },
    wraps: new Map([[hex(idBytes(alice.session.device!)), wrap]]),
  };
  const secret = (await keyring!.source()).secret(commit);
  const name = { room: idBytes(room), epoch: 0, commitHash: commitHash(commit) };
  const { bkVersion, record, sig: recordSig } = await sealHistory(await keyring!.historyWriter(), name, secret);
  store.close();
  return {
    ...{ epoch: 0, commit_hash: encodeBase64url(name.commitHash), bk_version: bkVersion },
    ...{ writer_device: alice.session.device!, record: encodeBase64url(record), sig: encodeBase64url(recordSig) },
  };
}

/** What bob's store still has that opens something of an epoch, and the texts it shows. */
async function heldByBob(room: Id, epoch: number): Promise<{ keys: number; texts: (string | null)[] }> {
  const store = await Store.open(bob.id, () => undefined);
  const state = (await readEpoch(store, room, epoch))!.state;
  const range = IDBKeyRange.bound([room, 1], [room, Infinity]);
  const rows = await store.tables.getAllFromIndex("items", "bySeq", range);
  const messages = rows.filter((row) => row.kind === "message" && row.epoch === epoch);
  const keys = await Promise.all(messages.map((row) => keyOfItem(store, row)));
  const bodies = await Promise.all(messages.map((row) => bodyOfItem(store, row)));
  store.close();
  const held = keys.filter((key) => key !== null).length;
  return { keys: state.chains.size + held, texts: bodies.map((body) => body?.text ?? null) };
}

async function closedSince(room: Id): Promise<number> {
  const store = await Store.open(bob.id, () => undefined);
  const closed = (await readRoom(store, room))?.record.closed ?? [];
  store.close();
  return closed.length;
}

/** Everybody sleeps, and bob looks in again. */
async function later(ms: number): Promise<void> {
  await alice.closeAll();
  await bob.closeAll();
  await carol.closeAll();
  await world.clock.advance(ms);
  await bob.open();
  await bob.online();
  await settled();
}

describe("the keys of an epoch that was closed", () => {
  it("leave the store a week later where no history is kept, and the texts stay", async () => {
    const room = await group(false);
    await says(alice, room, "first");
    await bob.sees("first");
    await alice.ask("room_rename", { roomId: room, title: "yard" });
    await until(() => bob.room(room)?.title === "yard", "bob did not follow");
    expect(await heldByBob(room, 0)).toEqual({ keys: 3, texts: ["first"] });
    await later(LATE_MS - DAY_MS);
    expect(await heldByBob(room, 0)).toEqual({ keys: 3, texts: ["first"] });

    await later(2 * DAY_MS);

    await until(async () => (await closedSince(room)) === 0, "nothing was let go");
    expect(await heldByBob(room, 0)).toEqual({ keys: 0, texts: ["first"] });
    expect((await heldByBob(room, 1)).keys).toBe(2);
    await bob.show(room);
    await bob.sees("first");
  });

  it("go with what was read while the epoch is open, and what opens the next message stays", async () => {
    const room = await group(false);
    await says(alice, room, "first");
    await bob.sees("first");

    await later(LATE_MS);

    await until(async () => (await heldByBob(room, 0)).keys === 2, "nothing was let go");
    expect((await heldByBob(room, 0)).texts).toEqual(["first"]);
    await bob.show(room);
    const [first] = world.server.room(room).log.filter((row) => row.kind === "message");
    new Forgery(world, bob.id, room).append(garbageLike(first!.envelope));
    await alice.open();
    await alice.online();
    await alice.show(room);
    await alice.say(room, "second");
    await bob.sees("first", "second");
  });

  it("stay where history is kept, and of the time before it was switched off", async () => {
    const room = await group(true);
    await says(alice, room, "kept");
    await bob.sees("kept");
    await alice.ask("room_end_history", { roomId: room });
    await until(() => bob.room(room)?.keepsHistory === false, "bob did not follow");

    await later(2 * LATE_MS);

    expect(await heldByBob(room, 0)).toEqual({ keys: 3, texts: ["kept"] });
  });
});

describe("switching history off", () => {
  it("stands in the conversation, and counts from then on", async () => {
    const room = await group(true);
    await says(alice, room, "kept");
    await until(() => recordsOf(room).length === 2, "no records were written");

    await alice.ask("room_end_history", { roomId: room });

    await until(() => bob.page.kinds.includes("history_off"), "nothing is said");
    expect(bob.page.kinds).not.toContain("renamed");
    expect(bob.room(room)).toMatchObject({ keepsHistory: false, title: "garden" });
    await says(alice, room, "not kept");
    await bob.sees("kept", "not kept");
    expect(recordsOf(room).map(({ epoch }) => epoch)).toEqual([0, 0]);
    const words = await alice.words();
    await alice.closeAll();
    const laptop = world.elsewhere(alice);
    await laptop.restore(words);
    await laptop.show(room);
    await until(() => laptop.page.texts.includes("kept") && unreadables(laptop).length === 1, "not as it should be");
    expect(unreadables(laptop)).toEqual(["not_kept"]);
    expect(laptop.page.kinds.filter((kind) => kind === "renamed")).toEqual([]);
    expect(laptop.room(room)?.title).toBe("garden");
  });

  it("is an admin's in a group, and either's in a direct room", async () => {
    const room = await group(true);
    await expect(bob.ask("room_end_history", { roomId: room })).rejects.toMatchObject({ code: "forbidden" });
    expect(world.server.room(room).commits).toHaveLength(1);
    const direct = await alice.talkTo(bob);
    await bob.show(direct);

    await bob.ask("room_end_history", { roomId: direct });

    await until(() => alice.room(direct)?.keepsHistory === false, "alice does not know");
    await bob.ask("room_end_history", { roomId: direct });
    expect(world.server.room(direct).commits).toHaveLength(2);
  });
});

describe("a newcomer in a room that keeps history", () => {
  it("sees what comes from their joining on, and has nothing that opens more", async () => {
    const room = await group(true);
    await says(alice, room, "before carol");
    await alice.ask("room_invite", { roomId: room, userIds: [carol.id] });
    await carol.show(room);
    await says(alice, room, "with carol");

    await carol.sees("with carol");

    expect(unreadables(carol)).toEqual([]);
    const store = await Store.open(carol.id, () => undefined);
    expect(await readEpoch(store, room, 0)).toBeNull();
    store.close();
    await until(() => recordsOf(room).some(({ user }) => user === carol.id), "carol keeps nothing");
    expect(recordsOf(room).filter(({ user }) => user === carol.id).map(({ epoch }) => epoch)).toEqual([1]);
  });
});
