/** What an owner writes down: six generated words, or RK as a code (docs/protocol.md §5.2). */
import { KEY_SIZE, uint, utf8 } from "./encoding";
import { ProtocolError } from "./errors";
import { type Random, h, systemRandom } from "./primitives";
import { bytesOf, numberOf, readCode, writeCode } from "./typed_code";

export const WORD_COUNT = 6;
export const WORDLIST_SIZE = 7776;
export const CODE_LENGTH = 52;
export const BLOCK_COUNT = 13;

const FIRST = "bcdfghjklmnprstvwz";
const VOWELS = "aeiouy";
const LAST = "aiou";
const SPACE = /[\t\n\r \u00a0\u3000]+/g;
const PLAIN = /^[a-z0-9\uac00-\ud7a3]+( [a-z0-9\uac00-\ud7a3]+)*$/;

/** Give word 0 … 7775 of the list that docs/protocol.md §5.2 defines by formula. */
export function word(number: number): string {
  if (!Number.isInteger(number) || number < 0 || number >= WORDLIST_SIZE) {
    throw new RangeError("a word number is below 7,776");
  }
  const letter = (letters: string, of: number) => letters.charAt(of % letters.length);
  return [
    letter(FIRST, Math.floor(number / 432)),
    letter(VOWELS, Math.floor(number / 72)),
    letter(FIRST, Math.floor(number / 4)),
    letter(LAST, number),
  ].join("");
}

const WORD = new RegExp(`^[${FIRST}][${VOWELS}][${FIRST}][${LAST}]$`);

// I, L and O are read as digits; there is no U.
const BLOCK = /^[0-9A-TV-Za-tv-z]{4}$/;

/** Take typed words apart. */
export function typedWords(text: string): string[] {
  const words = text.normalize("NFC").replace(SPACE, " ").trim().toLowerCase();
  return words === "" ? [] : words.split(" ");
}

/** Give the places (from 1) of typed words that the list does not have. */
export function unknownWords(text: string): number[] {
  return typedWords(text).flatMap((one, at) => (WORD.test(one) ? [] : [at + 1]));
}

/** Split a typed code into its blocks of four: as it was separated, else by counting. */
export function typedBlocks(text: string): string[] {
  const parts = text.replaceAll("-", " ").replace(SPACE, " ").trim().split(" ");
  return parts.length === BLOCK_COUNT ? parts : (parts.join("").match(/.{1,4}/gu) ?? []);
}

/** Give the places (from 1) of typed blocks that are not four characters of a code. */
export function wrongBlocks(text: string): number[] {
  return typedBlocks(text).flatMap((one, at) => (BLOCK.test(one) ? [] : [at + 1]));
}

/** Say whether a typed secret is meant as RK's code: it is nearer to its length than to six words'. */
export function isCode(text: string): boolean {
  const length = text.replace(SPACE, "").replaceAll("-", "").length;
  return length > (WORD_COUNT * 4 + CODE_LENGTH) / 2;
}

/** Draw below 7,776 without favouring the small numbers. */
function uniform(random: Random): number {
  const limit = 65_536 - (65_536 % WORDLIST_SIZE);
  for (;;) {
    const drawn = uint(random(2));
    if (drawn < limit) return drawn % WORDLIST_SIZE;
  }
}

/** Draw a recovery secret: six words of 7,776, about 77 bits. */
export function generateWords(random: Random = systemRandom): string {
  return Array.from({ length: WORD_COUNT }, () => word(uniform(random))).join(" ");
}

/** Bring a typed secret into its one form, as bytes; `recovery` for any other character. */
export function normaliseSecret(text: string): Uint8Array {
  const spaced = text.normalize("NFC").replace(SPACE, " ").replace(/^ | $/g, "");
  const lower = spaced.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  if (!PLAIN.test(lower)) {
    throw new ProtocolError("recovery", "a secret has a-z, digits, Hangul syllables and spaces");
  }
  return utf8(lower);
}

function checksum(recoveryKey: Uint8Array): bigint {
  return BigInt(h("recovery-code", recoveryKey)[0] ?? 0) >> 4n;
}

/** Write RK as 52 characters in 13 groups of four. */
export function encodeCode(recoveryKey: Uint8Array): string {
  if (recoveryKey.length !== KEY_SIZE) throw new RangeError("a recovery key has 32 bytes");
  return writeCode((numberOf(recoveryKey) << 4n) | checksum(recoveryKey), CODE_LENGTH);
}

/** Read RK from its code; `recovery` for another length, character or checksum. */
export function decodeCode(text: string): Uint8Array {
  const bits = readCode(text, CODE_LENGTH);
  if (bits === null) throw new ProtocolError("recovery", "a code has 52 characters");
  const recoveryKey = bytesOf(bits >> 4n, KEY_SIZE);
  if ((bits & 15n) !== checksum(recoveryKey)) {
    throw new ProtocolError("recovery", "a character of the code is wrong");
  }
  return recoveryKey;
}
