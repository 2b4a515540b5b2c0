/** Codes that a person copies by hand: five bits a character, in groups of four (protocol.md §5.2). */

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const DROPPED = /[-\t\n\r \u00a0\u3000]/g;
const READ_AS: Readonly<Record<string, string>> = { O: "0", I: "1", L: "1" };

/** Read bytes as one number, the first byte being the most significant. */
export function numberOf(data: Uint8Array): bigint {
  return data.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** Give the lowest `size` bytes of a number, the most significant first. */
export function bytesOf(number: bigint, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) =>
    Number((number >> BigInt(8 * (size - 1 - at))) & 255n),
  );
}

/** Write a number of 5 × length bits, most significant first, in groups of four. */
export function writeCode(number: bigint, length: number): string {
  const text = Array.from({ length }, (_, at) => {
    const shift = BigInt(5 * (length - 1 - at));
    return ALPHABET.charAt(Number((number >> shift) & 31n));
  }).join("");
  return text.replace(/.{4}(?=.)/g, "$&-");
}

/** Read the number of a code as people type it; null for another length or character. */
export function readCode(text: string, length: number): bigint | null {
  const compact = text
    .replace(DROPPED, "")
    .replace(/[a-z]/g, (letter) => letter.toUpperCase())
    .replace(/[OIL]/g, (letter) => READ_AS[letter] ?? letter);
  const characters = Array.from(compact);
  if (characters.length !== length || characters.some((one) => !ALPHABET.includes(one))) return null;
  return characters.reduce((sum, one) => (sum << 5n) | BigInt(ALPHABET.indexOf(one)), 0n);
}
