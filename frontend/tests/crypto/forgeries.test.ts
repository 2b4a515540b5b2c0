/** Forgeries that only one check stops: each test fails when that check is taken away. */
import sodium from "libsodium-wrappers-sumo";
import { beforeAll, describe, expect, it } from "vitest";
import {
  deviceEntry,
  encodeCode,
  firstDeviceList,
  openRecovery,
  ready,
  sealRecovery,
  verifyDeviceList,
} from "../../src/crypto";
import { encodeDeviceList, parseDeviceList, signDeviceList } from "../../src/crypto/device_list";
import { SUITE_BYTE, concat, fromHex, lp, utf8 } from "../../src/crypto/encoding";
import { deviceId } from "../../src/crypto/identity";
import { checkPublicKey, h, kdf, labelled, publicKey, sign, verify } from "../../src/crypto/primitives";
import { parseJson } from "../../src/crypto/strict_json";
import { XWingError, publicOf } from "../../src/crypto/xwing";
import { NOW, World, seeded } from "./cast";
import { refused } from "./refusals";

const ORDER_8 = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a";
const bkPub = new Uint8Array(1216);
let cast: World;

beforeAll(async () => {
  await ready;
  cast = await World.of("alice", "bob");
});

/** A key outside the main subgroup, and a signer whose signatures libsodium accepts under it. */
function mixedOrderKey() {
  const scalar = sodium.crypto_core_ed25519_scalar_reduce(seeded("mixed")(64));
  const honest = sodium.crypto_scalarmult_ed25519_base_noclamp(scalar);
  const publicHalf = sodium.crypto_core_ed25519_add(honest, fromHex(ORDER_8));
  const signLabelled = (label: string, data: Uint8Array): Uint8Array => {
    for (let attempt = 0; ; attempt += 1) {
      const r = sodium.crypto_core_ed25519_scalar_reduce(seeded(`r ${attempt}`)(64));
      const point = sodium.crypto_scalarmult_ed25519_base_noclamp(r);
      const hash = sodium.crypto_hash_sha512(concat(point, publicHalf, labelled(label, data)));
      const k = sodium.crypto_core_ed25519_scalar_reduce(hash);
      const product = sodium.crypto_core_ed25519_scalar_mul(k, scalar);
      const sig = concat(point, sodium.crypto_core_ed25519_scalar_add(r, product));
      if (refused(() => verify(publicHalf, label, data, sig)) === "ok") return sig;
    }
  };
  return { publicHalf, signLabelled };
}

describe("a key outside the main subgroup", () => {
  it("is refused although signatures under it verify", () => {
    const { publicHalf, signLabelled } = mixedOrderKey();
    const sig = signLabelled("msg", utf8("x"));
    expect(refused(() => verify(publicHalf, "msg", utf8("x"), sig))).toBe("ok");
    expect(refused(() => checkPublicKey(publicHalf))).toBe("signature");
  });

  it("is refused as a device key", () => {
    const { account } = cast.get("alice");
    const { publicHalf: dskPub, signLabelled } = mixedOrderKey();
    const device = deviceId(account.user, dskPub);
    const content = lp(SUITE_BYTE, account.user, account.publicHalf, device);
    const entry = { device, dskPub, accept: signLabelled("device-accept", content), created: NOW };
    const list = firstDeviceList(account, [entry], { time: NOW, bkPub });
    expect(refused(() => verifyDeviceList(list, account.user, account.publicHalf))).toBe(
      "signature",
    );
  });

  it("is refused as an account key", () => {
    const { account, keys, devices } = cast.get("alice");
    const { publicHalf: amkPub, signLabelled } = mixedOrderKey();
    const content = lp(SUITE_BYTE, account.user, amkPub, keys.device);
    const { signingKey } = keys;
    const seed = signingKey.kind === "seed" ? signingKey.seed : new Uint8Array(32);
    const entry = { ...deviceEntry(keys), accept: sign(seed, "device-accept", content) };
    const data = encodeDeviceList({ ...parseDeviceList(devices.data), amkPub, entries: [entry] });
    const forged = { data, sig: signLabelled("devices", h("devices", data)) };
    expect(refused(() => verifyDeviceList(forged, account.user, amkPub))).toBe("signature");
  });
});

describe("a device", () => {
  it("cannot choose its id, even when it signs for it", () => {
    const { account, keys } = cast.get("alice");
    const device = cast.get("bob").keys.device;
    const { signingKey } = keys;
    const seed = signingKey.kind === "seed" ? signingKey.seed : new Uint8Array(32);
    const content = lp(SUITE_BYTE, account.user, account.publicHalf, device);
    const accept = sign(seed, "device-accept", content);
    const list = firstDeviceList(account, [{ ...deviceEntry(keys), device, accept }], {
      time: NOW,
      bkPub,
    });
    expect(refused(() => verifyDeviceList(list, account.user, account.publicHalf))).toBe(
      "signature",
    );
  });

  it("is listed by its own account only", () => {
    const list = parseDeviceList(cast.get("alice").devices.data);
    expect(() => signDeviceList(cast.get("bob").account, list)).toThrow(RangeError);
  });
});

describe("a recovery blob", () => {
  it("that holds another account key than it names gives nothing back", () => {
    const { account, recoveryKey } = cast.get("alice");
    const { account: other } = cast.get("bob");
    const mixed = { ...account, seed: other.seed };
    const { data } = sealRecovery(mixed, recoveryKey, "baba baba", { version: 1 });
    const sig = sign(account.seed, "recovery", h("recovery", data));
    const open = () => openRecovery({ data, sig }, { user: account.user, code: encodeCode(recoveryKey) });
    expect(refused(open)).toBe("recovery");
  });
});

describe("keys of another length", () => {
  it("are errors of the caller, never weaker keys", () => {
    expect(() => kdf(new Uint8Array(31), "msg")).toThrow(RangeError);
    expect(() => kdf(new Uint8Array(33), "msg")).toThrow(RangeError);
    expect(() => publicOf(new Uint8Array(31))).toThrow(XWingError);
    expect(() => encodeCode(new Uint8Array(31))).toThrow(RangeError);
  });
});

describe("JSON", () => {
  it("has six levels of objects, and of lists, and of both", () => {
    const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
    const verdict = (text: string) => refused(() => parseJson(utf8(text)));
    expect([verdict(nested(6)), verdict(nested(7))]).toEqual(["ok", "body"]);
    expect([verdict(`[${nested(5)}]`), verdict(`[${nested(6)}]`)]).toEqual(["ok", "body"]);
  });
});

describe("a signature under one label", () => {
  const LABELS = [
    ...["commit", "device-accept", "devices", "prekey", "auth", "leave", "remove-intent"],
    ...["server-remove", "invite", "msg", "history", "recovery", "suspend", "dispute", "veto"],
    ...["erase", "reset", "succeed", "succeed-device", "profile", "log", "head"],
  ];

  it("is none under any other", () => {
    const [seed, data] = [seeded("labels")(32), utf8("the same bytes")];
    for (const made of LABELS) {
      const sig = sign(seed, made, data);
      const taken = LABELS.filter((label) => refused(() => verify(publicKey(seed), label, data, sig)) === "ok");
      expect(taken).toEqual([made]);
    }
  });
});
