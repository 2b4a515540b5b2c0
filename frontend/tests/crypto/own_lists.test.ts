import { beforeAll, describe, expect, it } from "vitest";
import {
  type SignedDeviceList,
  firstDeviceList,
  listWith,
  listWithout,
  parseDeviceList,
  walkOwnLists,
} from "../../src/crypto/device_list";
import { type AccountKey, type DeviceEntry, deviceEntry, newAccount, newDevice } from "../../src/crypto/identity";
import { ready } from "../../src/crypto/primitives";
import { refused } from "./refusals";

const user = new Uint8Array(16).fill(7);
let account: AccountKey;
let phone: DeviceEntry;
let laptop: DeviceEntry;
let first: SignedDeviceList;
let second: SignedDeviceList;

beforeAll(async () => {
  await ready;
  account = newAccount(user);
  phone = deviceEntry(await newDevice(user, account.publicHalf, 1));
  laptop = deviceEntry(await newDevice(user, account.publicHalf, 2));
  first = firstDeviceList(account, [phone], { time: 1, bkPub: new Uint8Array(1216) });
  second = listWith(account, first, laptop, { time: 2 });
});

const walk = (...lists: SignedDeviceList[]) => walkOwnLists(lists, { user, amkPub: account.publicHalf });

describe("the own lists", () => {
  it("are read from the first on, and keep what stays byte for byte", () => {
    const third = listWithout(account, second, phone.device, { time: 3 });
    const [one, two, three] = walk(first, second, third);
    expect(two?.entries).toContainEqual(one?.entries[0]);
    expect(three?.entries).toEqual([laptop]);
    expect(two?.bkHash).toEqual(one?.bkHash);
  });

  it("are refused without their first, with a gap, or with none", () => {
    const third = listWithout(account, second, phone.device, { time: 3 });
    for (const lists of [[], [second], [first, third]]) {
      expect(refused(() => walk(...lists))).toBe("reference");
    }
  });

  it("are refused when one contradicts the other", () => {
    const other = listWith(account, first, laptop, { time: 9 });
    const third = listWithout(account, other, phone.device, { time: 10 });
    expect(refused(() => walk(first, second, third))).toBe("list_fork");
  });

  it("take no device twice, lose none that is not there, and not the last one", () => {
    expect(() => listWith(account, first, phone, { time: 2 })).toThrow(RangeError);
    expect(() => listWithout(account, first, laptop.device, { time: 2 })).toThrow(RangeError);
    expect(() => listWithout(account, first, phone.device, { time: 2 })).toThrow(RangeError);
    expect(parseDeviceList(second.data).entries).toHaveLength(2);
  });
});
