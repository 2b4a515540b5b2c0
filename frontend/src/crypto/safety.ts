/** The sixty digits that two people compare (docs/protocol.md §10). */
import { concat, lp, u8, uint, utf8 } from "./encoding";
import { sha512 } from "./primitives";

const ROUNDS = 5200;

/** An account as safety numbers see it. */
export interface AccountIdentity {
  user: Uint8Array;
  amkPub: Uint8Array;
}

/** Give one account's 30 digits: 5,200 rounds of SHA-512 over user id and account key. */
export function fingerprint(user: Uint8Array, amkPub: Uint8Array): string {
  const content = lp(utf8("HRK/1 safety"), u8(1), user, amkPub);
  let digest = sha512(content);
  for (let round = 1; round < ROUNDS; round += 1) digest = sha512(concat(digest, content));
  return [0, 5, 10, 15, 20, 25]
    .map((at) => uint(digest.subarray(at, at + 5)) % 100_000)
    .map((group) => group.toString().padStart(5, "0"))
    .join("");
}

/** Give the 60 digits of two accounts; the same whoever asks. */
export function safetyNumber(one: AccountIdentity, other: AccountIdentity): string {
  const digits = [one, other].map(({ user, amkPub }) => fingerprint(user, amkPub));
  return digits.sort().join("");
}
