/** Starting a conversation: with one friend, or with several under a title that only they can read. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Engine, Friend, Id, RoomSummary } from "../engine/contract.ts";
import { words } from "../i18n/index.ts";
import { showAddFriend } from "./add_friend.ts";
import { failureText, outcomeOf } from "./asking.ts";
import { showDialog } from "./dialog.ts";
import "./friend_picker.ts";
import { LightElement } from "./light.ts";
import { navigate } from "./navigation.ts";
import { emptyState } from "./person.ts";
import { historySwitch } from "./room_history.ts";

export function showNewRoom(engine: Engine, friends: Friend[]): Promise<null | undefined> {
  return showDialog(
    (done) => html`<gamrae-new-room .engine=${engine} .friends=${friends} .close=${() => done(null)}></gamrae-new-room>`,
    { title: words().rooms.newTitle, kind: "sheet" },
  );
}

@customElement("gamrae-new-room")
export class NewRoom extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @property({ attribute: false }) friends: Friend[] = [];
  @property({ attribute: false }) close: () => void = () => undefined;
  @state() private kind: "direct" | "group" = "direct";
  @state() private chosen: Id[] = [];
  @state() private named = false;
  @state() private keepsHistory = true;
  @state() private rooms: RoomSummary[] = [];
  @state() private asking = false;
  @state() private problem = "";
  private unwatch: () => void = () => undefined;

  /** A friend who accepts while the dialog is open, or gets keys, can be chosen at once. */
  override connectedCallback(): void {
    super.connectedCallback();
    this.unwatch = this.engine.watch(({ friends, rooms }) => {
      if (friends) ({ friends: this.friends } = friends);
      if (rooms) this.rooms = rooms;
    });
  }

  override disconnectedCallback(): void {
    this.unwatch();
    super.disconnectedCallback();
  }

  override render() {
    const t = words().rooms;
    if (this.friends.length === 0) return this.withoutFriends();
    return html`<form class="form" @submit=${this.create}>
      <div class="segments" role="group" aria-label=${t.newTitle}>
        ${this.segment("direct", t.one)}${this.segment("group", t.group)}
      </div>
      ${this.kind === "group" ? this.titleField() : nothing}
      ${this.picker()}
      ${this.isThere() ? nothing : historySwitch(this.keepsHistory, (keeps) => (this.keepsHistory = keeps))}
      ${this.problem === "" ? nothing : html`<p class="problem" role="alert">${this.problem}</p>`}
      <button type="submit" class="button primary" ?disabled=${!this.isReady() || this.asking}>${
        this.kind === "group" ? t.create : t.open
      }</button>
    </form>`;
  }

  private withoutFriends(): TemplateResult {
    const open = (): void => {
      this.close();
      void showAddFriend(this.engine);
    };
    const button = html`<button type="button" class="button primary" @click=${open}>${words().friends.add}</button>`;
    return emptyState(words().rooms.noFriends, words().friends.emptyHint, button);
  }

  private segment(kind: "direct" | "group", label: string): TemplateResult {
    const choose = (): void => {
      this.kind = kind;
      this.chosen = [];
      this.problem = "";
    };
    return html`<button type="button" class="segment" aria-pressed=${this.kind === kind} @click=${choose}>${label}</button>`;
  }

  private titleField(): TemplateResult {
    const t = words().rooms;
    return html`<div class="labelled"><label for="new-room-title">${t.groupTitle}</label>
      <input id="new-room-title" class="input" name="title" required maxlength="100" autocomplete="off"
        aria-describedby="new-room-hint"
        @input=${(event: InputEvent) => (this.named = (event.target as HTMLInputElement).value.trim() !== "")} />
      <p class="hint" id="new-room-hint">${t.groupTitleHint}</p></div>`;
  }

  // Two pickers, never one that changes its kind: what was ticked belongs to the kind of room.
  private picker(): TemplateResult {
    const t = words().rooms;
    const picked = (event: CustomEvent<Id[]>): void => void (this.chosen = event.detail);
    return this.kind === "group"
      ? html`<gamrae-friend-picker .friends=${this.friends} .label=${t.pick} @picked=${picked}></gamrae-friend-picker>`
      : html`<gamrae-friend-picker single .friends=${this.friends} .label=${t.pickOne} @picked=${picked}></gamrae-friend-picker>`;
  }

  /** The one room with this friend is opened as it is. */
  private isThere(): boolean {
    const isWith = (room: RoomSummary) => room.members.some(({ userId }) => userId === this.chosen[0]);
    return this.kind === "direct" && this.rooms.some((room) => room.kind === "direct" && room.left === null && isWith(room));
  }

  private isReady(): boolean {
    return this.chosen.length > 0 && (this.kind === "direct" || this.named);
  }

  private readonly create = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (!this.isReady() || this.asking) return;
    const title = new FormData(event.target as HTMLFormElement).get("title");
    this.asking = true;
    this.problem = "";
    const outcome = await outcomeOf(this.ask(typeof title === "string" ? title.trim() : ""));
    this.asking = false;
    if (!outcome.done) {
      this.problem = failureText(outcome.failure);
      return;
    }
    this.close();
    navigate({ page: "room", roomId: outcome.result.roomId });
  };

  private ask(title: string): Promise<{ roomId: Id }> {
    const [userId = ""] = this.chosen;
    const { keepsHistory } = this;
    return this.kind === "direct"
      ? this.engine.command("room_open_direct", { userId, keepsHistory })
      : this.engine.command("room_create_group", { title, userIds: this.chosen, keepsHistory });
  }
}
