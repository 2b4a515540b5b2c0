import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemRandom } from "../../src/crypto/primitives";
import type { PasskeyAnswer } from "../../src/engine/contract";
import { type Person, World } from "./cast";
import { until } from "./clock";

let world: World;
let alice: Person;
let bob: Person;
let words: string;
beforeEach(async () => {
  world = new World();
  [alice, bob] = (await world.friends("alice", "bob")) as [Person, Person];
  words = await alice.words();
});
afterEach(() => world.end());

/** An authenticator: each credential has its own secret answer, the same each time. */
class Authenticator {
  private readonly answers = new Map<Uint8Array, Uint8Array>();

  make(): PasskeyAnswer {
    const credential = systemRandom(20);
    this.answers.set(credential, systemRandom(32));
    return this.ask(credential);
  }

  ask(credential: Uint8Array): PasskeyAnswer {
    return { credential, prf: this.answers.get(credential)!.slice() };
  }
}

const authenticator = new Authenticator();
const kept = (person: Person) => world.server.passkeys.of(person.id);

async function added(person = alice, secret = words): Promise<Uint8Array> {
  await person.ask("passkey_begin", { secret });
  const answer = authenticator.make();
  await person.ask("passkey_add", answer);
  return answer.credential;
}

async function elsewhere(): Promise<Person> {
  const laptop = world.elsewhere(alice);
  await laptop.open();
  await until(() => laptop.page.seen.phase === "no_keys_here", "not asked");
  return laptop;
}

async function refusedWith(code: string, answer: PasskeyAnswer): Promise<void> {
  const laptop = await elsewhere();
  await expect(laptop.ask("passkey_restore", answer)).rejects.toMatchObject({ code });
  expect(world.server.devicesOf(alice.id)).toHaveLength(1);
  expect(laptop.page.seen.phase).toBe("no_keys_here");
}

describe("a passkey", () => {
  it("makes an empty browser a device that reads the past", async () => {
    const room = await alice.talkTo(bob);
    await alice.say(room, "before");
    await alice.allAre("stored");
    const credential = await added();
    await alice.closeAll();

    const laptop = await elsewhere();
    const { credentials } = await laptop.ask("passkey_offer", {});
    expect(credentials).toEqual([credential]);
    await laptop.ask("passkey_restore", authenticator.ask(credential));

    await laptop.online();
    await laptop.show(room);
    await laptop.sees("before");
    expect(world.server.devicesOf(alice.id)).toHaveLength(2);
  });

  it("is not begun with another secret than the present one", async () => {
    const wrong = alice.ask("passkey_begin", { secret: await bob.words() });
    await expect(wrong).rejects.toMatchObject({ code: "recovery_secret" });
    const made = alice.ask("passkey_add", authenticator.make());
    await expect(made).rejects.toMatchObject({ code: "passkey_gone" });
    expect(kept(alice).size).toBe(0);
  });

  it("is not made any more once the page was closed, or after minutes", async () => {
    const late = () => alice.ask("passkey_add", authenticator.make());
    await alice.ask("passkey_begin", { secret: words });
    await alice.ask("passkey_discard", {});
    await expect(late()).rejects.toMatchObject({ code: "passkey_gone" });
    await alice.ask("passkey_begin", { secret: words });
    await world.clock.advance(5 * 60_000);
    await expect(late()).rejects.toMatchObject({ code: "passkey_gone" });
    expect(kept(alice).size).toBe(0);
  });

  it("has a name that the server cannot read, and can be taken away", async () => {
    await added();
    const [first] = (await alice.ask("passkeys_list", {})).passkeys;
    const { passkeyId } = first!;
    await alice.ask("passkey_rename", { passkeyId, name: "the blue key" });
    const [named] = (await alice.ask("passkeys_list", {})).passkeys;
    expect(named).toEqual({ passkeyId, name: "the blue key", createdMs: 1, lastUsedMs: null });
    expect(JSON.stringify([...kept(alice)])).not.toContain("blue");
    const unknown = alice.ask("passkey_rename", { passkeyId: bob.id, name: "x" });
    await expect(unknown).rejects.toMatchObject({ code: "not_found" });

    await alice.ask("passkey_remove", { passkeyId });

    expect((await alice.ask("passkeys_list", {})).passkeys).toEqual([]);
  });

  it("that was taken away opens nothing", async () => {
    const credential = await added();
    kept(alice).clear();
    await refusedWith("not_found", authenticator.ask(credential));
  });

  it("of another authenticator opens nothing", async () => {
    const credential = await added();
    await refusedWith("passkey_secret", { credential, prf: systemRandom(32) });
  });

  it("of which there are eight is one too many", async () => {
    const sealed = [...kept(alice)];
    await added();
    const [[, passkey]] = [...kept(alice)] as [[string, string]];
    for (let more = 0; more < 7; more += 1) kept(alice).set(`${more}`, passkey);
    const begun = alice.ask("passkey_begin", { secret: words });
    await expect(begun).rejects.toMatchObject({ code: "passkeys_full" });
    expect(sealed).toEqual([]);
  });
});

describe("a server that hands out as a passkey", () => {
  it("somebody else's opens nothing", async () => {
    const credential = await added();
    await added(bob, await bob.words());
    const [theirs] = [...kept(bob).values()];
    world.server.lies["GET me/passkeys/*"] = () => ({ passkey: theirs });
    await refusedWith("passkey_other", authenticator.ask(credential));
  });

  it("the one of another credential opens nothing", async () => {
    const [first, second] = [await added(), await added()];
    const [, other] = [...kept(alice).values()];
    world.server.lies["GET me/passkeys/*"] = () => ({ passkey: other });
    await refusedWith("passkey_other", authenticator.ask(first));
    delete world.server.lies["GET me/passkeys/*"];
    const laptop = await elsewhere();
    await laptop.ask("passkey_restore", authenticator.ask(second));
  });

  it("changed bytes opens nothing", async () => {
    const credential = await added();
    world.server.lies["GET me/passkeys/*"] = (truth) => {
      const { passkey } = truth() as { passkey: string };
      return { passkey: `${passkey.slice(0, -4)}AAAA` };
    };
    await refusedWith("passkey_secret", authenticator.ask(credential));
    world.server.lies["GET me/passkeys/*"] = () => ({ passkey: "AAAA" });
    await refusedWith("passkey_other", authenticator.ask(credential));
  });

  it("the one of a recovery key that was made anew opens nothing", async () => {
    const credential = await added();
    const old = [...kept(alice)];
    await alice.ask("renewal_begin", { secret: words });
    const renewed = (await alice.ask("renewal_show", {})).words;
    await alice.ask("renewal_finish", { secret: renewed });
    expect(kept(alice).size).toBe(0);
    for (const [id, passkey] of old) kept(alice).set(id, passkey);
    await refusedWith("passkey_secret", authenticator.ask(credential));
  });

  it("the former one with the former blob is found out by the lists", async () => {
    const credential = await added();
    const { recovery } = structuredClone(world.server.accounts.get(alice.id)!);
    const old = [...kept(alice)];
    await alice.ask("renewal_begin", { secret: words });
    await alice.ask("renewal_finish", { secret: (await alice.ask("renewal_show", {})).words });
    for (const [id, passkey] of old) kept(alice).set(id, passkey);
    world.server.lies["GET me/recovery"] = () => ({ ...recovery, carries: [] });
    world.server.lies["GET me"] = (truth) => ({ ...(truth() as object), recovery_version: 1 });

    await refusedWith("recovery_lists", authenticator.ask(credential));
    const begun = alice.ask("passkey_begin", { secret: words });
    await expect(begun).rejects.toMatchObject({ code: "recovery_blob" });
  });
});
