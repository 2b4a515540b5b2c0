import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  MAX_BODY,
  MESSAGE_BUCKETS,
  ascending,
  decodeBase64url,
  encodeBase64url,
  equalBytes,
  fromHex,
  hex,
  lp,
  lpFields,
  lpSplit,
  pad,
  typedFields,
  u32,
  u64,
  u8,
  uint,
  unpad,
  utf8,
} from "../../src/crypto/encoding";
import { refused } from "./refusals";

const bytes = (maxLength = 64) => fc.uint8Array({ maxLength });

describe("integers", () => {
  it("never wrap: an encoder refuses what does not fit", () => {
    for (const bad of [-1, 256, 1.5, Number.NaN]) expect(() => u8(bad)).toThrow(RangeError);
    for (const bad of [-1, 2 ** 32]) expect(() => u32(bad)).toThrow(RangeError);
    for (const bad of [-1, 2 ** 53]) expect(() => u64(bad)).toThrow(RangeError);
  });

  it("are big-endian and read back", () => {
    expect(hex(u64(0x0102030405060))).toBe("0000102030405060");
    fc.assert(fc.property(fc.maxSafeNat(), (value) => uint(u64(value)) === value));
  });

  it("from 2^53 on are refused when read, because they would be rounded", () => {
    expect(uint(fromHex("001fffffffffffff"))).toBe(Number.MAX_SAFE_INTEGER);
    expect(refused(() => uint(fromHex("0020000000000000")))).toBe("parse");
  });
});

describe("length-prefixed lists", () => {
  it("come apart in one way only", () => {
    fc.assert(
      fc.property(fc.array(bytes()), (parts) => {
        expect(lpSplit(lp(...parts))).toEqual(parts);
      }),
    );
  });

  it("refuse a cut end, trailing bytes, other counts and other lengths", () => {
    const data = lp(Uint8Array.of(1), Uint8Array.of(2, 3));
    expect(lpFields(data, [1, 2])).toHaveLength(2);
    for (let size = 1; size < data.length; size += 1) {
      expect(refused(() => lpFields(data.slice(0, size), [1, 2]))).toBe("parse");
    }
    expect(refused(() => lpFields(Uint8Array.of(...data, 0), [1, 2]))).toBe("parse");
    expect(refused(() => lpFields(data, [1]))).toBe("parse");
    expect(refused(() => lpFields(data, [1, 2, null]))).toBe("parse");
    expect(refused(() => lpFields(data, [1, 3]))).toBe("parse");
  });

  it("of another kind or suite are refused by name", () => {
    expect(typedFields(lp(utf8("msg"), u8(1)), "msg", [])).toEqual([]);
    expect(refused(() => typedFields(lp(utf8("msh"), u8(1)), "msg", []))).toBe("parse");
    expect(refused(() => typedFields(lp(utf8("msg"), u8(2)), "msg", []))).toBe("suite");
  });

  it("must be strictly ascending where order is demanded", () => {
    expect(() => ascending([u8(1), u8(2), u8(200)])).not.toThrow();
    expect(refused(() => ascending([u8(1), u8(1)]))).toBe("parse");
    expect(refused(() => ascending([u8(200), u8(1)]))).toBe("parse");
  });
});

describe("base64url", () => {
  it("reads what it writes and nothing else", () => {
    fc.assert(
      fc.property(bytes(), (data) => {
        expect(decodeBase64url(encodeBase64url(data))).toEqual(data);
      }),
    );
  });

  it("has one text for each byte string", () => {
    expect(hex(decodeBase64url("_-8"))).toBe("ffef");
    for (const bad of ["_-8=", "_-9", "/+8", "_-8\n", "A", " AAA"]) {
      expect(refused(() => decodeBase64url(bad))).toBe("parse");
    }
    expect(refused(() => decodeBase64url("AAAA", 4))).toBe("parse");
  });
});

describe("padding", () => {
  it("chooses the smallest bucket and gives the content back", () => {
    fc.assert(
      fc.property(bytes(3000), (content) => {
        const padded = pad(content, MESSAGE_BUCKETS);
        expect(padded.length).toBe(MESSAGE_BUCKETS.find((size) => size >= content.length + 4));
        expect(equalBytes(unpad(padded, MESSAGE_BUCKETS), content)).toBe(true);
      }),
    );
  });

  it("ends a bucket at 252 bytes and the last one at 32,764", () => {
    const size = (length: number) => pad(new Uint8Array(length), MESSAGE_BUCKETS).length;
    expect([size(252), size(253), size(MAX_BODY)]).toEqual([256, 512, 32768]);
    expect(refused(() => size(MAX_BODY + 1))).toBe("body");
  });

  it("is no place to hide words in", () => {
    const padded = pad(utf8("hello"), MESSAGE_BUCKETS);
    const dirty = padded.with(255, 1);
    const tooLong = padded.with(3, 253);
    const notSmallest = new Uint8Array(512);
    notSmallest.set(padded);
    const notABucket = padded.slice(0, 255);
    for (const bad of [dirty, tooLong, notSmallest, notABucket]) {
      expect(refused(() => unpad(bad, MESSAGE_BUCKETS))).toBe("body");
    }
  });
});
