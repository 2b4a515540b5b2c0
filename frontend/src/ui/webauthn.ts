/** What browsers can do with passkeys (WebAuthn with `prf`); it runs in the page, since no worker may. */

import type { PasskeyAnswer, PasskeyRequest } from "../engine/contract.ts";

/** `address`: the page is at a number, and browsers bind passkeys to names. */
export type PasskeySupport = "yes" | "no" | "address";

/** `unable`: an authenticator that answers no question; `none`: nobody agreed, or nothing fitted. */
export type PasskeyProblem = "unable" | "exists" | "none";

export class PasskeyRefused extends Error {
  constructor(readonly problem: PasskeyProblem) {
    super(problem);
  }
}

const NUMBERS = /^(\d+(\.\d+){3}|\[.*\])$/;
/** EdDSA, ES256, RS256. Nobody checks a signature; authenticators want to be told of one they have. */
const ALGORITHMS = [-8, -7, -257];

const ANSWER_SIZE = 32;

/** Say whether this browser, at this address, may have passkeys that open something. */
export async function passkeySupport(hostname = location.hostname): Promise<PasskeySupport> {
  if (!("PublicKeyCredential" in globalThis)) return "no";
  if (NUMBERS.test(hostname)) return "address";
  return (await lacksPrf()) ? "no" : "yes";
}

/** Browsers that say what they can do may say that they lack this; of others it shows in the answer. */
async function lacksPrf(): Promise<boolean> {
  const { getClientCapabilities } = PublicKeyCredential as Partial<typeof PublicKeyCredential>;
  if (getClientCapabilities === undefined) return false;
  const can = await getClientCapabilities.call(PublicKeyCredential).catch(() => ({}));
  return (can as Record<string, boolean>)["extension:prf"] === false;
}

/** A credential that was just made; `prf` is null where its authenticator answers only when asked again. */
export interface MadePasskey {
  credential: Uint8Array;
  prf: Uint8Array | null;
}

/** Let the person make a passkey, not on an authenticator that has one of the account. */
export async function makePasskey(
  request: PasskeyRequest,
  { name, displayName }: { name: string; displayName: string },
): Promise<MadePasskey> {
  const made = await asked((signal) =>
    navigator.credentials.create({
      signal,
      publicKey: {
        rp: { id: location.hostname, name: location.hostname },
        user: { id: plain(request.user), name, displayName },
        challenge: challenge(),
        pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: "public-key", alg })),
        authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
        attestation: "none",
        excludeCredentials: request.credentials.map(described),
        extensions: question(request),
      },
    }),
  );
  const { enabled, results } = made.getClientExtensionResults().prf ?? {};
  if (enabled !== true && results === undefined) throw new PasskeyRefused("unable");
  return { credential: new Uint8Array(made.rawId), prf: answerOf(made) };
}

/** Ask one of these passkeys; the caller wipes the answer. */
export async function askPasskey(request: PasskeyRequest): Promise<PasskeyAnswer> {
  const given = await asked((signal) =>
    navigator.credentials.get({
      signal,
      publicKey: {
        rpId: location.hostname,
        challenge: challenge(),
        allowCredentials: request.credentials.map(described),
        userVerification: "required",
        extensions: question(request),
      },
    }),
  );
  const prf = answerOf(given);
  if (prf === null) throw new PasskeyRefused("unable");
  return { credential: new Uint8Array(given.rawId), prf };
}

function question({ salt }: PasskeyRequest): AuthenticationExtensionsClientInputs {
  return { prf: { eval: { first: plain(salt) } } };
}

function described(credential: Uint8Array): PublicKeyCredentialDescriptor {
  return { type: "public-key", id: plain(credential) };
}

/** Nobody is signed in by it, so nobody checks it. */
function challenge(): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(32));
}

/** The same bytes, in memory of their own. */
function plain(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

function answerOf(credential: PublicKeyCredential): Uint8Array | null {
  const first = credential.getClientExtensionResults().prf?.results?.first;
  if (first === undefined) return null;
  // Password managers that stand in for the browser give views, too. A view shares its memory: wiping it counts.
  const answer = ArrayBuffer.isView(first) ? new Uint8Array(first.buffer, first.byteOffset, first.byteLength) : new Uint8Array(first);
  return answer.length === ANSWER_SIZE ? answer : null;
}

let waiting = new AbortController();

/** Take the question back that is before the person now. */
export function stopAsking(): void {
  waiting.abort();
}

/** Ask the browser; one question at a time, because it refuses a second. */
async function asked(
  ask: (signal: AbortSignal) => Promise<Credential | null>,
): Promise<PublicKeyCredential> {
  stopAsking();
  waiting = new AbortController();
  try {
    const credential = await ask(waiting.signal);
    if (credential !== null) return credential as PublicKeyCredential;
  } catch (error) {
    throw new PasskeyRefused(problemOf(error));
  }
  throw new PasskeyRefused("none");
}

function problemOf(error: unknown): PasskeyProblem {
  const name = error instanceof Error || error instanceof DOMException ? error.name : "";
  if (name === "InvalidStateError") return "exists";
  return name === "NotSupportedError" || name === "ConstraintError" ? "unable" : "none";
}
