/** A friend's profile: who they are, the number to compare, a way to talk, a way to part. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Engine, Friend } from "../engine/contract.ts";
import { language, words } from "../i18n/index.ts";
import { outcomeOf } from "./asking.ts";
import { confirmed, showDialog } from "./dialog.ts";
import { longDate } from "./format.ts";
import { LightElement } from "./light.ts";
import { navigate } from "./navigation.ts";
import { notify, notifyFailure } from "./notices.ts";
import { avatar, name } from "./person.ts";

export function showFriendProfile(engine: Engine, friend: Friend): Promise<null | undefined> {
  return showDialog(
    (done) =>
      html`<gamrae-friend-profile .engine=${engine} .friend=${friend} .close=${() => done(null)}></gamrae-friend-profile>`,
    { title: words().profile.title(friend.nickname), kind: "sheet" },
  );
}

/** Twelve groups of five digits, as people read them to each other. */
export function groupsOfFive(digits: string): string[] {
  return digits.replace(/\D/g, "").match(/\d{1,5}/g) ?? [];
}

@customElement("gamrae-friend-profile")
export class FriendProfile extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @property({ attribute: false }) friend!: Friend;
  @property({ attribute: false }) close: () => void = () => undefined;
  @state() private safetyNumber = "";
  @state() private opening = false;

  override firstUpdated(): void {
    if (this.friend.hasKeys) void this.loadSafetyNumber();
  }

  override render() {
    const t = words().profile;
    const friend = this.friend;
    return html`<div class="profile">
        ${avatar(friend, "large")}
        <p class="profile-name">${name(friend.nickname)}</p>
        ${friend.statusMessage === "" ? nothing : html`<p class="profile-status"><bdi>${friend.statusMessage}</bdi></p>`}
        <button type="button" class="button primary wide" autofocus ?disabled=${!friend.hasKeys || this.opening}
          @click=${this.talk}>${t.talk}</button>
        ${friend.hasKeys ? nothing : html`<p class="hint">${t.noKeys}</p>`}
      </div>
      <dl class="facts">
        <div><dt>${t.email}</dt><dd><bdi>${friend.email}</bdi></dd></div>
        <div><dt>${t.safetyNumber}</dt><dd>${this.number()}</dd></div>
      </dl>
      <p class="hint">${t.since(longDate(friend.sinceMs, language()))}</p>
      <button type="button" class="button text-danger" @click=${this.unfriend}>${t.remove}</button>`;
  }

  private number(): TemplateResult {
    const t = words().profile;
    if (!this.friend.hasKeys) return html`<span class="hint">${t.safetyUnknown}</span>`;
    return html`<span class="digits" translate="no">${groupsOfFive(this.safetyNumber).map((group) => html`<span>${group}</span> `)}</span>
      <span class="hint">${t.safetyText}</span>`;
  }

  private async loadSafetyNumber(): Promise<void> {
    const outcome = await outcomeOf(this.engine.command("safety_number", { userId: this.friend.userId }));
    if (outcome.done) this.safetyNumber = outcome.result.number;
  }

  private readonly talk = async (): Promise<void> => {
    this.opening = true;
    const outcome = await outcomeOf(this.engine.command("room_open_direct", { userId: this.friend.userId }));
    this.opening = false;
    if (!outcome.done) {
      notifyFailure(outcome.failure);
      return;
    }
    this.close();
    navigate({ page: "room", roomId: outcome.result.roomId });
  };

  private readonly unfriend = async (): Promise<void> => {
    const t = words().profile;
    const { nickname, userId } = this.friend;
    const question = { title: t.removeTitle(nickname), text: t.removeText(nickname), action: t.remove };
    if (!(await confirmed(question))) return;
    const outcome = await outcomeOf(this.engine.command("friend_remove", { userId }));
    if (!outcome.done) {
      notifyFailure(outcome.failure);
      return;
    }
    notify(t.removed);
    this.close();
  };
}
