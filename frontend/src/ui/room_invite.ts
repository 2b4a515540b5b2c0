/** Choosing friends to bring into a room that exists. */

import { html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Engine, Friend, Id } from "../engine/contract.ts";
import { words } from "../i18n/index.ts";
import "./friend_picker.ts";
import { LightElement } from "./light.ts";
import { emptyState } from "./person.ts";

@customElement("gamrae-room-invite")
export class RoomInvite extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  /** Who is in the room already and is not offered. */
  @property({ attribute: false }) inside: ReadonlySet<Id> = new Set();
  @state() private friends: Friend[] = [];
  @property({ attribute: false }) done: (userIds: Id[]) => void = () => undefined;
  @state() private chosen: Id[] = [];
  private unwatch: () => void = () => undefined;

  /** A friend who accepts while the dialog is open, or gets keys, can be chosen at once. */
  override connectedCallback(): void {
    super.connectedCallback();
    this.unwatch = this.engine.watch(({ friends }) => {
      if (friends) this.friends = friends.friends.filter((friend) => !this.inside.has(friend.userId));
    });
  }

  override disconnectedCallback(): void {
    this.unwatch();
    super.disconnectedCallback();
  }

  override render() {
    const t = words().details;
    if (this.friends.length === 0) return emptyState(t.inviteNobody, words().friends.emptyHint);
    return html`<form class="form" @submit=${this.submitted}>
      <p class="hint">${t.inviteText}</p>
      <gamrae-friend-picker .friends=${this.friends} .label=${words().rooms.pick}
        @picked=${(event: CustomEvent<Id[]>) => (this.chosen = event.detail)}></gamrae-friend-picker>
      <button type="submit" class="button primary" ?disabled=${this.chosen.length === 0}>${t.inviteDone}</button>
    </form>`;
  }

  private readonly submitted = (event: SubmitEvent): void => {
    event.preventDefault();
    if (this.chosen.length > 0) this.done(this.chosen);
  };
}
