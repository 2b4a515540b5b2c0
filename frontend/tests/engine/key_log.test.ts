/** What a hostile server does with the key log, and what a browser believes. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { h, systemRandom } from "../../src/crypto/primitives";
import { utf8 } from "../../src/crypto/encoding";
import type { Id } from "../../src/engine/contract";
import { idOf } from "../../src/engine/ids";
import { readKeyLog } from "../../src/engine/key_log";
import { bodyOfItem } from "../../src/engine/store/reopen";
import { Store } from "../../src/engine/store/store";
import { type Person, World } from "./cast";
import { until } from "./clock";
import { ServerKeyLog } from "./server_key_log";

let world: World;
let alice: Person;
let bob: Person;

beforeEach(async () => {
  world = new World();
  [alice, bob] = (await world.friends("alice", "bob")) as [Person, Person];
});
afterEach(() => world.end());

const MADE_UP = () => h("devices", utf8("made by the server"));

/** A page opened again, with the log followed by then. */
async function comesBack(person: Person, notice: string): Promise<void> {
  await person.reload();
  await person.online();
  await until(() => person.page.seen.keyLog === notice, `${person.name} is not told: ${notice}`);
}

async function isRefusedARoom(person: Person, other: Person): Promise<void> {
  const opened = person.ask("room_create_group", { title: "garden", userIds: [other.id] });
  await expect(opened).rejects.toMatchObject({ code: "unverified" });
}

/** Read what a browser keeps. */
async function kept<T>(person: Person, read: (store: Store) => Promise<T>): Promise<T> {
  const store = await Store.open(person.id, () => undefined);
  try {
    return await read(store);
  } finally {
    store.close();
  }
}

/** A page opened again, with so many leaves followed by then. */
async function follows(person: Person, size: number): Promise<void> {
  await person.reload();
  await person.online();
  await until(async () => {
    const { log } = await kept(person, readKeyLog);
    return log?.frontier.size === size;
  }, `${person.name} does not follow`);
}

/** The server shows one person another log than everybody else. */
function showOnly(person: Person, log: ServerKeyLog): void {
  const { lies, clock } = world.server;
  lies["GET key-log/head"] = (truth, { user }) =>
    user === person.id ? log.headJson(clock.now()) : truth();
  lies["GET key-log"] = (truth, { user, query }) =>
    user === person.id ? log.pageJson(clock.now(), Number(query.get("after"))) : truth();
}

describe("a fair server", () => {
  it("is followed, and messages say what their writer verified", async () => {
    const room = await alice.talkTo(bob);
    await alice.say(room, "hello");
    await bob.show(room);
    await bob.sees("hello");
    const bodies = await kept(bob, async (store) => {
      const rows = await store.tables.getAll("items");
      const messages = rows.filter(({ kind }) => kind === "message");
      return Promise.all(messages.map((row) => bodyOfItem(store, row)));
    });
    expect(bodies.map((body) => body?.kt?.size)).toEqual([2]);
    expect([alice.page.seen.keyLog, bob.page.seen.keyLog]).toEqual(["none", "none"]);
  });

  it("that was restored and says so is told of once", async () => {
    await alice.talkTo(bob);
    const old = world.server.keyLog;
    const head = old.head(world.clock.now(), 1);
    world.server.keyLog = new ServerKeyLog(old.seed, { log: old, head });
    await comesBack(alice, "began_again");
    await alice.ask("key_log_seen", {});
    await until(() => alice.page.seen.keyLog === "none", "the notice stays");
    await comesBack(alice, "none");
  });
});

describe("a hostile server", () => {
  it("that rolls its log back is refused, and gets no new room", async () => {
    const carol = await world.person("carol");
    world.server.befriend(alice.id, carol.id);
    await alice.talkTo(bob);
    showOnly(alice, fork(world.server.keyLog, 1));
    await comesBack(alice, "refused");
    await isRefusedARoom(alice, carol);
  });

  it("that changes the order of leaves is refused", async () => {
    await alice.talkTo(bob);
    const other = fork(world.server.keyLog, 2);
    other.leaves.reverse();
    showOnly(alice, other);
    await comesBack(alice, "refused");
  });

  it("that makes up a leaf for alice is seen by her", async () => {
    await alice.talkTo(bob);
    world.server.keyLog.add(alice.id, MADE_UP());
    await comesBack(alice, "refused");
  });

  it("that keeps back bob's newest list is not believed about him", async () => {
    await alice.talkTo(bob);
    world.server.keyLog.add(bob.id, MADE_UP());
    await follows(alice, 3);
    await isRefusedARoom(alice, bob);
  });

  it("that shows a first list which is not in the log gets no room with it", async () => {
    await follows(alice, 2);
    showOnly(alice, fork(world.server.keyLog, 2));
    const carol = await world.person("carol");
    world.server.befriend(alice.id, carol.id);
    await isRefusedARoom(alice, carol);
  });

  it("with another key is refused", async () => {
    await alice.talkTo(bob);
    const stranger = new ServerKeyLog(systemRandom(32));
    stranger.addAll(world.server.keyLogLists());
    showOnly(alice, stranger);
    await comesBack(alice, "refused");
  });

  it("whose log stands still is refused after a day", async () => {
    await alice.talkTo(bob);
    const { lies, clock } = world.server;
    const old = world.server.keyLog.headJson(clock.now() - 25 * 3600 * 1000);
    lies["GET key-log/head"] = () => old;
    await comesBack(alice, "refused");
  });

  it("that shows two views is found out by a message", async () => {
    const room: Id = await alice.talkTo(bob);
    const split = fork(world.server.keyLog, 2);
    split.add(idOf(systemRandom(16)), MADE_UP());
    world.server.keyLog.add(idOf(systemRandom(16)), MADE_UP());
    showOnly(bob, split);
    for (const person of [alice, bob]) await follows(person, 3);
    await bob.show(room);
    await bob.say(room, "hello");
    await alice.show(room);
    await alice.sees("hello");
    await until(() => alice.page.seen.keyLog === "split", "alice is not told");
  });
});

/** The same log up to a size, by the same key. */
function fork(log: ServerKeyLog, size: number): ServerKeyLog {
  const other = new ServerKeyLog(log.seed);
  other.leaves = log.leaves.slice(0, size);
  return other;
}
