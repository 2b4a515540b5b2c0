/** What two people compare: sixty digits, or a code (docs/protocol.md §10). */
import {
  ID_SIZE,
  KEY_SIZE,
  SUITE_BYTE,
  ascending,
  compareBytes,
  concat,
  equalBytes,
  hex,
  lp,
  lpFields,
  typedFields,
  u8,
  uint,
  utf8,
} from "./encoding";
import { ProtocolError } from "./errors";
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

function inOrder(one: AccountIdentity, other: AccountIdentity): AccountIdentity[] {
  return [one, other].sort((left, right) => compareBytes(left.user, right.user));
}

/** Give the bytes that both people's screens show; the same whoever asks. */
export function safetyCode(one: AccountIdentity, other: AccountIdentity): Uint8Array {
  const accounts = inOrder(one, other).map(({ user, amkPub }) => lp(user, amkPub));
  return lp(utf8("safety"), SUITE_BYTE, ...accounts);
}

/**
 * Compare a code from the other screen with the own two accounts, byte by byte. Refuses `parse`
 * and `suite` for what is no code, `reference` for one about other people and `pin_mismatch` for
 * these two with another key: that is what comparing is for.
 */
export function compareCode(data: Uint8Array, one: AccountIdentity, other: AccountIdentity): void {
  const users = typedFields(data, "safety", [null, null]).map((pair) => {
    const [user] = lpFields(pair, [ID_SIZE, KEY_SIZE]);
    return user;
  });
  ascending(users);
  const isOurs = inOrder(one, other).every(({ user }, at) => hex(user) === users.map(hex)[at]);
  if (!isOurs) throw new ProtocolError("reference", "a code of other people");
  if (!equalBytes(data, safetyCode(one, other))) {
    throw new ProtocolError("pin_mismatch", "another account key than on the other screen");
  }
}
