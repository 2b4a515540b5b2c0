import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { catalogueOf, languageNamed } from "../../src/i18n/index.ts";
import { contains } from "../../src/ui/chosung.ts";
import { withParticle, type Particle } from "../../src/ui/particles.ts";

describe("searching Korean names", () => {
  test.each([
    ["홍길동", "ㅎㄱㄷ"],
    ["홍길동", "ㄱㄷ"],
    ["홍길동", "길ㄷ"],
    ["홍길동", "길"],
    ["홍길동", "기"],
    ["가라", "갈"],
    ["닭갈비", "달"],
    ["회의록", "ㅎㅇㄹ"],
    ["우리 가족 모임", "가족모"],
    ["Alice Kim", "ali"],
    ["Alice Kim", "ICEK"],
    ["누구나", ""],
    ["한글".normalize("NFD"), "한"],
  ])("%s is found by %j", (text, query) => {
    expect(contains(text, query)).toBe(true);
  });

  test.each([
    ["홍길동", "ㄷㄱ"],
    ["홍길동", "길동이"],
    ["가나", "갈"],
    ["앨리스", "alice"],
    ["", "ㄱ"],
  ])("%s is not found by %j", (text, query) => {
    expect(contains(text, query)).toBe(false);
  });
});

describe("Korean particles", () => {
  test.each<[string, Particle, string]>([
    ["감", "을/를", "감을"],
    ["배", "을/를", "배를"],
    ["철수", "이/가", "철수가"],
    ["영숙", "이/가", "영숙이"],
    ["서울", "으로/로", "서울로"],
    ["부산", "으로/로", "부산으로"],
    ["민수", "과/와", "민수와"],
    ["방 1", "이/가", "방 1이"],
    ["방 2", "이/가", "방 2가"],
    ["Alice", "을/를", "Alice를"],
    ["Tom", "을/를", "Tom을"],
    ["감래 ♥", "은/는", "감래 ♥는"],
    ["Bob", "을/를", "Bob을(를)"],
    ["日本", "이/가", "日本이(가)"],
    ["", "이/가", "이(가)"],
  ])("%s with %s is %s", (word, particle, expected) => {
    expect(withParticle(word, particle)).toBe(expected);
  });
});

describe("the two languages", () => {
  const entries = (language: "ko" | "en"): [string, unknown][] =>
    Object.entries(catalogueOf(language)).flatMap(([section, keys]) =>
      Object.entries(keys).map(([key, value]): [string, unknown] => [`${section}.${key}`, value]),
    );

  test("have the same keys, and nothing is empty", () => {
    expect(entries("en").map(([key]) => key)).toEqual(entries("ko").map(([key]) => key));
    expect([...entries("ko"), ...entries("en")].filter(([, value]) => value === "")).toEqual([]);
  });

  test("every key is shown somewhere", () => {
    const screens = new URL("../../src/ui/", import.meta.url);
    const source = readdirSync(screens).map((file) => readFileSync(new URL(file, screens), "utf8")).join("\n");
    // These are looked up by what the engine says.
    const byName = /^(failure|unreadable|state)\.|^composer\.(getting_keys|unconfirmed|fork|pin_mismatch|none)$|^trust\.(same|different|other_people|no_code)$/;
    const keys = entries("ko").map(([key]) => key).filter((key) => !byName.test(key));

    expect(keys.filter((key) => !source.includes(`.${key.split(".")[1] ?? ""}`))).toEqual([]);
  });

  test("no Korean is left in the English", () => {
    const shown = entries("en").map(([, value]) => (typeof value === "function" ? String(value) : value));

    expect(shown.filter((value) => /[가-힣]/u.test(String(value)))).toEqual([]);
  });

  test("no word of cryptographers is on a screen", () => {
    const jargon = /session key|epoch|ratchet|cipher|에포크|세션 키|래칫|암호문/iu;

    expect([...entries("ko"), ...entries("en")].filter(([, value]) => jargon.test(String(value)))).toEqual([]);
  });

  test("English counts one thing as one", () => {
    expect(catalogueOf("en").rooms.unread(1)).toBe("1 unread message");
    expect(catalogueOf("en").rooms.unread(2)).toBe("2 unread messages");
  });

  test("a page without a known language speaks Korean", () => {
    expect([undefined, "", "fr", "ko-KR", "en", "en-GB"].map(languageNamed)).toEqual([
      "ko", "ko", "ko", "ko", "en", "en",
    ]);
  });
});
