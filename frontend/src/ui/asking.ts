/** Asking the engine and saying, in the words of the page, why something was refused. */

import type { Failure } from "../engine/contract.ts";
import { words } from "../i18n/index.ts";

function isFailure(thrown: unknown): thrown is Failure {
  return typeof thrown === "object" && thrown !== null && "code" in thrown && typeof thrown.code === "string";
}

export type Outcome<T> = { done: true; result: T } | { done: false; failure: Failure };

/** The answer, or the failure that it was refused with; anything else that is thrown is a bug and passes on. */
export async function outcomeOf<T>(asking: Promise<T>): Promise<Outcome<T>> {
  try {
    return { done: true, result: await asking };
  } catch (thrown) {
    if (isFailure(thrown)) return { done: false, failure: thrown };
    throw thrown;
  }
}

// Codes that mean the same to the person who reads them.
const alike: Record<string, string> = {
  unavailable: "busy",
  commit_pending: "busy",
  stale_head: "busy",
  stale_epoch: "busy",
};

/** One sentence that names the next step. A code without a sentence of its own is shown with it. */
export function failureText(failure: Failure): string {
  const { other, ...texts } = words().failure;
  const code = alike[failure.code] ?? failure.code;
  const text = Object.entries(texts).find(([known]) => known === code);
  return text === undefined ? other(failure.code) : text[1];
}
