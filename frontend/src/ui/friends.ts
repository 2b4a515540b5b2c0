/** The tab 친구: oneself, requests, and the friends with a field that finds them by their initials. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { Engine, Friend, ReceivedRequest, SentRequest } from "../engine/contract.ts";
import { language, words } from "../i18n/index.ts";
import { showAddFriend } from "./add_friend.ts";
import { outcomeOf } from "./asking.ts";
import { longDate } from "./format.ts";
import { friendMatches } from "./friend_picker.ts";
import { showFriendProfile } from "./friend_profile.ts";
import { icon } from "./icons.ts";
import { LightElement } from "./light.ts";
import { notify, notifyFailure } from "./notices.ts";
import { avatar, emptyState, name, skeletonRows } from "./person.ts";
import type { AppState } from "./state.ts";
import { trustMark } from "./trust.ts";

@customElement("gamrae-friends")
export class Friends extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @property({ attribute: false }) state!: AppState;
  @state() private query = "";

  override render() {
    const t = words().friends;
    return html`<header class="list-head">
        <h1 tabindex="-1">${t.title}</h1>
        <button type="button" class="icon-button" aria-label=${t.add} @click=${this.add}>${icon("addFriend")}</button>
      </header>
      <div class="list-body">${this.myself()}${this.content()}</div>`;
  }

  private content(): TemplateResult {
    const known = this.state.friends;
    if (known === null) return skeletonRows(words().app.loading);
    return html`${this.received(known.received)}${this.sent(known.sent)}${this.list(known.friends)}`;
  }

  private myself(): TemplateResult | typeof nothing {
    const me = this.state.me;
    if (me === null) return nothing;
    return html`<a class="row myself" href="/me">${avatar(me)}
      <span class="row-text">${name(me.nickname)}<span class="row-second"><bdi>${
        me.statusMessage === "" ? words().friends.myStatus : me.statusMessage
      }</bdi></span></span></a>`;
  }

  private received(requests: ReceivedRequest[]): TemplateResult | typeof nothing {
    if (requests.length === 0) return nothing;
    return html`<section class="requests" aria-labelledby="received-head">
      <h2 id="received-head">${words().friends.received(requests.length)}</h2>
      <ul class="items-list">${repeat(requests, (request) => request.id, (request) => this.receivedRow(request))}</ul>
    </section>`;
  }

  // Of a stranger only what tells who asks, their name and address, as text, before they are accepted.
  private receivedRow(request: ReceivedRequest): TemplateResult {
    const t = words().friends;
    return html`<li class="row request">
      <span class="row-text">${name(request.nickname)}
        <span class="row-second"><bdi>${request.email}</bdi></span>
        <span class="row-second">${t.receivedOn(longDate(request.createdMs, language()))}</span></span>
      <span class="row-buttons"><button type="button" class="button small primary" aria-label=${t.acceptFrom(request.nickname)}
        @click=${() => this.accept(request)}>${t.accept}</button>
      <button type="button" class="button small quiet" aria-label=${t.declineFrom(request.nickname)}
        @click=${() => this.ask("friend_request_decline", request.id)}>${t.decline}</button></span>
    </li>`;
  }

  private sent(requests: SentRequest[]): TemplateResult | typeof nothing {
    if (requests.length === 0) return nothing;
    return html`<details class="requests sent">
      <summary>${words().friends.sent(requests.length)}</summary>
      <ul class="items-list">${repeat(requests, (request) => request.id, (request) => this.sentRow(request))}</ul>
    </details>`;
  }

  private sentRow(request: SentRequest): TemplateResult {
    const t = words().friends;
    return html`<li class="row request">
      <span class="row-text"><bdi class="name">${request.email}</bdi>
        <span class="row-second">${t.sentOn(longDate(request.createdMs, language()))}</span></span>
      <button type="button" class="button small quiet" aria-label=${t.withdrawTo(request.email)}
        @click=${() => this.ask("friend_request_withdraw", request.id)}>${t.withdraw}</button>
    </li>`;
  }

  private list(friends: Friend[]): TemplateResult {
    const t = words().friends;
    if (friends.length === 0) {
      const button = html`<button type="button" class="button primary" @click=${this.add}>${t.add}</button>`;
      return emptyState(t.empty, t.emptyHint, button);
    }
    const shown = friends
      .filter((friend) => friendMatches(friend, this.query))
      .sort((a, b) => a.nickname.localeCompare(b.nickname, language()));
    return html`<section aria-labelledby="friends-head">
      <h2 id="friends-head">${t.list(friends.length)}</h2>
      <input class="input search" type="search" autocomplete="off" placeholder=${t.filter} aria-label=${t.filter}
        @input=${(event: InputEvent) => (this.query = (event.target as HTMLInputElement).value)} />
      <ul class="items-list">${repeat(shown, (friend) => friend.userId, (friend) => this.row(friend))}</ul>
      ${shown.length === 0 ? emptyState(t.noMatch, t.noMatchHint) : nothing}
    </section>`;
  }

  private row(friend: Friend): TemplateResult {
    const second = friend.hasKeys ? friend.statusMessage : words().friends.noKeysYet;
    return html`<li><button type="button" class="row" aria-haspopup="dialog" @click=${() => showFriendProfile(this.engine, friend)}>
      ${avatar(friend)}<span class="row-text">${name(friend.nickname)}${
        second === "" ? nothing : html`<span class="row-second"><bdi>${second}</bdi></span>`
      }</span>${trustMark(friend)}${this.warning(friend)}</button></li>`;
  }

  private warning({ trust, nickname }: Friend): TemplateResult | typeof nothing {
    if (trust !== "verified_changed") return nothing;
    return html`<span class="failed-mark">${icon("alert")}<span class="seen-by-readers">${words().trust.changedTitle(nickname)}</span></span>`;
  }

  private readonly add = (): void => void showAddFriend(this.engine);

  private async accept(request: ReceivedRequest): Promise<void> {
    const outcome = await outcomeOf(this.engine.command("friend_request_accept", { id: request.id }));
    if (outcome.done) notify(words().friends.accepted(request.nickname));
    else notifyFailure(outcome.failure);
  }

  private async ask(name: "friend_request_decline" | "friend_request_withdraw", id: string): Promise<void> {
    const outcome = await outcomeOf(this.engine.command(name, { id }));
    if (!outcome.done) notifyFailure(outcome.failure);
  }
}
