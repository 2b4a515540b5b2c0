import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Id } from "../../src/engine/contract";
import { type Person, World } from "./cast";
import { until } from "./clock";

let world: World;
let alice: Person;
let bob: Person;
let room: Id;
let former: string;
beforeEach(async () => {
  world = new World();
  [alice, bob] = (await world.friends("alice", "bob")) as [Person, Person];
  room = await alice.talkTo(bob);
  await alice.say(room, "before");
  await alice.allAre("stored");
  former = await alice.words();
});
afterEach(() => world.end());

const account = () => world.server.accounts.get(alice.id)!;
const versions = () =>
  world.server.room(room).records.filter((row) => row.user === alice.id).map((row) => row.bk_version);

async function begin(): Promise<string> {
  await alice.ask("renewal_begin", { secret: former });
  return (await alice.ask("renewal_show", {})).words;
}

async function finish(words: string): Promise<void> {
  await alice.ask("renewal_finish", { secret: words });
  await until(() => alice.page.seen.me?.renewing === null, "history is not moved");
}

async function refusedElsewhere(secret: string, code: string): Promise<Person> {
  const laptop = world.elsewhere(alice);
  await laptop.open();
  await until(() => laptop.page.seen.phase === "no_keys_here", "not asked");
  await expect(laptop.ask("restore", { secret })).rejects.toMatchObject({ code });
  return laptop;
}

describe("a new recovery key", () => {
  it("opens everything of before and after, and the former one nothing", async () => {
    const words = await begin();
    await finish(words);
    await until(() => world.server.room(room).commits.length === 2, "no new epoch");
    await alice.say(room, "after");
    await alice.allAre("stored");

    const laptop = await refusedElsewhere(former, "recovery_secret");
    await laptop.ask("restore", { secret: words });
    await laptop.online();
    await laptop.show(room);
    await laptop.sees("before", "after");
    expect(world.server.devicesOf(alice.id)).toHaveLength(2);
  });

  it("leaves nothing on the server that is sealed to the former backup key", async () => {
    expect(versions()).toEqual([1]);
    await finish(await begin());
    await until(() => versions().length === 2, "the new epoch has no record");
    expect(versions()).toEqual([2, 2]);
  });

  it("does not count before it was typed again", async () => {
    const words = await begin();
    await until(() => alice.page.seen.me?.renewing?.state === "begun", "it is not said");
    expect(account().lists).toHaveLength(1);
    const wrong = alice.ask("renewal_finish", { secret: former });
    await expect(wrong).rejects.toMatchObject({ code: "recovery_secret" });
    const laptop = await refusedElsewhere(words, "recovery_secret");
    await laptop.ask("restore", { secret: former });
    await laptop.online();
  });

  it("is not begun with another secret than the present one", async () => {
    const others = await bob.words();
    const wrong = alice.ask("renewal_begin", { secret: others });
    await expect(wrong).rejects.toMatchObject({ code: "recovery_secret" });
    await expect(alice.ask("renewal_show", {})).rejects.toMatchObject({ code: "recovery_gone" });
  });

  it("can be given up, and the former one stays", async () => {
    await begin();
    await alice.ask("renewal_discard", {});
    await expect(alice.ask("renewal_show", {})).rejects.toMatchObject({ code: "recovery_gone" });
    const laptop = world.elsewhere(alice);
    await laptop.restore(former);
    await laptop.show(room);
    await laptop.sees("before");
  });

  it("may be renewed once more", async () => {
    const first = await begin();
    await finish(first);
    former = first;
    const second = await begin();
    await finish(second);
    const laptop = await refusedElsewhere(first, "recovery_secret");
    await laptop.ask("restore", { secret: second });
    await laptop.online();
    await laptop.show(room);
    await laptop.sees("before");
    expect(new Set(versions())).toEqual(new Set([3]));
  });
});

describe("a tab that ends in between", () => {
  it("finds the same words after a reload", async () => {
    const words = await begin();
    await alice.reload();
    await alice.online();
    await until(() => alice.page.seen.me?.renewing?.state === "begun", "it is not said");
    expect((await alice.ask("renewal_show", {})).words).toBe(words);
    await finish(words);
  });

  it("loses nothing when the answer was lost", async () => {
    const words = await begin();
    world.server.loseAnswerTo = "POST me/recovery";
    await expect(alice.ask("renewal_finish", { secret: words })).rejects.toMatchObject({ code: "offline" });
    world.server.loseAnswerTo = null;
    await alice.reload();
    await alice.online();
    await finish(words);
    expect(account().lists).toHaveLength(2);
    const laptop = world.elsewhere(alice);
    await laptop.restore(words);
    await laptop.show(room);
    await laptop.sees("before");
  });

  it("moves the past at the next connection", async () => {
    const words = await begin();
    world.server.lies["PUT rooms/*/history-records"] = () => {
      throw new TypeError("the network is gone");
    };
    await alice.ask("renewal_finish", { secret: words });
    await until(() => alice.page.seen.me?.renewing?.state === "moving", "it is not said");
    delete world.server.lies["PUT rooms/*/history-records"];
    await alice.reload();
    await alice.online();
    await until(() => alice.page.seen.me?.renewing === null, "history is not moved");
    expect(new Set(versions())).toEqual(new Set([2]));
  });

  it("begins again when the devices changed meanwhile", async () => {
    const words = await begin();
    const laptop = world.elsewhere(alice);
    await laptop.restore(former);
    await expect(alice.ask("renewal_finish", { secret: words })).rejects.toMatchObject({ code: "list_version" });
    await until(() => alice.page.seen.me?.renewing === null, "the words of no use stay");
    await finish(await begin());
    expect(world.server.devicesOf(alice.id)).toHaveLength(2);
  });
});

describe("another own device", () => {
  it("writes history for the new key once it has heard of it", async () => {
    const laptop = world.elsewhere(alice);
    await laptop.restore(former);
    const words = await begin();
    await finish(words);
    const commits = world.server.room(room).commits.length;
    await laptop.show(room);
    await laptop.say(room, "from the laptop");
    await laptop.allAre("stored");
    await until(() => world.server.room(room).commits.length >= commits, "no epoch");
    await until(() => versions().every((version) => version === 2), "a record for the former key stays");
    const third = world.elsewhere(alice);
    await third.restore(words);
    await third.show(room);
    await third.sees("before", "from the laptop");
  });
});

describe("a renewal on a device that came later", () => {
  it("leaves the time before that device open to the next one", async () => {
    const laptop = world.elsewhere(alice);
    await laptop.restore(former);
    await laptop.ask("renewal_begin", { secret: former });
    const { words } = await laptop.ask("renewal_show", {});
    await laptop.ask("renewal_finish", { secret: words });
    await until(() => laptop.page.seen.me?.renewing === null, "history is not moved");

    const third = world.elsewhere(alice);
    await third.restore(words);

    await third.show(room);
    await third.sees("before");
  });
});

describe("a server that lies", () => {
  it("about the former blob opens no account", async () => {
    const old = structuredClone(account().recovery);
    await finish(await begin());
    world.server.lies["GET me/recovery"] = () => ({ ...old, carries: [] });
    world.server.lies["GET me"] = (truth) => ({ ...(truth() as object), recovery_version: 1 });
    await refusedElsewhere(former, "recovery_lists");
    expect(world.server.devicesOf(alice.id)).toHaveLength(1);
  });

  it("about the former blob renews nothing on top of it", async () => {
    const old = structuredClone(account().recovery);
    await finish(await begin());
    world.server.lies["GET me/recovery"] = () => ({ ...old, carries: [] });
    world.server.lies["GET me"] = (truth) => ({ ...(truth() as object), recovery_version: 1 });
    await expect(begin()).rejects.toMatchObject({ code: "recovery_blob" });
  });

  it("and hides the renewal altogether is found out by the rooms", async () => {
    const old = structuredClone(account().recovery);
    await finish(await begin());
    await until(() => world.server.room(room).commits.length === 2, "no new epoch");
    const newest = account().lists.pop()!;
    world.server.lies["GET me/recovery"] = () => ({ ...old, carries: [] });
    world.server.lies["GET me"] = (truth) => ({ ...(truth() as object), recovery_version: 1 });
    await refusedElsewhere(former, "recovery_lists");
    account().lists.push(newest);
  });

  it("about the backup key gets no history sealed to it, and it shows", async () => {
    const laptop = world.elsewhere(alice);
    await laptop.restore(former);
    const { bk_pub } = world.server.backupKeyOf(bob.id) as { bk_pub: string };
    await laptop.closeAll();
    await finish(await begin());
    world.server.lies["GET me/backup-key"] = () => ({ bk_version: 2, bk_pub });
    await laptop.open();
    await until(() => laptop.room(room)?.trouble === "unconfirmed", "it does not show");
    expect(new Set(versions())).toEqual(new Set([2]));
  });
});
