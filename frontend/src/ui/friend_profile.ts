/** A friend's profile: who they are, whether they were verified, a way to talk, a way to part. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import type { Engine, Friend } from "../engine/contract.ts";
import { language, words } from "../i18n/index.ts";
import { outcomeOf } from "./asking.ts";
import { showCompare } from "./compare.ts";
import { confirmed, showDialog } from "./dialog.ts";
import { longDate } from "./format.ts";
import { FriendElement } from "./friend_element.ts";
import { navigate } from "./navigation.ts";
import { notify, notifyFailure } from "./notices.ts";
import { avatar, name } from "./person.ts";
import { trustBar, trustMark } from "./trust.ts";

export function showFriendProfile(engine: Engine, friend: Friend): Promise<null | undefined> {
  return showDialog(
    (done) =>
      html`<gamrae-friend-profile .engine=${engine} .friend=${friend} .close=${() => done(null)}></gamrae-friend-profile>`,
    { title: words().profile.title(friend.nickname), kind: "sheet" },
  );
}

@customElement("gamrae-friend-profile")
export class FriendProfile extends FriendElement {
  declare friend: Friend;
  @state() private opening = false;

  override render() {
    const t = words().profile;
    const friend = this.friend;
    return html`${trustBar(this.engine, friend)}<div class="profile">
        ${avatar(friend, "large")}
        <p class="profile-name">${name(friend.nickname)} ${trustMark(friend)}</p>
        ${friend.statusMessage === "" ? nothing : html`<p class="profile-status"><bdi>${friend.statusMessage}</bdi></p>`}
        <button type="button" class="button primary wide" autofocus ?disabled=${!friend.hasKeys || this.opening}
          @click=${this.talk}>${t.talk}</button>
        ${friend.hasKeys ? nothing : html`<p class="hint">${t.noKeys}</p>`}
      </div>
      <dl class="facts">
        <div><dt>${t.email}</dt><dd><bdi>${friend.email}</bdi></dd></div>
        <div><dt>${t.safetyNumber}</dt><dd>${this.comparing()}</dd></div>
      </dl>
      <p class="hint">${t.since(longDate(friend.sinceMs, language()))}</p>
      <button type="button" class="button text-danger" @click=${this.unfriend}>${t.remove}</button>`;
  }

  private comparing(): TemplateResult {
    if (!this.friend.hasKeys) return html`<span class="hint">${words().profile.safetyUnknown}</span>`;
    const t = words().trust;
    const { trust } = this.friend;
    const known = { verified: t.verifiedText, unverified: t.unverifiedText, changed: "", verified_changed: "" };
    return html`<span class="hint">${known[trust]}</span>
      <button type="button" class="button small quiet" @click=${() => showCompare(this.engine, this.friend)}>${t.compare}</button>`;
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
