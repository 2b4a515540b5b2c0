/** The offer of a new device, and the short code that opens it (docs/protocol.md §3.8). */
import { EMPTY, ID_SIZE, SIGNATURE_SIZE, SUITE_BYTE, lp, lpFields, uint } from "./encoding";
import { ProtocolError, refusedAs } from "./errors";
import { type Asking, type LinkCode, type Waiting, linkKey } from "./linking";
import { type SignedPrekey, verifyPrekey } from "./prekeys";
import { type Random, ZERO_NONCE, aeadOpen, aeadSeal, h, kdf, systemRandom } from "./primitives";
import { bytesOf, numberOf, readCode, writeCode } from "./typed_code";
import { PUBLIC_SIZE } from "./xwing";

const SHORT_LENGTH = 24;
const SECRET_SIZE = 14;

/** What is on the new device's screen and nowhere else: 112 random bits. */
export type ScreenSecret = Uint8Array;

/** A new device's code as §3.8 has it, its one-use key, and the prekey it enters with. */
export interface Offer {
  readonly code: Uint8Array;
  readonly xwPub: Uint8Array;
  readonly prekey: SignedPrekey;
}

/** Draw the secret of one attempt. */
export function newScreenSecret(random: Random = systemRandom): ScreenSecret {
  return random(SECRET_SIZE);
}

function checksum(secret: ScreenSecret): bigint {
  return BigInt(h("link-check", secret)[0] ?? 0);
}

/** The 24 characters that a person types, or a camera reads: six groups of four. */
export function shortCode(secret: ScreenSecret): string {
  return writeCode((numberOf(secret) << 8n) | checksum(secret), SHORT_LENGTH);
}

/** Read what a person typed; `link` for another length, character or checksum. */
export function readShortCode(text: string): ScreenSecret {
  const bits = readCode(text, SHORT_LENGTH);
  if (bits === null) throw new ProtocolError("link", "a short code has 24 characters");
  const secret = bytesOf(bits >> 8n, SECRET_SIZE);
  if ((bits & 255n) !== checksum(secret)) {
    throw new ProtocolError("link", "a character of the short code is wrong");
  }
  return secret;
}

/** The name of the server's box, 16 bytes; tells nothing of the secret. */
export function linkId(secret: ScreenSecret): Uint8Array {
  return h("link-id", secret).slice(0, ID_SIZE);
}

/** The key of the one offer that this secret seals. */
function offerKey(secret: ScreenSecret, user: Uint8Array): Uint8Array {
  return kdf(h("link-screen", secret), "link-offer", lp(SUITE_BYTE, user));
}

/** Seal a new device's offer for who sees its screen; at most 4,096 bytes. */
export function sealOffer(
  secret: ScreenSecret,
  waiting: Waiting,
  prekey: SignedPrekey,
): Uint8Array {
  const content = lp(waiting.code.data, linkKey(waiting), prekey.data, prekey.sig);
  // The zero nonce is used once because the secret is.
  return aeadSeal(offerKey(secret, waiting.code.user), ZERO_NONCE, content, EMPTY);
}

/** Open an offer for one's own account; `link` when it is not by who shows this code. */
export function openOffer(secret: ScreenSecret, sealed: Uint8Array, user: Uint8Array): Offer {
  return refusedAs("link", () => {
    const content = aeadOpen(offerKey(secret, user), ZERO_NONCE, sealed, EMPTY);
    const sizes = [null, PUBLIC_SIZE, null, SIGNATURE_SIZE] as const;
    const [code, xwPub, data, sig] = lpFields(content, sizes);
    return { code, xwPub, prekey: { data, sig } };
  });
}

/** Refuse, with `link`, a prekey with which the new device cannot enter (§4). */
export function checkFirstPrekey({ code, read }: Asking, prekey: SignedPrekey): void {
  const { user, device, dskPub, accept } = code;
  const entry = { device, dskPub, accept, created: 0 };
  refusedAs("link", () => {
    const { seq } = verifyPrekey(prekey, { user, entry, now: read });
    if (seq !== 1) throw new ProtocolError("link", "a prekey that is not the first");
  });
}

/** Six digits that both screens show, so that a person sees that they talk of one device. */
export function compareNumber(code: LinkCode): string {
  const number = uint(h("link-compare", code.data).slice(0, 4)) % 1_000_000;
  return String(number).padStart(6, "0");
}
