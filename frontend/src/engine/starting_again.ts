/**
 * Starting the own account again under a new key, when every device and the recovery key are lost
 * (docs/protocol.md §3.6): announced by a browser without keys, stopped by one that has some.
 */
import { makeVeto, encodeWord } from "../crypto/account_statements";
import { decodeBase64url, encodeBase64url } from "../crypto/encoding";
import { makeReset, resetId, verifyReset } from "../crypto/succession";
import type { Api } from "./api";
import type { StartingAgain } from "./contract";
import type { Core } from "./core";
import { type Enrolment, forgetKeys, makeKeys, pendingEnrolment } from "./enrolment";
import type { Platform } from "./platform";
import { Refusal, refuse } from "./refusal";
import type { Store } from "./store/store";
import type { MeJson, ResetJson } from "./wire";

const PATH = "/api/me/reset";
const COMPLETE = "/api/me/reset/complete";
/** The fact with what the server last said: the reset that waits, or null. */
const FACT = "reset";

interface Surroundings {
  readonly store: Store;
  readonly api: Api;
  readonly platform: Platform;
}

/** Say whether what is to be published begins an account again: it waits for its time. */
export function isStart(pending: Enrolment | null): boolean {
  return pending?.path === COMPLETE;
}

/** Fetch and keep which reset of the own account waits. */
export async function refreshReset(store: Store, api: Api): Promise<ResetJson | null> {
  const { reset } = await api.get<{ reset: ResetJson | null }>(PATH);
  await store.setFact(FACT, reset);
  return reset;
}

/** What screens show of the waiting reset. */
export async function startingAgain(store: Store): Promise<StartingAgain | null> {
  const reset = (await store.fact<ResetJson | null>(FACT)).value ?? null;
  if (!reset) return null;
  const { announced_ms: announcedMs, due_ms: dueMs } = reset;
  const pending = await pendingEnrolment(store);
  return { announcedMs, dueMs, isMine: isStart(pending) && pending?.resetId === reset.reset_id };
}

/**
 * Make the keys under which the account is to go on and announce them. They are kept before the
 * server hears of them; this browser is no device until they are published.
 */
export async function beginReset(
  { store, api, platform }: Surroundings,
  password: string,
): Promise<void> {
  const me = await api.get<MeJson>("/api/me");
  if (me.account_key === null) throw refuse("keys_missing");
  const amkOld = decodeBase64url(me.account_key, 32);
  await forgetKeys(store);
  let announced = { reset: "", reset_sig: "" };
  await makeKeys(store, platform.now(), (account) => {
    const signed = makeReset(account, amkOld, { time: platform.now() });
    announced = { reset: encodeBase64url(signed.data), reset_sig: encodeBase64url(signed.sig) };
    return { path: COMPLETE, resetId: encodeBase64url(resetId(signed)) };
  });
  try {
    await api.post(PATH, { password, ...announced });
  } catch (error) {
    // What the server has refused is announced to nobody; an answer that was lost may have been a yes.
    if (error instanceof Refusal && error.code !== "timeout" && error.code !== "offline") {
      await forgetKeys(store);
    }
    throw error;
  }
  await refreshReset(store, api);
}

/** Take the waiting reset back, and forget the keys that were made for it. */
export async function withdrawReset({ store, api }: Surroundings): Promise<void> {
  try {
    await api.delete(PATH);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== "not_found") throw error;
  }
  await forgetKeys(store);
  await refreshReset(store, api);
}

/** Stop the waiting reset by this device's word; `not_found` when none waits. */
export async function vetoReset(core: Core): Promise<void> {
  const { api, store, keyring } = core;
  const reset = await refreshReset(store, api);
  if (!reset) throw refuse("not_found");
  const signed = { data: decodeBase64url(reset.reset), sig: decodeBase64url(reset.reset_sig, 64) };
  const { user, amkPub } = keyring.device;
  verifyReset(signed, user, amkPub);
  const word = await makeVeto(keyring.device, resetId(signed));
  await api.post(`${PATH}/veto`, { veto: encodeBase64url(encodeWord(word)) });
  await refreshReset(store, api);
}
