/** Choosing friends: a search field, chips of those chosen, and a list of boxes to tick. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { Friend, Id } from "../engine/contract.ts";
import { words } from "../i18n/index.ts";
import { contains } from "./chosung.ts";
import { icon } from "./icons.ts";
import { LightElement } from "./light.ts";
import { avatar, name } from "./person.ts";

export function friendMatches(friend: Friend, query: string): boolean {
  return contains(friend.nickname, query) || contains(friend.email, query);
}

/** `<gamrae-friend-picker .friends .label ?single @picked>`: `event.detail` are the chosen ids. */
@customElement("gamrae-friend-picker")
export class FriendPicker extends LightElement {
  @property({ attribute: false }) friends: Friend[] = [];
  @property({ attribute: false }) label = "";
  @property({ type: Boolean }) single = false;
  @state() private chosen: Id[] = [];
  @state() private query = "";

  override render() {
    const shown = this.friends.filter((friend) => friendMatches(friend, this.query));
    return html`
      ${this.single ? nothing : this.chips()}
      <input class="input search" type="search" autocomplete="off" placeholder=${words().friends.filter}
        aria-label=${words().friends.filter}
        @input=${(event: InputEvent) => (this.query = (event.target as HTMLInputElement).value)} />
      <fieldset class="picker">
        <legend class="seen-by-readers">${this.label}</legend>
        ${repeat(shown, (friend) => friend.userId, (friend) => this.option(friend))}
        ${shown.length === 0 ? html`<p class="hint">${words().friends.noMatch}</p>` : nothing}
      </fieldset>`;
  }

  private chips(): TemplateResult {
    const chosen = this.friends.filter((friend) => this.chosen.includes(friend.userId));
    return html`<p class="seen-by-readers" role="status">${words().rooms.chosen(chosen.length)}</p>
      <ul class="chips">${repeat(chosen, (friend) => friend.userId, (friend) => this.chip(friend))}</ul>`;
  }

  private chip(friend: Friend): TemplateResult {
    return html`<li><button type="button" class="chip" aria-label=${words().rooms.unpick(friend.nickname)}
      @click=${() => this.toggle(friend.userId)}>${name(friend.nickname)}${icon("close")}</button></li>`;
  }

  private option(friend: Friend): TemplateResult {
    return html`<label class="row option ${friend.hasKeys ? "" : "unavailable"}">
      <input type=${this.single ? "radio" : "checkbox"} name="friend" .value=${friend.userId}
        .checked=${this.chosen.includes(friend.userId)} ?disabled=${!friend.hasKeys}
        @change=${() => this.toggle(friend.userId)} />
      ${avatar(friend)}
      <span class="row-text">${name(friend.nickname)}<span class="row-second">${
        friend.hasKeys ? friend.email : words().friends.noKeysYet
      }</span></span>
    </label>`;
  }

  private toggle(userId: Id): void {
    const without = this.chosen.filter((id) => id !== userId);
    this.chosen = this.single ? [userId] : without.length < this.chosen.length ? without : [...this.chosen, userId];
    this.dispatchEvent(new CustomEvent<Id[]>("picked", { detail: this.chosen }));
  }
}
