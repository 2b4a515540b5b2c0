/** Each object of docs/protocol.md has one encoding; its reader refuses every other one. */
import { beforeAll, describe, expect, it } from "vitest";
import {
  type Received,
  commitRotation,
  historySource,
  parseBody,
  parseOps,
  parsePrekeys,
  parseRoster,
  parseState,
  skipTo,
} from "../../src/crypto";
import { encodeState, openTitle, parseCore, sealTitle } from "../../src/crypto/commit";
import { EMPTY, TITLE_BUCKETS, lp, pad, u32, u64, u8, utf8 } from "../../src/crypto/encoding";
import { ZERO_NONCE, aeadSeal, kdf } from "../../src/crypto/primitives";
import { chainOf, messageKey } from "../../src/crypto/ratchet";
import { encodeMember } from "../../src/crypto/roster";
import { World, epochOf, viewOf } from "./cast";
import { refused } from "./refusals";

let cast: World;
let garden: Map<string, Received>;

beforeAll(async () => {
  cast = await World.of("alice", "bob");
  garden = await cast.group("alice", "bob");
});

describe("a roster", () => {
  it("has members, ascending and each once", () => {
    const rows = viewOf(garden, "alice").roster.map(encodeMember);
    const [first, second] = [rows[0]!, rows[1]!];
    const verdict = (...members: Uint8Array[]) => refused(() => parseRoster(lp(...members)));
    expect(verdict(first, second)).toBe("ok");
    expect([verdict(), verdict(second, first), verdict(first, first)]).toEqual(
      Array(3).fill("parse"),
    );
  });
});

describe("operations", () => {
  it("have a type of one byte, come in order, and count to 4096", () => {
    const seen = (device: number, nextN: number) =>
      lp(u8(7), new Uint8Array(16).fill(device), u32(nextN));
    const verdict = (...ops: Uint8Array[]) => refused(() => parseOps(lp(...ops)));
    expect(verdict(seen(1, 4096), seen(2, 0))).toBe("ok");
    expect(verdict(seen(1, 4097))).toBe("parse");
    expect(verdict(seen(2, 0), seen(1, 0))).toBe("parse");
    expect(verdict(lp(Uint8Array.of(0, 6)))).toBe("parse");
    expect(verdict(EMPTY)).toBe("parse");
  });
});

describe("a commit's prekeys", () => {
  it("name each device once, in order, and are whole or empty", () => {
    const row = (device: number, seq: number, hash: number) =>
      lp(new Uint8Array(16).fill(device), u64(seq), new Uint8Array(32).fill(hash));
    const verdict = (...rows: Uint8Array[]) => refused(() => parsePrekeys(lp(...rows)));
    expect(verdict(row(1, 1, 1), row(2, 0, 0))).toBe("ok");
    expect(verdict(row(2, 0, 0), row(1, 1, 1))).toBe("parse");
    expect(verdict(row(1, 0, 1))).toBe("parse");
    expect(verdict(row(1, 1, 0))).toBe("parse");
  });
});

describe("a room's state", () => {
  it("says only what this version knows", () => {
    const clear = { kind: 1, historyPolicy: 1, addPolicy: 0, ttlSeconds: 0 };
    const verdict = (change: object) =>
      refused(() => parseState(encodeState({ ...clear, ...change }, EMPTY)));
    expect(verdict({})).toBe("ok");
    const unknown = [{ kind: 0 }, { kind: 3 }, { historyPolicy: 2 }, { addPolicy: 2 }, { ttlSeconds: 1 }];
    expect(unknown.map(verdict)).toEqual(Array(5).fill("parse"));
  });

  it("holds a title that is text, for its own epoch only", async () => {
    const view = viewOf(garden, "alice");
    const core = parseCore((await commitRotation(view, cast.committer("alice"))).core);
    const secret = new Uint8Array(32);
    const sealed = sealTitle(secret, core, "정원");
    expect(openTitle(secret, core, sealed)).toBe("정원");
    const open = (data: Uint8Array, epoch = core.epoch) =>
      refused(() => openTitle(secret, { ...core, epoch }, data));
    expect(open(sealed, core.epoch + 1)).toBe("aead");

    const key = kdf(secret, "state", lp(core.room, u64(core.epoch)));
    const ad = lp(core.room, u64(core.epoch), core.prevHash);
    for (const json of ['{"title":1}', '["title"]', "{}"]) {
      const other = aeadSeal(key, ZERO_NONCE, pad(utf8(json), TITLE_BUCKETS), ad);
      expect(open(other)).toBe("body");
    }
  });
});

describe("a body", () => {
  it("has members of their own shapes only", () => {
    const log = "A".repeat(43);
    const verdict = (members: object) =>
      refused(() => parseBody(utf8(JSON.stringify({ type: "text", text: "hi", ...members }))));
    const fitting = [
      { seen: { seq: 0, log } },
      { void: Array(256).fill([0, 1]) },
      { kt: { size: 1, root: log } },
      { type: "unheard of", text: undefined },
    ];
    const unfit = [
      { text: null },
      { text: 1 },
      { type: 1 },
      { seen: null },
      { seen: { seq: -1, log } },
      { seen: { seq: 0, log: 1 } },
      { seen: { seq: 0, log: "A" } },
      { void: Array(257).fill([0, 1]) },
      { void: [[0, 1, 2]] },
      { void: [0] },
      { kt: { size: true, root: log } },
      { reply: { device: "A", id: "A", c: log } },
    ];
    expect(fitting.map(verdict)).toEqual(fitting.map(() => "ok"));
    expect(unfit.map(verdict)).toEqual(unfit.map(() => "body"));
    expect(refused(() => parseBody(utf8('"text"')))).toBe("body");
  });
});

describe("an epoch", () => {
  it("ends every chain at 4096", () => {
    const epoch = epochOf(garden, "alice");
    const { device } = cast.get("alice").keys;
    const chain = chainOf(epoch, device)!;
    expect(refused(() => messageKey(chain, 4095))).toBe("ok");
    expect(refused(() => messageKey(chain, 4096))).toBe("counter");
    expect(refused(() => skipTo(epoch, device, 4096))).toBe("ok");
    expect(refused(() => skipTo(epoch, device, 4097))).toBe("counter");
    expect(refused(() => skipTo(epoch, new Uint8Array(16), 1))).toBe("roster");
  });

  it("without a history record does not open", async () => {
    const view = viewOf(garden, "alice");
    const commit = await commitRotation(view, cast.committer("alice"));
    const source = historySource(cast.get("alice").keys.user, new Map());
    expect(refused(() => source.secret(commit))).toBe("epoch_unusable");
  });
});
