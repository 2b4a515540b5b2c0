import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Id } from "../../src/engine/contract";
import { type Person, World } from "./cast";
import { settled, until } from "./clock";
import { BOX_LIFE_MS } from "./server_links";

let world: World;
let alice: Person;
let bob: Person;
let laptop: Person;
let words: string;
let room: Id;
beforeEach(async () => {
  world = new World();
  [alice, bob] = (await world.friends("alice", "bob")) as [Person, Person];
  room = await alice.talkTo(bob);
  await alice.say(room, "before the laptop");
  await alice.allAre("stored");
  words = await alice.words();
  laptop = world.elsewhere(alice);
  await laptop.open();
  await until(() => laptop.page.seen.phase === "no_keys_here", "not asked");
});
afterEach(() => world.end());

const devices = () => world.server.devicesOf(alice.id);

async function linked(): Promise<void> {
  const { code } = await laptop.ask("link_show", {});
  await alice.ask("link_read", { code });
  await alice.ask("link_accept", { secret: words });
  expect(await laptop.linkNews()).toBe("linked");
  await laptop.online();
}

describe("after the recovery key was renewed", () => {
  it("a linked browser reads what was never sealed again, by the carried seed", async () => {
    world.server.lies["PUT rooms/*/history-records"] = () => null;
    await alice.ask("renewal_begin", { secret: words });
    words = (await alice.ask("renewal_show", {})).words;
    await alice.ask("renewal_finish", { secret: words });
    await until(() => alice.page.seen.me?.renewing === null, "history is not moved");

    await linked();

    await laptop.show(room);
    await laptop.sees("before the laptop");
  });
});

describe("a browser that shows a code", () => {
  it("is linked by the other one, reads the past and writes", async () => {
    const { code, compare } = await laptop.ask("link_show", {});
    expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){5}[0-9A-HJKMNP-TV-Z]{4}$/);

    const read = await alice.ask("link_read", { code: code.toLowerCase().replaceAll("-", " ") });
    expect(read.compare).toBe(compare);
    expect(await laptop.linkNews()).toBe("taken");
    await alice.ask("link_accept", { secret: words });
    expect(await laptop.linkNews()).toBe("linked");

    await laptop.online();
    expect(devices()).toHaveLength(2);
    await laptop.show(room);
    await laptop.sees("before the laptop");
    await laptop.say(room, "from the laptop");
    await laptop.allAre("stored");
    await alice.sees("before the laptop", "from the laptop");
    expect(world.server.links.boxes.size).toBe(0);
    expect(laptop.page.seen.me?.hasRecoveryKey).toBe(true);
  });

  it("is the same device after a reload", async () => {
    await linked();
    await laptop.reload();
    await laptop.online();
    expect(devices()).toHaveLength(2);
  });

  it("may begin again, and only the newest code counts", async () => {
    const { code: old } = await laptop.ask("link_show", {});
    const { code } = await laptop.ask("link_show", {});
    await expect(alice.ask("link_read", { code: old })).rejects.toMatchObject({ code: "link_gone" });
    await alice.ask("link_read", { code });
    await alice.ask("link_accept", { secret: words });
    expect(await laptop.linkNews()).toBe("linked");
  });

  it("hears when the owner says no, and nobody is listed", async () => {
    const { code } = await laptop.ask("link_show", {});
    await alice.ask("link_read", { code });
    await alice.ask("link_refuse", {});
    expect(await laptop.linkNews()).toBe("link_gone");
    await expect(alice.ask("link_accept", { secret: words })).rejects.toMatchObject({ code: "link_gone" });
    expect(devices()).toHaveLength(1);
  });

  it("gives up, and the other one finds nothing to link", async () => {
    const { code } = await laptop.ask("link_show", {});
    await alice.ask("link_read", { code });
    await laptop.ask("link_cancel", {});
    await expect(alice.ask("link_accept", { secret: words })).rejects.toMatchObject({ code: "link_gone" });
    expect(devices()).toHaveLength(1);
  });

  it("gives up after five minutes", async () => {
    const { code } = await laptop.ask("link_show", {});
    await alice.ask("link_read", { code });
    await world.clock.advance(BOX_LIFE_MS + 1);
    await expect(alice.ask("link_accept", { secret: words })).rejects.toMatchObject({ code: "link_expired" });
    expect(await laptop.linkNews()).toBe("link_expired");
    expect(devices()).toHaveLength(1);
  });

  it("is one of two, and the other is told that somebody is before it", async () => {
    const tablet = world.elsewhere(alice);
    await tablet.open();
    await until(() => tablet.page.seen.phase === "no_keys_here", "not asked");
    await tablet.ask("link_show", {});
    const { code } = await laptop.ask("link_show", {});
    expect(await tablet.linkNews()).toBe("link_gone");
    await alice.ask("link_read", { code });
    await expect(tablet.ask("link_show", {})).rejects.toMatchObject({ code: "link_busy" });
    await alice.ask("link_accept", { secret: words });
    expect(await laptop.linkNews()).toBe("linked");
  });

  it("can still be opened by the recovery key", async () => {
    const { code } = await laptop.ask("link_show", {});
    await laptop.ask("restore", { secret: words });
    await laptop.online();
    await expect(alice.ask("link_read", { code })).rejects.toMatchObject({ code: "link_gone" });
    await expect(laptop.ask("link_show", {})).rejects.toMatchObject({ code: "forbidden" });
  });
});

describe("the browser that links", () => {
  it("tells a mistyped code from one that nobody shows, and uses nothing up", async () => {
    const { code } = await laptop.ask("link_show", {});
    const other = code.startsWith("0") ? "1" : "0";
    const read = (text: string) => alice.ask("link_read", { code: text });
    await expect(read(other + code.slice(1))).rejects.toMatchObject({ code: "link_code" });
    await expect(read(words)).rejects.toMatchObject({ code: "link_code" });
    await alice.ask("link_read", { code });
    await alice.ask("link_accept", { secret: words });
    expect(await laptop.linkNews()).toBe("linked");
  });

  it("needs the recovery key, and may try again when it was mistyped", async () => {
    const { code } = await laptop.ask("link_show", {});
    await alice.ask("link_read", { code });
    const wrong = alice.ask("link_accept", { secret: "baba baba baba baba baba baba" });
    await expect(wrong).rejects.toMatchObject({ code: "recovery_secret" });
    expect(devices()).toHaveLength(1);
    await alice.ask("link_accept", { secret: words });
    expect(await laptop.linkNews()).toBe("linked");
  });

  it("takes the entry back when nobody can have the answer any more", async () => {
    const { code } = await laptop.ask("link_show", {});
    await alice.ask("link_read", { code });
    world.server.lies["PUT me/links/*/answer"] = (truth) => {
      world.server.links.boxes.clear();
      return truth();
    };
    await expect(alice.ask("link_accept", { secret: words })).rejects.toMatchObject({ code: "link_gone" });
    expect(devices()).toHaveLength(1);
    expect(world.server.listVersion(alice.id)).toBe(3);
  });

  it("is not confused by a lost reply to its list", async () => {
    const { code } = await laptop.ask("link_show", {});
    await alice.ask("link_read", { code });
    world.server.lies["POST me/device-lists"] = (truth) => {
      delete world.server.lies["POST me/device-lists"];
      truth();
      throw new TypeError("the connection broke");
    };
    await alice.ask("link_accept", { secret: words });
    expect(await laptop.linkNews()).toBe("linked");
    expect(devices()).toHaveLength(2);
    await settled();
  });
});
