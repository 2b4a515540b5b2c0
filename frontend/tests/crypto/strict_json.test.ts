import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, utf8 } from "../../src/crypto/encoding";
import { dumpJson, parseJson } from "../../src/crypto/strict_json";
import { refused } from "./refusals";

const verdict = (text: string) => refused(() => parseJson(utf8(text)));

describe("the JSON profile of bodies", () => {
  it("reads what JSON.parse reads, where both do", () => {
    expect(parseJson(utf8(' {"a":[1,-2,true,null,"\\ud55c\\n"],"b":{}} '))).toEqual({
      a: [1, -2, true, null, "한\n"],
      b: {},
    });
  });

  it.each(["NaN", "1e3", "1.0", "-0", "01", "+1", "Infinity", "9007199254740992", "-9007199254740992"])(
    "refuses the number %s",
    (number) => {
      expect(verdict("9007199254740991")).toBe("ok");
      expect(verdict(number)).toBe("body");
    },
  );

  it.each([
    ["a name twice", '{"a":1,"a":2}'],
    ["a name twice, once escaped", '{"a":1,"\\u0061":2}'],
    ["__proto__ twice", '{"__proto__":1,"__proto__":2}'],
    ["a lone surrogate", '"\\ud800"'],
    ["a lone surrogate as a name", '{"\\udc00":1}'],
    ["a control character", '"\u0001"'],
    ["a byte order mark", "\ufeff{}"],
    ["nothing", ""],
    ["two values", "{} {}"],
    ["a trailing comma", "[1,]"],
    ["a comment", "[1/**/]"],
    ["a no-break space", "[1,\u00a02]"],
    ["seven levels", "[[[[[[[]]]]]]]"],
  ])("refuses %s", (_, text) => {
    expect(verdict(text)).toBe("body");
  });

  it("refuses bytes that are not UTF-8", () => {
    expect(refused(() => parseJson(fromHex("22ff22")))).toBe("body");
    expect(refused(() => parseJson(fromHex("22eda08022")))).toBe("body");
  });

  it("allows six levels", () => {
    expect(verdict("[[[[[[1]]]]]]")).toBe("ok");
  });

  it("keeps a member called __proto__ as a mere member", () => {
    const value = parseJson(utf8('{"__proto__":{"polluted":1}}')) as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expect(value["polluted"]).toBeUndefined();
  });

  it("agrees with JSON.parse on everything it accepts", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), (text) => {
        fc.pre(verdict(text) === "ok");
        expect(JSON.parse(JSON.stringify(parseJson(utf8(text))))).toEqual(JSON.parse(text));
      }),
    );
  });

  it("writes only what it would read", () => {
    expect(refused(() => dumpJson({ text: "\ud800" }))).toBe("body");
    expect(refused(() => dumpJson({ number: 1.5 }))).toBe("body");
    expect(refused(() => dumpJson(undefined))).toBe("body");
    expect(parseJson(dumpJson({ text: "안녕" }))).toEqual({ text: "안녕" });
  });
});
