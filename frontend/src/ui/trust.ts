/** How much is known of a friend's account: the mark 확인됨, a line, or a bar that nobody overlooks. */

import { html, nothing, type TemplateResult } from "lit";
import type { Engine, Friend, Id, RoomSummary } from "../engine/contract.ts";
import { words } from "../i18n/index.ts";
import { showCompare } from "./compare.ts";
import { icon } from "./icons.ts";

/** The mark beside a name; nothing for a friend with whom nothing was compared. */
export function trustMark({ trust }: Friend): TemplateResult | typeof nothing {
  if (trust !== "verified") return nothing;
  return html`<span class="tag verified">${icon("tick")}${words().trust.verified}</span>`;
}

/** What a person has to know before they write on: loud for a friend who was verified. */
export function trustBar(engine: Engine, friend: Friend): TemplateResult | typeof nothing {
  const t = words().trust;
  const compare = html`<button type="button" class="button small quiet" @click=${() => showCompare(engine, friend)}>${t.compare}</button>`;
  if (friend.trust === "changed") {
    return html`<div class="trust-line" role="status"><p>${t.changedQuiet(friend.nickname)}</p>${compare}</div>`;
  }
  if (friend.trust !== "verified_changed") return nothing;
  return html`<div class="trust-bar" role="alert">${icon("alert")}
    <div><strong>${t.changedTitle(friend.nickname)}</strong><p>${t.changedText}</p></div>${compare}</div>`;
}

/** The friend that a direct room is with; null in groups, and where they are no friend any more. */
export function friendIn(room: RoomSummary, friends: readonly Friend[], myId: Id): Friend | null {
  if (room.kind !== "direct") return null;
  const other = room.members.find((member) => member.userId !== myId);
  return friends.find((friend) => friend.userId === other?.userId) ?? null;
}
