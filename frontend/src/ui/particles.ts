/** Korean particles follow the sound that a word ends in: 감을, 배를; 서울로, 부산으로. */

export type Particle = "은/는" | "이/가" | "을/를" | "과/와" | "으로/로" | "이에요/예요";

type Ending = "vowel" | "consonant" | "rieul" | "unknown";

// How the digits are read: 영 일 이 삼 사 오 육 칠 팔 구.
const DIGITS: readonly Ending[] = [
  "consonant", "rieul", "vowel", "consonant", "vowel", "vowel", "consonant", "rieul", "rieul", "vowel",
];

function syllableEnding(code: number): Ending {
  const final = (code - 0xac00) % 28;
  if (final === 0) return "vowel";
  return final === 8 ? "rieul" : "consonant";
}

function letterEnding(letter: string): Ending {
  if (letter === "l") return "rieul";
  if ("mn".includes(letter)) return "consonant";
  return "aeiouwy".includes(letter) ? "vowel" : "unknown";
}

function endingOf(word: string): Ending {
  const last = Array.from(word.normalize("NFC").toLowerCase()).findLast((char) => /[\p{L}\p{N}]/u.test(char)) ?? "";
  const code = last.codePointAt(0) ?? 0;
  if (code >= 0xac00 && code <= 0xd7a3) return syllableEnding(code);
  if (/[0-9]/u.test(last)) return DIGITS[Number(last)] ?? "unknown";
  return /[a-z]/u.test(last) ? letterEnding(last) : "unknown";
}

/** The word with the fitting form of the particle; both forms, "을(를)", where the sound is not known. */
export function withParticle(word: string, particle: Particle): string {
  const [afterConsonant = "", afterVowel = ""] = particle.split("/");
  const ending = endingOf(word);
  if (ending === "unknown") return `${word}${afterConsonant}(${afterVowel})`;
  const likeVowel = ending === "vowel" || (ending === "rieul" && particle === "으로/로");
  return `${word}${likeVowel ? afterVowel : afterConsonant}`;
}
