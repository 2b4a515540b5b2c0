/** A server that lies while one browser links another: each lie ends the attempt, and is named. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { decodeBase64url, encodeBase64url } from "../../src/crypto/encoding";
import { newAccount } from "../../src/crypto/identity";
import { newScreenSecret, sealOffer, shortCode } from "../../src/crypto/link_offer";
import { beginLink } from "../../src/crypto/linking";
import { newPrekey } from "../../src/crypto/prekeys";
import { systemRandom } from "../../src/crypto/primitives";
import { idBytes } from "../../src/engine/ids";
import type { LinkJson, UserKeysJson } from "../../src/engine/wire";
import { type Person, World } from "./cast";
import { until } from "./clock";

const ORIGIN = "https://chat.example:443";

let world: World;
let alice: Person;
let bob: Person;
let laptop: Person;
let words: string;
beforeEach(async () => {
  world = new World();
  [alice, bob] = (await world.friends("alice", "bob")) as [Person, Person];
  words = await alice.words();
  laptop = world.elsewhere(alice);
  await laptop.open();
  await until(() => laptop.page.seen.phase === "no_keys_here", "not asked");
});
afterEach(() => world.end());

async function linked(): Promise<string> {
  const { code } = await laptop.ask("link_show", {});
  await alice.ask("link_read", { code });
  await alice.ask("link_accept", { secret: words });
  expect(await laptop.linkNews()).toBe("linked");
  await laptop.online();
  return code;
}

function nothingIsLinked(): void {
  expect(world.server.devicesOf(alice.id)).toHaveLength(1);
  expect(laptop.page.seen.phase).toBe("no_keys_here");
}

describe("an offer", () => {
  async function refused(): Promise<void> {
    const { code } = await laptop.ask("link_show", {});
    await expect(alice.ask("link_read", { code })).rejects.toMatchObject({ code: "link_untrue" });
    await expect(alice.ask("link_accept", { secret: words })).rejects.toMatchObject({ code: "link_gone" });
    nothingIsLinked();
  }

  it("with the server's own keys for a ghost does not open under the screen's secret", async () => {
    const user = idBytes(alice.id);
    const { accountKey } = world.server.accounts.get(alice.id)!;
    const amkPub = decodeBase64url(accountKey!, 32);
    const ghost = await beginLink({ user, amkPub, origin: ORIGIN }, { now: world.clock.now() });
    const { prekey } = await newPrekey(ghost.keys, { seq: 1, created: world.clock.now() });
    const offer = encodeBase64url(sealOffer(newScreenSecret(), ghost, prekey));
    world.server.lies["POST me/links/*/take"] = (truth) => ({ ...(truth() as object), offer });
    await refused();
  });

  it("with one bit changed does not open", async () => {
    world.server.lies["POST me/links/*/take"] = (truth) => {
      const taken = truth() as { offer: string };
      const offer = decodeBase64url(taken.offer);
      offer[100]! ^= 1;
      return { ...taken, offer: encodeBase64url(offer) };
    };
    await refused();
  });

  it("made under another account key is not this account's", async () => {
    const account_key = encodeBase64url(newAccount(idBytes(alice.id)).publicHalf);
    world.server.lies["GET me"] = (truth, { session }) => {
      const me = truth() as object;
      return session === laptop.session ? { ...me, account_key } : me;
    };
    await refused();
  });

  it("made at another address of the server is told from a lie", async () => {
    const user = idBytes(alice.id);
    const amkPub = decodeBase64url(world.server.accounts.get(alice.id)!.accountKey!, 32);
    const origin = "https://other.example:443";
    const elsewhere = await beginLink({ user, amkPub, origin }, { now: world.clock.now() });
    const { prekey } = await newPrekey(elsewhere.keys, { seq: 1, created: world.clock.now() });
    const secret = newScreenSecret();
    const offer = encodeBase64url(sealOffer(secret, elsewhere, prekey));
    world.server.lies["POST me/links/*/take"] = () => ({ offer, left_ms: 1000 });
    const read = alice.ask("link_read", { code: shortCode(secret) });
    await expect(read).rejects.toMatchObject({ code: "link_address" });
  });

  it("that is served again is not read again, by a browser that was started anew either", async () => {
    const takes: unknown[] = [];
    world.server.lies["POST me/links/*/take"] = (truth) => {
      const taken = truth();
      takes.push(taken);
      return taken;
    };
    const code = await linked();
    world.server.lies["POST me/links/*/take"] = () => takes[0];
    await alice.reload();
    await alice.online();
    await expect(alice.ask("link_read", { code })).rejects.toMatchObject({ code: "link_untrue" });
    expect(world.server.devicesOf(alice.id)).toHaveLength(2);
  });
});

describe("an answer", () => {
  it("by who did not see the screen ends the attempt, and the true one comes too late", async () => {
    const { code } = await laptop.ask("link_show", {});
    world.server.lies["GET me/links/*"] = (truth) => {
      const box = truth() as LinkJson;
      return { ...box, answer: encodeBase64url(systemRandom(1700)) };
    };
    expect(await laptop.linkNews()).toBe("link_untrue");
    delete world.server.lies["GET me/links/*"];
    await expect(alice.ask("link_read", { code })).rejects.toMatchObject({ code: "link_gone" });
    await expect(laptop.ask("link_wait", {})).rejects.toMatchObject({ code: "link_gone" });
    nothingIsLinked();
  });

  it("to an earlier code opens nothing", async () => {
    const { code: first } = await laptop.ask("link_show", {});
    await alice.ask("link_read", { code: first });
    let old = "";
    world.server.lies["PUT me/links/*/answer"] = (truth, { body }) => {
      old = body["answer"] as string;
      return truth();
    };
    await alice.ask("link_accept", { secret: words });
    await laptop.ask("link_show", {});
    world.server.lies["GET me/links/*"] = (truth) => ({ ...(truth() as object), answer: old });
    expect(await laptop.linkNews()).toBe("link_untrue");
    expect(laptop.page.seen.phase).toBe("no_keys_here");
  });

  it("of another history than the server's device lists is refused", async () => {
    const { code } = await laptop.ask("link_show", {});
    await alice.ask("link_read", { code });
    await alice.ask("link_accept", { secret: words });
    world.server.lies["GET users/*/keys"] = (truth) => {
      const keys = truth() as UserKeysJson;
      return { ...keys, lists: keys.lists.slice(0, 1) };
    };
    expect(await laptop.linkNews()).toBe("link_untrue");
    expect(laptop.page.seen.phase).toBe("no_keys_here");
  });
});

describe("what the linking device knew", () => {
  it("of a contact's key is believed more than the server", async () => {
    await alice.talkTo(bob);
    const { number } = await alice.ask("safety_number", { userId: bob.id });
    const forged = newAccount(idBytes(bob.id));
    world.server.lies["GET users/*/keys"] = (truth, { path, session }) => {
      const keys = truth() as UserKeysJson;
      const isLie = session === laptop.session && path[1] === bob.id;
      return isLie ? { ...keys, account_key: encodeBase64url(forged.publicHalf), lists: [] } : keys;
    };
    await linked();
    await expect(laptop.ask("safety_number", { userId: bob.id })).rejects.toMatchObject({ code: "keys_missing" });
    delete world.server.lies["GET users/*/keys"];
    const { number: own } = await laptop.ask("safety_number", { userId: bob.id });
    expect(own).toBe(number);
  });

  it("of the key log is what the new one expects", async () => {
    await alice.talkTo(bob);
    const { code } = await laptop.ask("link_show", {});
    await alice.ask("link_read", { code });
    await alice.ask("link_accept", { secret: words });
    world.server.keyLog = new (world.server.keyLog.constructor as new () => typeof world.server.keyLog)();
    expect(await laptop.linkNews()).toBe("linked");
    await until(() => laptop.page.seen.keyLog === "refused", "another log is taken");
  });
});
