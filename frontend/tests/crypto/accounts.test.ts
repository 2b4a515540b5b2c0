import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  HISTORY_OFF,
  LIFETIME_MS,
  LOG_START,
  acceptDeviceList,
  checkLogHash,
  checkVoid,
  commitRotation,
  createGroup,
  decodeCode,
  defaultState,
  deviceEntry,
  deviceProof,
  encodeCode,
  eventHash,
  fingerprint,
  generateWords,
  historySource,
  historyWriter,
  joinByInvite,
  listHash,
  makeInvite,
  newDevice,
  newNonExtractableKey,
  newPrekey,
  newSeedKey,
  nextDeviceList,
  nextLogHash,
  normaliseSecret,
  openHistory,
  openRecovery,
  parseCore,
  parseDeviceList,
  ready,
  receiveCommit,
  safetyNumber,
  sealRecovery,
  signerOf,
  systemRandom,
  verifyDeviceList,
  verifyDeviceProof,
  verifyPrekey,
  commitAdd,
  hex,
  backupSeed,
  backupPublic,
  findMember,
  roomOf,
  groupOrigin,
} from "../../src/crypto";
import { same, verify } from "../../src/crypto/primitives";
import { word } from "../../src/crypto/recovery_secret";
import { decapsulate, encapsulate, publicOf } from "../../src/crypto/xwing";
import { DAY, NOW, World, seeded, viewOf } from "./cast";
import { refused, refusedLater } from "./refusals";

let cast: World;

beforeAll(async () => {
  await ready;
  cast = await World.of("alice", "bob", "carol", "dave", "mallory");
});

describe("a device list", () => {
  const verdict = (name: string, of: string) => {
    const { account } = cast.get(of);
    const list = cast.get(name).devices;
    return refused(() => verifyDeviceList(list, account.user, account.publicHalf));
  };

  it("is the pinned account's or nobody's", () => {
    expect(verdict("alice", "alice")).toBe("ok");
    expect(verdict("mallory", "alice")).toBe("pin_mismatch");
  });

  it("that was changed by one bit does not verify", () => {
    const { devices, account } = cast.get("alice");
    const changed = { ...devices, data: devices.data.with(-1, (devices.data.at(-1) ?? 0) ^ 1) };
    const check = () => verifyDeviceList(changed, account.user, account.publicHalf);
    expect(refused(check)).toBe("signature");
  });

  it("moves forward only: no rollback, no fork, no hole", () => {
    const { account, devices: first, keys } = cast.get("alice");
    const whose = { user: account.user, amkPub: account.publicHalf };
    const make = (before: typeof first, time: number) =>
      nextDeviceList(account, before, [deviceEntry(keys)], { time });
    const [second, other] = [make(first, NOW + 1), make(first, NOW + 2)];
    const third = make(second, NOW + 3);
    const known = acceptDeviceList(null, [first], whose);

    const after = acceptDeviceList(known, [second, third], whose);
    expect(after).toEqual({ version: 3, listHash: listHash(third) });
    expect(refused(() => acceptDeviceList(after, [second], whose))).toBe("list_rollback");
    expect(refused(() => acceptDeviceList(known, [third], whose))).toBe("reference");
    const atSecond = acceptDeviceList(known, [second], whose);
    expect(refused(() => acceptDeviceList(atSecond, [other], whose))).toBe("list_fork");
  });

  it("cannot claim another account's device", () => {
    const { account, devices } = cast.get("mallory");
    const stolen = deviceEntry(cast.get("alice").keys);
    const list = nextDeviceList(account, devices, [stolen], { time: NOW });
    const check = () => verifyDeviceList(list, account.user, account.publicHalf);
    expect(refused(check)).toBe("signature");
  });
});

describe("a device key", () => {
  it("in the browser's own store signs like one of libsodium, and cannot be taken out", async () => {
    const { account } = cast.get("alice");
    const key = await newNonExtractableKey();
    expect(key?.kind).toBe("webcrypto");
    const keys = await newDevice(account.user, account.publicHalf, NOW, key!);
    const proof = await deviceProof(keys, "https://chat.example:443", new Uint8Array(32));
    const claim = {
      origin: "https://chat.example:443",
      nonce: new Uint8Array(32),
      user: keys.user,
      device: keys.device,
    };
    expect(refused(() => verifyDeviceProof(proof, keys.dskPub, claim))).toBe("ok");
    const privateKey = key?.kind === "webcrypto" ? key.key : null;
    await expect(crypto.subtle.exportKey("pkcs8", privateKey!)).rejects.toThrow();
  });

  it("gives the same signature from both kinds of signer", async () => {
    const seed = seeded("signer")(32);
    const header = Buffer.from("302e020100300506032b657004220420", "hex");
    const pkcs8 = Uint8Array.from([...header, ...seed]);
    const key = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"]);
    const bySeed = newSeedKey(() => seed);
    const byBrowser = { kind: "webcrypto", key, publicHalf: bySeed.publicHalf } as const;
    const data = Uint8Array.of(1, 2, 3);
    const signed = await signerOf(byBrowser).sign("msg", data);
    expect(signed).toEqual(await signerOf(bySeed).sign("msg", data));
    expect(refused(() => verify(bySeed.publicHalf, "msg", data, signed))).toBe("ok");
    expect(refused(() => verify(bySeed.publicHalf, "leave", data, signed))).toBe("signature");
  });

  it("proves itself to one origin and one nonce only", async () => {
    const { keys } = cast.get("alice");
    const nonce = seeded("nonce")(32);
    const origin = "http://127.0.0.1:8000";
    const proof = await deviceProof(keys, origin, nonce);
    const { user, device } = keys;
    const check = (change: object) =>
      refused(() =>
        verifyDeviceProof(proof, keys.dskPub, { origin, nonce, user, device, ...change }),
      );
    expect(check({})).toBe("ok");
    expect(check({ origin: "http://127.0.0.1:8001" })).toBe("signature");
    expect(check({ nonce: new Uint8Array(32) })).toBe("signature");
    expect(check({ origin: "https://chat.example" })).toBe("parse");
  });
});

describe("a prekey", () => {
  it("is used while it is valid, its own device's, and not older than one already seen", () => {
    const { account, keys, prekey } = cast.get("alice");
    const verdict = (change: object) =>
      refused(() =>
        verifyPrekey(prekey, { user: account.user, entry: deviceEntry(keys), now: NOW, ...change }),
      );
    expect(verdict({ now: NOW + LIFETIME_MS + DAY })).toBe("ok");
    expect(verdict({ now: NOW + LIFETIME_MS + DAY + 1 })).toBe("prekey");
    expect(verdict({ seqFloor: 2 })).toBe("prekey");
    expect(verdict({ entry: deviceEntry(cast.get("bob").keys) })).toBe("prekey");
  });
});

describe("X-Wing", () => {
  it("gives both sides one secret", () => {
    const seed = systemRandom(32);
    const { ciphertext, sharedSecret } = encapsulate(publicOf(seed));
    expect(same(decapsulate(seed, ciphertext), sharedSecret)).toBe(true);
  });

  it("refuses keys and ciphertexts of small order, out of range or of another length", () => {
    const seed = systemRandom(32);
    const publicHalf = publicOf(seed);
    const smallOrder = Uint8Array.from([...publicHalf.slice(0, 1184), ...new Uint8Array(32)]);
    const outOfRange = publicHalf.map((byte, at) => (at < 1184 ? 255 : byte));
    const { ciphertext } = encapsulate(publicHalf);
    const smallCiphertext = Uint8Array.from([...ciphertext.slice(0, 1088), ...new Uint8Array(32)]);
    expect(() => encapsulate(smallOrder)).toThrow("cannot be used");
    expect(() => encapsulate(outOfRange)).toThrow("cannot be used");
    expect(() => encapsulate(publicHalf.slice(1))).toThrow("1216");
    expect(() => decapsulate(seed, smallCiphertext)).toThrow("cannot be used");
    expect(() => decapsulate(seed, ciphertext.slice(1))).toThrow("1120");
  });
});

describe("recovery", () => {
  it("gives the account back for the six words, and for the code", () => {
    const { account, recoveryKey } = cast.get("alice");
    const words = generateWords(seeded("words"));
    const blob = sealRecovery(account, recoveryKey, words, { version: 1 });
    const { user } = account;
    const byWords = openRecovery(blob, { user, secret: `  ${words.toUpperCase()}\n` });
    const byCode = openRecovery(blob, { user, code: encodeCode(recoveryKey).toLowerCase() });
    expect(byWords.account).toEqual(account);
    expect(byCode).toEqual(byWords);
    expect(refused(() => openRecovery(blob, { user, secret: "baba baba baba" }))).toBe("recovery");
    expect(refused(() => openRecovery(blob, { user, secret: words, knownVersion: 2 }))).toBe(
      "recovery",
    );
  });

  it("knows 7,776 different words, by formula", () => {
    expect([word(0), word(7775)]).toEqual(["baba", "zyzu"]);
    expect(new Set(Array.from({ length: 7776 }, (_, n) => word(n))).size).toBe(7776);
    expect(() => word(7776)).toThrow(RangeError);
  });

  it("draws words without favour: what does not divide evenly is drawn again", () => {
    const draws = [Uint8Array.of(255, 255), ...Array.from({ length: 6 }, () => Uint8Array.of(0, 1))];
    expect(generateWords(() => draws.shift()!)).toBe(Array(6).fill(word(1)).join(" "));
  });

  it("reads a secret however it was typed", () => {
    const typed = "\u3000가나  baba\tZYZU\u00a0".normalize("NFD");
    expect(new TextDecoder().decode(normaliseSecret(typed))).toBe("가나 baba zyzu");
    for (const bad of ["", "  ", "naïve", "a-b", "ㄱ"]) {
      expect(refused(() => normaliseSecret(bad))).toBe("recovery");
    }
  });

  it("reads every code it writes, and no code with a wrong character", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
        expect(decodeCode(encodeCode(key))).toEqual(key);
      }),
    );
    const code = encodeCode(new Uint8Array(32));
    expect(decodeCode(code.replaceAll("0", "o"))).toEqual(new Uint8Array(32));
    for (const bad of [code.slice(1), `1${code.slice(1)}U`, code.replace("0", "U")]) {
      expect(refused(() => decodeCode(bad))).toBe("recovery");
    }
  });
});

describe("history", () => {
  it("lets an account that lost its prekeys read an epoch again", async () => {
    const { account, keys, devices, recoveryKey } = cast.get("bob");
    const garden = await cast.group("alice", "bob");
    const view = viewOf(garden, "bob");
    const commit = await commitRotation(view, cast.committer("alice"));
    const list = parseDeviceList(devices.data);
    const writer = historyWriter(keys, list, backupPublic(recoveryKey, account.user, 1));
    const reader = { room: view.room, trust: cast.trust(), source: cast.source("bob") };
    const { history, epoch } = await receiveCommit(view, commit, { ...reader, history: writer });

    const own = { user: account.user, devices: list, backupSeed: backupSeed(recoveryKey, account.user, 1) };
    const secret = openHistory(history!, commit, own);
    const source = historySource(keys.user, new Map([[hex(history!.name.commitHash), secret]]));
    const again = await receiveCommit(view, commit, { ...reader, source });
    expect(again.epoch).toEqual(epoch);
  });

  it("is not written in a room without history", async () => {
    const { account, keys, devices, recoveryKey } = cast.get("alice");
    const writer = historyWriter(keys, parseDeviceList(devices.data), backupPublic(recoveryKey, account.user, 1));
    const clear = { ...defaultState(1), historyPolicy: HISTORY_OFF };
    const commit = await createGroup(cast.committer("alice"), [devices], { title: "quiet", clear });
    const { room } = parseCore(commit.core);
    const reader = { room, trust: cast.trust(), source: cast.source("alice"), history: writer };
    const { outcome, epoch, history } = await receiveCommit(null, commit, reader);
    expect([outcome, epoch?.opened, history]).toEqual(["ok", true, null]);
  });

  it("is not written to a backup key that the own list does not name", () => {
    const { keys, devices } = cast.get("bob");
    const list = parseDeviceList(devices.data);
    expect(refused(() => historyWriter(keys, list, new Uint8Array(1216)))).toBe("recovery");
  });
});

describe("an invitation", () => {
  it("by a pinned contact lets a newcomer in without the whole chain", async () => {
    const garden = await cast.group("alice", "bob");
    const view = viewOf(garden, "alice");
    const carol = cast.get("carol");
    const commit = await commitAdd(view, [carol.devices], cast.committer("alice"));
    const after = await cast.receive("alice", view, commit);
    const { roster } = after.view;
    const newcomer = findMember(roster, carol.account.user)!;
    const { keys } = cast.get("alice");
    const invite = await makeInvite(keys, after.view, newcomer, parseCore(commit.core).prevHash);
    const own = { user: carol.account.user, amkPub: carol.account.publicHalf };
    const reader = { trust: cast.trust(), source: cast.source("carol"), roster, own };

    const joined = await joinByInvite(invite, commit, reader);
    expect([joined.outcome, joined.view.title]).toEqual(["ok", "garden"]);
    expect(joined.epoch?.chains).toEqual(after.epoch?.chains);

    const unpinned = { ...reader, trust: cast.trust({ pins: new Map() }) };
    const mallory = { ...reader, own: { ...own, user: cast.get("mallory").account.user } };
    const shrunk = { ...reader, roster: roster.slice(1) };
    expect(await refusedLater(() => joinByInvite(invite, commit, unpinned))).toBe("pin_mismatch");
    expect(await refusedLater(() => joinByInvite(invite, commit, mallory))).toBe("reference");
    expect(await refusedLater(() => joinByInvite(invite, commit, shrunk))).toBe("roster");
  });
});

describe("the log hash", () => {
  it("shows dropping and reordering", () => {
    const items = ["a", "b", "c"].map((name) => eventHash(new TextEncoder().encode(name)));
    const roll = (order: number[]) =>
      order.reduce<Uint8Array>((log, item, at) => nextLogHash(log, at + 1, items[item]!), LOG_START);
    expect(refused(() => checkLogHash(roll([0, 1, 2]), roll([0, 1, 2])))).toBe("ok");
    expect(refused(() => checkLogHash(roll([0, 1, 2]), roll([1, 0, 2])))).toBe("log_fork");
    expect(refused(() => checkLogHash(roll([0, 1, 2]), roll([0, 2])))).toBe("log_fork");
  });

  it("does not let a device call a stored message void", () => {
    expect(refused(() => checkVoid([[1, 2]], [[1, 3], [2, 2]]))).toBe("ok");
    expect(refused(() => checkVoid([[1, 2]], [[1, 2]]))).toBe("counter");
  });
});

describe("a safety number", () => {
  it("is sixty digits, the same for both, and another one for another key", () => {
    const [alice, bob, mallory] = ["alice", "bob", "mallory"].map((name) => {
      const { user, publicHalf } = cast.get(name).account;
      return { user, amkPub: publicHalf };
    });
    const number = safetyNumber(alice!, bob!);
    expect(number).toMatch(/^[0-9]{60}$/);
    expect(safetyNumber(bob!, alice!)).toBe(number);
    expect(safetyNumber(alice!, { ...bob!, amkPub: mallory!.amkPub })).not.toBe(number);
    expect(number).toContain(fingerprint(alice!.user, alice!.amkPub));
  });
});

describe("a new group", () => {
  it("has an id that nobody chose", () => {
    const { keys } = cast.get("alice");
    const [one, other] = [roomOf(groupOrigin(keys)), roomOf(groupOrigin(keys))];
    expect(one).toHaveLength(16);
    expect(hex(one)).not.toBe(hex(other));
  });

  it("is made from prekeys that everybody renews", async () => {
    const { keys, account } = cast.get("alice");
    const { prekey } = await newPrekey(keys, { seq: 2, created: NOW + DAY });
    const expected = { user: account.user, entry: deviceEntry(keys), now: NOW + DAY, seqFloor: 2 };
    expect(verifyPrekey(prekey, expected).seq).toBe(2);
  });
});
