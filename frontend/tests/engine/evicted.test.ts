import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeDeviceList, parseDeviceList } from "../../src/crypto/device_list";
import { decodeBase64url, encodeBase64url } from "../../src/crypto/encoding";
import type { DeviceEntry } from "../../src/crypto/identity";
import type { Id } from "../../src/engine/contract";
import { idBytes, idOf } from "../../src/engine/ids";
import type { UserKeysJson } from "../../src/engine/wire";
import { type Person, World } from "./cast";
import { until } from "./clock";

let world: World;
let alice: Person;
let bob: Person;
let room: Id;
let words: string;
let before: Id;
beforeEach(async () => {
  world = new World();
  [alice, bob] = (await world.friends("alice", "bob")) as [Person, Person];
  room = await alice.talkTo(bob);
  await alice.say(room, "before");
  await alice.allAre("stored");
  words = await alice.words();
  before = alice.page.seen.me!.deviceId;
});
afterEach(() => world.end());

/** alice's browser after it threw away what pages store, and kept its cookies. */
async function evicted(): Promise<Person> {
  await alice.closeAll();
  const browser = world.elsewhere(alice);
  browser.session = alice.session;
  await browser.open();
  await until(() => browser.page.seen.phase === "no_keys_here", "not asked for the key");
  return browser;
}

/** What a server without the account key can show: its only list, with an entry of its own making. */
function withEntry(keys: UserKeysJson, made: Partial<DeviceEntry>): UserKeysJson {
  const list = parseDeviceList(decodeBase64url(keys.lists[0]!.device_list));
  const data = encodeDeviceList({ ...list, entries: [{ ...list.entries[0]!, ...made }] });
  return { ...keys, lists: [{ ...keys.lists[0]!, device_list: encodeBase64url(data) }] };
}

describe("a browser that lost its keys and not its login", () => {
  it("comes back by one key, in the place that it had", async () => {
    const browser = await evicted();
    const { former } = await browser.ask("former_entry", { takesPlace: true });
    expect(former).toMatchObject({ deviceId: before });

    await browser.ask("restore", { secret: words });
    await browser.online();

    const { deviceId } = browser.page.seen.me!;
    expect(deviceId).not.toBe(before);
    expect(world.server.devicesOf(alice.id)).toEqual([deviceId]);
    await browser.show(room);
    await browser.sees("before");
    await browser.say(room, "after");
    await browser.allAre("stored");
    await bob.show(room);
    await bob.sees("before", "after");
  });

  it("leaves the former entry where its owner says so", async () => {
    const browser = await evicted();
    await browser.ask("former_entry", { takesPlace: true });
    await browser.ask("former_entry", { takesPlace: false });

    await browser.ask("restore", { secret: words });
    await browser.online();

    expect(world.server.devicesOf(alice.id)).toContain(before);
    expect(world.server.devicesOf(alice.id)).toHaveLength(2);
  });

  it("takes the place of nobody when it was nobody, or the server names a stranger", async () => {
    const fresh = world.elsewhere(alice);
    await fresh.open();
    await until(() => fresh.page.seen.phase === "no_keys_here", "not asked for the key");
    expect(await fresh.ask("former_entry", { takesPlace: true })).toEqual({ former: null });
    const stranger = bob.page.seen.me!.deviceId;
    world.server.lies["GET me"] = (truth, { session }) =>
      session === fresh.session ? { ...(truth() as object), device_id: stranger } : truth();
    expect(await fresh.ask("former_entry", { takesPlace: true })).toEqual({ former: null });
    delete world.server.lies["GET me"];

    await fresh.ask("restore", { secret: words });
    await fresh.online();

    expect(world.server.devicesOf(alice.id)).toContain(before);
    expect(world.server.devicesOf(bob.id)).toEqual([stranger]);
  });

  it("takes no place of which the server showed another date, or which the list does not hold", async () => {
    const browser = await evicted();
    const stranger = idBytes(bob.page.seen.me!.deviceId);
    const refused = { code: "recovery_lists" };

    for (const device of [idBytes(before), stranger]) {
      const shown = { deviceId: idOf(device), createdMs: 1 };
      world.server.lies["GET users/*/keys"] = (truth) => withEntry(truth() as UserKeysJson, { device, created: 1 });
      world.server.lies["GET me"] = (truth) => ({ ...(truth() as object), device_id: shown.deviceId });
      const { former } = await browser.ask("former_entry", { takesPlace: true });
      expect(former).toEqual(shown);
      delete world.server.lies["GET users/*/keys"];
      delete world.server.lies["GET me"];
      await expect(browser.ask("restore", { secret: words })).rejects.toMatchObject(refused);
      expect(world.server.devicesOf(alice.id)).toEqual([before]);
    }

    await browser.ask("former_entry", { takesPlace: true });
    await browser.ask("restore", { secret: words });
    await browser.online();
    expect(world.server.devicesOf(alice.id)).toEqual([browser.page.seen.me!.deviceId]);
  });
});
