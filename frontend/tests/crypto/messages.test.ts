import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  type EpochState,
  type Known,
  type MessageIndex,
  NOTHING_KNOWN,
  type Sealed,
  openMessage,
  parseEnvelope,
  sealMessage,
  skipTo,
  textBody,
} from "../../src/crypto";
import { NOW, World, epochOf } from "./cast";
import { refused, refusedLater } from "./refusals";

let cast: World;
let alice: EpochState;
let bob: EpochState;
const id = (n: number) => new Uint8Array(16).fill(n);

beforeAll(async () => {
  cast = await World.of("alice", "bob", "mallory");
  const received = await cast.direct("alice", "bob");
  alice = epochOf(received, "alice");
  bob = epochOf(received, "bob");
});

function write(epoch: EpochState, text: string, msgId = id(1)): Promise<Sealed> {
  return sealMessage(epoch, cast.get("alice").keys, textBody(text), { msgId, time: NOW });
}

async function writeSeveral(count: number): Promise<Sealed[]> {
  const sealed: Sealed[] = [];
  let epoch = alice;
  for (let n = 0; n < count; n += 1) {
    const message = await write(epoch, `number ${n}`, id(n));
    sealed.push(message);
    epoch = message.epoch;
  }
  return sealed;
}

function remembering(sealed: Sealed, text: string): MessageIndex {
  const known: Known = { eid: sealed.eid, body: textBody(text), key: sealed.key };
  return { ...NOTHING_KNOWN, byId: () => known };
}

describe("a message", () => {
  it("opens to what was sealed", async () => {
    const { envelope } = await write(alice, "안녕");
    const { message, outcome } = openMessage(envelope, bob, { room: bob.room });
    expect([outcome, message?.body.text, message?.pre.n]).toEqual(["ok", "안녕", 0]);
  });

  it("of any text opens to the same text", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme", maxLength: 200 }), async (text) => {
        const { envelope } = await write(alice, text);
        expect(openMessage(envelope, bob, { room: bob.room }).message?.body.text).toBe(text);
      }),
      { numRuns: 50 },
    );
  });

  it("with one flipped bit never opens", async () => {
    const { envelope } = await write(alice, "hello");
    expect(refused(() => openMessage(envelope, bob, { room: bob.room }))).toBe("ok");
    fc.assert(
      fc.property(fc.nat(envelope.length - 1), fc.nat(7), (at, bit) => {
        const flipped = envelope.with(at, (envelope[at] ?? 0) ^ (1 << bit));
        expect(refused(() => openMessage(flipped, bob, { room: bob.room }))).not.toBe("ok");
      }),
    );
  });

  it("opens in any order, each once", async () => {
    const sealed = await writeSeveral(4);
    let state: EpochState | null = bob;
    for (const n of [2, 0, 3, 1]) {
      const opened = openMessage(sealed[n]!.envelope, state, { room: bob.room });
      expect(opened.message?.body.text).toBe(`number ${n}`);
      state = opened.epoch;
    }
    const again = () => openMessage(sealed[2]!.envelope, state, { room: bob.room });
    expect(refused(again)).toBe("counter");
  });

  it("survives garbage with its counter, because garbage burns no key", async () => {
    const [first, second] = await writeSeveral(2);
    const afterSecond = openMessage(second!.envelope, bob, { room: bob.room }).epoch;
    const garbage = first!.envelope.with(-1, (first!.envelope.at(-1) ?? 0) ^ 1);
    expect(refused(() => openMessage(garbage, afterSecond, { room: bob.room }))).toBe("aead");
    const real = openMessage(first!.envelope, afterSecond, { room: bob.room });
    expect(real.message?.body.text).toBe("number 0");
  });

  it("does not change the state it was opened with", async () => {
    const before = structuredClone(bob);
    const { envelope } = await write(alice, "hello");
    openMessage(envelope, bob, { room: bob.room });
    expect(bob).toEqual(before);
  });

  it("that is known is not opened again", async () => {
    const { envelope } = await write(alice, "hello");
    const index = { ...NOTHING_KNOWN, has: () => true };
    expect(openMessage(envelope, bob, { room: bob.room, index }).message).toBeNull();
  });

  it("sealed twice under one id is one message when the words are the same", async () => {
    const [first, second] = [await write(alice, "hello"), await writeSeveral(2)];
    const later = await write(second[1]!.epoch, "hello");
    const index = remembering(first, "hello");
    const opened = openMessage(later.envelope, bob, { room: bob.room, index });
    expect([opened.outcome, opened.again]).toEqual(["ok", true]);
  });

  it("with other words under one id is equivocation", async () => {
    const first = await write(alice, "yes");
    const later = await write(first.epoch, "no");
    const index = remembering(first, "yes");
    const opened = openMessage(later.envelope, bob, { room: bob.room, index });
    expect(opened.outcome).toBe("equivocation");
  });

  it("of another room, epoch, branch or sender is refused by name", async () => {
    const { envelope } = await write(alice, "hello");
    const room = bob.room;
    const device = [...bob.chains.keys()];
    const without = { ...bob, chains: new Map() };
    const open = (state: EpochState | null, options = { room }) =>
      refused(() => openMessage(envelope, state, options));
    expect(open(bob)).toBe("ok");
    expect(open(bob, { room: id(9) })).toBe("reference");
    expect(open(null)).toBe("epoch_gap");
    expect(open({ ...bob, commitHash: new Uint8Array(32) })).toBe("fork");
    expect(open({ ...bob, opened: false })).toBe("epoch_unusable");
    expect(open(without)).toBe("roster");
    expect(open(bob, { room, revoked: new Set(device) } as never)).toBe("roster");
  });

  it("cannot be sealed by a device that is not in the epoch", async () => {
    const { keys } = cast.get("mallory");
    const seal = () => sealMessage(alice, keys, textBody("hi"), { msgId: id(1), time: NOW });
    expect(await refusedLater(seal)).toBe("roster");
  });

  it("is not sealed in a closed epoch, nor without a well-formed body", async () => {
    const { keys } = cast.get("alice");
    const seal = (epoch: EpochState, body: Uint8Array) =>
      refusedLater(() => sealMessage(epoch, keys, body, { msgId: id(1), time: NOW }));
    expect(await seal(alice, textBody("hi"))).toBe("ok");
    expect(await seal({ ...alice, opened: false }, textBody("hi"))).toBe("epoch_unusable");
    expect(await seal(alice, new Uint8Array(5))).toBe("body");
  });

  it("is never larger than 34,000 bytes", async () => {
    const { envelope } = await write(alice, "x".repeat(32_000));
    const stretched = new Uint8Array(34_001);
    stretched.set(envelope);
    expect(refused(() => parseEnvelope(envelope))).toBe("ok");
    expect(refused(() => parseEnvelope(stretched))).toBe("parse");
  });

  it("has a counter below 4096, and skipping keeps no keys", async () => {
    const { device } = cast.get("alice").keys;
    const last = await write(skipTo(alice, device, 4095), "last");
    expect(last.n).toBe(4095);
    expect(openMessage(last.envelope, bob, { room: bob.room }).outcome).toBe("ok");
    expect(await refusedLater(() => write(last.epoch, "one more"))).toBe("counter");
  });

  it("shows the server its header and nothing else", async () => {
    const { envelope } = await write(alice, "unmistakable phrase");
    const { pre } = parseEnvelope(envelope).header;
    expect(pre.msgId).toEqual(id(1));
    expect(new TextDecoder("latin1").decode(envelope)).not.toContain("unmistakable");
  });
});
