/**
 * Edits, deletions, hidings and reactions: what one message may do to another (protocol.md §8.7).
 *
 * Judged in the order of the log. A reader that judges a live copy earlier judges again when it is
 * stored.
 */
import { type Body, type Reference, referenceMembers } from "./body";
import { equalBytes } from "./encoding";
import { ProtocolError } from "./errors";
import { ROLE_ADMIN } from "./roster";
import type { JsonObject } from "./strict_json";

/** Who reacted how, and to which version. */
export interface Reaction {
  readonly user: Uint8Array;
  readonly emoji: string;
  readonly c: Uint8Array;
}

/**
 * What a device knows of one item of the log that others may refer to. `versions` holds the
 * commitments of the original and of every edit that was applied.
 */
export interface Target {
  readonly device: Uint8Array;
  readonly msgId: Uint8Array;
  readonly user: Uint8Array;
  readonly isMessage: boolean;
  readonly versions: readonly Uint8Array[];
  readonly gone: "deleted" | "hidden" | null;
  readonly reactions: readonly Reaction[];
}

/** Who refers: the account and its role in the room at that point of the log. */
export interface Author {
  readonly user: Uint8Array;
  readonly role: number;
}

/** `apply` with the target as it is from now on, or `keep` until the target is known. */
export type Verdict =
  | { readonly verdict: "apply"; readonly target: Target }
  | { readonly verdict: "keep"; readonly target: null };

function ignoredUnless(condition: boolean, why: string): void {
  if (!condition) throw new ProtocolError("reference", why);
}

/** An id is unique only within a device: mallory may use alice's for a message of her own. */
function named(target: Target | null, { device, msgId }: Reference): Target | null {
  const same = target && equalBytes(target.device, device) && equalBytes(target.msgId, msgId);
  return same ? target : null;
}

function holds(versions: readonly Uint8Array[], c: Uint8Array): boolean {
  return versions.some((version) => equalBytes(version, c));
}

/** Name the newest version, as replies and reactions do. */
export function newestOf({ device, msgId, versions }: Target): Reference {
  const c = versions.at(-1);
  if (!c) throw new RangeError("a message has a version");
  return { device, msgId, c };
}

/** Name the message itself, as edits, deletions and hidings do. */
export function originOf({ device, msgId, versions }: Target): Reference {
  const [c] = versions;
  if (!c) throw new RangeError("a message has a version");
  return { device, msgId, c };
}

/**
 * Say what a body with a `target` does; `c` is the commitment of the message it is in.
 *
 * `known` is what is known under the named device and id. A reference that breaks the rules is
 * refused as `reference`: it is ignored and counted, never an error of the message.
 */
export function judgeReference(
  body: Body,
  c: Uint8Array,
  author: Author,
  known: Target | null,
): Verdict {
  const { target: reference, type } = body;
  if (!reference) throw new RangeError("a body that refers to nothing");
  const target = named(known, reference);
  if (!target) return { verdict: "keep", target: null };
  ignoredUnless(target.isMessage, "only messages are referred to");
  const reachable = target.gone === null || (target.gone === "hidden" && type === "delete");
  ignoredUnless(reachable, "it is gone");
  const names = type === "reaction" ? target.versions : target.versions.slice(0, 1);
  ignoredUnless(holds(names, reference.c), "another version than any that is known");
  return { verdict: "apply", target: act(body, c, author, target) };
}

function act(body: Body, c: Uint8Array, author: Author, target: Target): Target {
  const isOwn = equalBytes(author.user, target.user);
  const { rev } = body.members;
  switch (body.type) {
    case "edit":
      ignoredUnless(isOwn, "everybody edits their own");
      ignoredUnless(rev === target.versions.length, "a revision that is not the next one");
      return { ...target, versions: [...target.versions, c] };
    case "delete":
      ignoredUnless(isOwn, "everybody deletes their own");
      return { ...target, gone: "deleted", reactions: [] };
    case "hide":
      ignoredUnless(author.role === ROLE_ADMIN, "only an admin hides");
      return { ...target, gone: "hidden", reactions: [] };
    default:
      return react(body, author, target);
  }
}

function react({ members, target: reference }: Body, author: Author, target: Target): Target {
  const { emoji, set } = members;
  if (typeof emoji !== "string" || !reference) throw new RangeError("a reaction was read before");
  const others = target.reactions.filter(
    (one) => !equalBytes(one.user, author.user) || one.emoji !== emoji,
  );
  if (set !== true) return { ...target, reactions: others };
  return { ...target, reactions: [...others, { user: author.user, emoji, c: reference.c }] };
}

/** What a reply shows of its target: `keep` while unknown, whether it was edited since. */
export interface Quote {
  readonly verdict: "apply" | "keep";
  readonly editedSince: boolean;
}

/**
 * Say what a reply quotes; `reference` when it quotes what nobody wrote. A reply is shown whatever
 * comes out: only the quote above it is not.
 */
export function judgeReply(reply: Reference, known: Target | null): Quote {
  const target = named(known, reply);
  if (!target) return { verdict: "keep", editedSince: false };
  ignoredUnless(target.isMessage, "only messages are quoted");
  ignoredUnless(target.gone === null, "it is gone");
  ignoredUnless(holds(target.versions, reply.c), "another version than any that is known");
  return { verdict: "apply", editedSince: !equalBytes(reply.c, newestOf(target).c) };
}

/**
 * Say who removed a message whose sealed bytes the server no longer has; `server`: by nobody who
 * may, and shown as such.
 */
export function whyGone(
  target: Target | null,
  { expired }: { expired: boolean },
): "author" | "admin" | "expired" | "server" {
  if (target?.gone) return target.gone === "deleted" ? "author" : "admin";
  return expired ? "expired" : "server";
}

/** Give the members of a body that replaces a text; `rev` counts its edits from 1. */
export function editOf(target: Reference, text: string, { rev }: { rev: number }): JsonObject {
  return { type: "edit", target: referenceMembers(target), rev, text };
}

/** Give the members of a body that takes an own message back. */
export function deletionOf(target: Reference): JsonObject {
  return { type: "delete", target: referenceMembers(target) };
}

/** Give the members of a body by which an admin hides a message. */
export function hidingOf(target: Reference): JsonObject {
  return { type: "hide", target: referenceMembers(target) };
}

/** Give the members of a body that sets or clears a reaction. */
export function reactionTo(
  target: Reference,
  emoji: string,
  { isSet }: { isSet: boolean },
): JsonObject {
  return { type: "reaction", target: referenceMembers(target), emoji, set: isSet };
}
