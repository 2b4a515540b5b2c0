import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Id } from "../../src/engine/contract";
import type { FormerRecoveryJson } from "../../src/engine/wire";
import { type Person, World } from "./cast";
import { settled, until } from "./clock";
import { Problem } from "./server_asked";
import { PASSWORD } from "./server_resets";

let world: World;
let alice: Person;
let bob: Person;
let room: Id;
/** bob's recovery key of before; on paper all the time. */
let former: string;
beforeEach(async () => {
  world = new World();
  [alice, bob] = (await world.friends("alice", "bob")) as [Person, Person];
  const made = await alice.ask("room_create_group", { title: "garden", userIds: [bob.id] });
  room = made.roomId;
  await alice.show(room);
  await bob.show(room);
  await alice.say(room, "before, by alice");
  await alice.allAre("stored");
  await bob.sees("before, by alice");
  await bob.say(room, "before, by bob");
  await bob.allAre("stored");
  former = await bob.words();
});
afterEach(() => world.end());

/** An empty browser of a person, in which the account is started again. */
async function startedAgain(person: Person): Promise<Person> {
  const browser = world.elsewhere(person);
  await browser.open();
  await until(() => browser.page.seen.phase === "no_keys_here", "not asked for the key");
  await browser.ask("reset_begin", { password: PASSWORD });
  world.server.resets.letPass();
  await browser.ask("reset_finish", {});
  await browser.online();
  await until(() => browser.page.seen.me?.past?.state === "closed", "the past is not offered");
  return browser;
}

/** alice goes on with bob's new account and takes it back into the room. */
async function letIn(): Promise<void> {
  const { accountKey } = await alice.ask("safety_number", { userId: bob.id });
  await alice.ask("friend_mark", { userId: bob.id, accountKey, isSame: false });
  await alice.ask("room_invite", { roomId: room, userIds: [bob.id] });
}

/** Renew a person's recovery key; gives the words of the next one. */
async function renewed(person: Person, secret: string): Promise<string> {
  await person.ask("renewal_begin", { secret });
  const { words } = await person.ask("renewal_show", {});
  await person.ask("renewal_finish", { secret: words });
  await until(() => person.page.seen.me?.renewing === null, "history is not moved");
  return words;
}

async function bringBack(browser: Person, secret: string): Promise<void> {
  await browser.ask("bring_back", { secret });
  await until(() => browser.page.seen.me?.past === null, "the rooms are not looked into");
}

/** Everything that may run has run, and so many rooms are done. */
async function waits(browser: Person, { done, of }: { done: number; of: number }): Promise<void> {
  await until(() => browser.page.seen.me?.past?.state === "opening", "the rooms are not looked into");
  await settled();
  expect(browser.page.seen.me?.past).toEqual({ state: "opening", done, of });
}

const past = ["before, by alice", "before, by bob"];

describe("the recovery key of before", () => {
  it("opens the rooms of before, with their names and messages", async () => {
    const browser = await startedAgain(bob);
    await browser.show(room);
    await browser.sees("", "");

    await bringBack(browser, former);

    await browser.sees(...past);
    expect(browser.room(room)).toMatchObject({ title: "garden", left: "removed" });
    expect(browser.page.seen.me?.past).toBeNull();
    await browser.reload();
    await browser.online();
    expect(browser.page.seen.me?.past).toBeNull();
  });

  it("opens them for each device that comes later", async () => {
    const browser = await startedAgain(bob);
    await bringBack(browser, former);
    await letIn();
    await alice.say(room, "after");
    await alice.allAre("stored");

    const laptop = world.elsewhere(bob);
    await laptop.restore(await browser.words());
    await laptop.show(room);

    await laptop.sees(...past, "after");
  });

  it("seals nothing to its own backup key, and its records stay", async () => {
    const records = () => world.server.room(room).records.filter((row) => row.user === bob.id);
    const browser = await startedAgain(bob);
    const before = records().map(({ record }) => record);

    await bringBack(browser, former);

    await until(() => records().length === 2 * before.length, "nothing is sealed again");
    const kept = records().filter((row) => row.isFormer).map(({ record }) => record);
    expect(kept).toEqual(before);
    const { deviceId } = browser.page.seen.me!;
    const made = records().filter((row) => !row.isFormer);
    expect(made.map((row) => row.writer_device)).toEqual(made.map(() => deviceId));
  });

  it("opens what was written before it was renewed as well", async () => {
    world.server.lies["PUT rooms/*/history-records"] = () => null;
    const words = await renewed(bob, former);
    delete world.server.lies["PUT rooms/*/history-records"];
    const browser = await startedAgain(bob);

    await expect(browser.ask("bring_back", { secret: former })).rejects.toMatchObject({ code: "recovery_secret" });
    await bringBack(browser, words);

    await browser.show(room);
    await browser.sees(...past);
  });

  it("leaves nothing under a backup key that was renewed since, whatever the former ones counted", async () => {
    const newer = await renewed(bob, former);
    const browser = await startedAgain(bob);
    await letIn();
    await bringBack(browser, newer);
    const isPresent = (row: { user: Id; isFormer?: true }) => row.user === bob.id && !row.isFormer;
    const versions = () => world.server.room(room).records.filter(isPresent).map((row) => row.bk_version);
    const counted = world.server.room(room).records.filter((row) => row.user === bob.id && row.isFormer);
    expect(counted.map((row) => row.bk_version)).toContain(2);
    expect(versions()).toContain(1);

    const words = await renewed(browser, await browser.words());

    expect(new Set(versions())).toEqual(new Set([2]));
    const laptop = world.elsewhere(bob);
    await laptop.restore(words);
    await laptop.show(room);
    await laptop.sees(...past);
  });

  it("goes on after a tab that ended in between", async () => {
    const browser = await startedAgain(bob);
    world.server.lies["GET rooms/*/history-records"] = () => {
      throw new TypeError("the network is gone");
    };
    await browser.ask("bring_back", { secret: former });
    await until(() => browser.page.seen.me?.past?.state === "opening", "it is not said");
    delete world.server.lies["GET rooms/*/history-records"];
    await browser.reload();
    await browser.online();
    await until(() => browser.page.seen.me?.past === null, "it does not go on");
    await browser.show(room);
    await browser.sees(...past);
  });
});

describe("rooms that do not open at once", () => {
  const unavailable = () => {
    throw new Problem("unavailable", 503);
  };

  /** Let second after second pass until every room was looked into. */
  function goesOn(browser: Person): Promise<void> {
    return until(async () => {
      if (browser.page.seen.me?.past === null) return true;
      await world.clock.advance(20_000);
      return false;
    }, "the rooms that were left are not looked into");
  }

  it("are waited for where they were not followed yet", async () => {
    world.server.lies["GET rooms/*/commits"] = (truth, { user }) => (user === bob.id ? unavailable() : truth());
    const browser = await startedAgain(bob);
    await browser.ask("bring_back", { secret: former });
    await waits(browser, { done: 0, of: 1 });

    delete world.server.lies["GET rooms/*/commits"];
    await goesOn(browser);
    await browser.show(room);
    await browser.sees(...past);
  });

  it("are asked for by the key, where the list had left them out", async () => {
    world.server.lies["GET rooms"] = (truth, { user }) => (user === bob.id ? { rooms: [] } : truth());
    const browser = await startedAgain(bob);
    expect(browser.room(room)).toBeUndefined();
    delete world.server.lies["GET rooms"];

    await browser.ask("bring_back", { secret: former });
    await goesOn(browser);
    await browser.reload();
    await browser.online();
    await browser.show(room);
    await browser.sees(...past);
  });

  it("keep no other one closed, and open later", async () => {
    const other = await bob.talkTo(alice);
    await bob.say(other, "between us");
    await bob.allAre("stored");
    const browser = await startedAgain(bob);
    world.server.lies["GET rooms/*/history-records"] = (truth, { path }) =>
      path.includes(room) ? unavailable() : truth();
    await browser.ask("bring_back", { secret: former });
    await browser.show(other);
    await browser.sees("between us");
    await waits(browser, { done: 1, of: 2 });

    delete world.server.lies["GET rooms/*/history-records"];
    await browser.reload();
    await browser.online();
    await goesOn(browser);
    await browser.show(room);
    await browser.sees(...past);
  });
});

describe("any other key", () => {
  it("opens nothing, and a mistyped one says where", async () => {
    const browser = await startedAgain(bob);
    for (const secret of [await browser.words(), await alice.words()]) {
      const refused = browser.ask("bring_back", { secret });
      await expect(refused).rejects.toMatchObject({ code: "recovery_secret" });
    }
    const mistyped = browser.ask("bring_back", { secret: "baba baba quux baba baba baba" });
    await expect(mistyped).rejects.toMatchObject({ code: "recovery_words", fields: { words: ["3"] } });
    expect(browser.page.seen.me?.past).toEqual({ state: "closed" });
  });

  it("is asked of nobody who never started again", async () => {
    expect(alice.page.seen.me?.past).toBeNull();
    const refused = alice.ask("bring_back", { secret: await alice.words() });
    await expect(refused).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("a server that lies", () => {
  const lie = (change: (row: FormerRecoveryJson) => object) => {
    world.server.lies["GET me/former-recovery"] = (truth) => ({
      former: (truth() as { former: FormerRecoveryJson[] }).former.map(change),
    });
  };

  it("about which key was ended is not asked further", async () => {
    const browser = await startedAgain(bob);
    const { accountKey } = world.server.account(bob.id);
    lie((row) => ({ ...row, account_key: accountKey }));
    const refused = browser.ask("bring_back", { secret: former });
    await expect(refused).rejects.toMatchObject({ code: "not_found" });
  });

  it("about the blob opens nothing", async () => {
    const browser = await startedAgain(bob);
    const present = world.server.account(bob.id).recovery;
    lie((row) => ({ ...row, ...present }));
    const refused = browser.ask("bring_back", { secret: await browser.words() });
    await expect(refused).rejects.toMatchObject({ code: "recovery_blob" });
  });

  it("about the chain opens nothing of that room", async () => {
    const browser = await startedAgain(bob);
    await browser.show(room);
    await browser.sees("", "");
    world.server.lies["GET rooms/*/commits"] = (truth) => {
      const page = truth() as { commits: { core: string }[] };
      const other = world.server.room(room).commits.at(-1)!;
      return { ...page, commits: page.commits.map((commit) => ({ ...other, ...commit, core: other.core })) };
    };
    await browser.ask("bring_back", { secret: former });
    await waits(browser, { done: 0, of: 1 });
    await browser.sees("", "");

    delete world.server.lies["GET rooms/*/commits"];
    await browser.reload();
    await browser.online();
    await browser.show(room);
    await browser.sees(...past);
  });

  it("about how long the chain is opens nothing, and is shown", async () => {
    await alice.ask("room_rename", { roomId: room, title: "yard" });
    await until(() => bob.room(room)?.title === "yard", "not followed");
    const browser = await startedAgain(bob);
    await browser.show(room);
    await browser.sees("", "");
    world.server.lies["GET rooms/*/commits"] = (truth) => {
      const page = truth() as { commits: { epoch: number }[] };
      return { ...page, commits: page.commits.filter(({ epoch }) => epoch === 0) };
    };
    await browser.ask("bring_back", { secret: former });
    await until(() => browser.room(room)?.trouble === "fork", "the other chain is not noticed");
    await browser.sees("", "");
    await waits(browser, { done: 0, of: 1 });
  });
});
