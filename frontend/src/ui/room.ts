/** An open room: its head, its messages, what failed, and the field to write in. */

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { guard } from "lit/directives/guard.js";
import type { Engine, Failure, Friend, Id, RoomSummary, TimelineItem } from "../engine/contract.ts";
import { words } from "../i18n/index.ts";
import { outcomeOf } from "./asking.ts";
import { Composer, canWriteIn } from "./composer.ts";
import { confirmed } from "./dialog.ts";
import { icon } from "./icons.ts";
import { LightElement } from "./light.ts";
import type { Drawing } from "./message.ts";
import { notify, notifyFailure } from "./notices.ts";
import { emptyState, name } from "./person.ts";
import "./room_details.ts";
import { beginningHint } from "./room_history.ts";
import { earlierRoom, titleOf } from "./rooms.ts";
import { roomOf, type AppState } from "./state.ts";
import { TimelineView } from "./timeline.ts";
import { friendIn, trustBar, trustMark } from "./trust.ts";

/** `<gamrae-room .engine .state .roomId .myId .nowMs>` */
@customElement("gamrae-room")
export class RoomScreen extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @property({ attribute: false }) state!: AppState;
  @property({ attribute: false }) roomId: Id = "";
  @property({ attribute: false }) myId: Id = "";
  @property({ attribute: false }) nowMs = 0;
  @state() private detailsOpen = false;
  @state() private missing = false;
  @query("gamrae-timeline") private timeline!: TimelineView | null;
  @query("gamrae-composer") private composer!: Composer | null;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    void outcomeOf(this.engine.command("room_close", {}));
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("roomId")) {
      if (this.wentAway(changed.get("state"))) this.missing = true;
      return;
    }
    this.detailsOpen = false;
    this.missing = false;
    void this.showRoom(this.roomId);
  }

  override render() {
    const room = roomOf(this.state, this.roomId);
    if (room === null) return this.absent();
    return html`<div class="room">
        ${this.head(room)}
        ${this.warning(room)}
        ${this.messages(room)}
        ${this.failedBanner()}
        <gamrae-composer .engine=${this.engine} .room=${room} data-landmark></gamrae-composer>
      </div>
      ${this.detailsOpen ? this.details(room) : nothing}`;
  }

  /** Closes the details, else jumps to the newest message: what Esc does in a room. */
  escape(): void {
    if (this.detailsOpen) this.toggleDetails();
    else this.timeline?.jumpToEnd();
  }

  /** Deleted by somebody, or by oneself in another tab, while it was open here. */
  private wentAway(before: AppState | undefined): boolean {
    const wasThere = before !== undefined && roomOf(before, this.roomId) !== null;
    return wasThere && roomOf(this.state, this.roomId) === null;
  }

  private absent(): TemplateResult {
    const t = words().room;
    if (this.state.rooms === null || !this.missing) {
      return html`<div class="room"><header class="room-head">${this.backLink()}</header><p class="seen-by-readers" role="status">${words().app.loading}</p></div>`;
    }
    const link = html`<a class="button primary" href="/rooms">${words().app.toChats}</a>`;
    return html`<div class="room"><header class="room-head">${this.backLink()}<h1 tabindex="-1" class="seen-by-readers">${t.notFound}</h1></header>${emptyState(t.notFound, t.notFoundHint, link)}</div>`;
  }

  private backLink(): TemplateResult {
    return html`<a class="icon-button back" href="/rooms" aria-label=${words().common.back}>${icon("back")}</a>`;
  }

  private head(room: RoomSummary): TemplateResult {
    const t = words().room;
    return html`<header class="room-head">
      ${this.backLink()}
      <div class="room-title"><h1 tabindex="-1">${name(titleOf(room))}</h1>
        ${this.mark(room)}
        ${this.about(room)}</div>
      <button type="button" class="icon-button details-button" aria-label=${t.details} aria-expanded=${this.detailsOpen} @click=${() => this.toggleDetails()}>${icon("info")}</button>
    </header>`;
  }

  /** How many are here, and what is not as in other rooms. */
  private about(room: RoomSummary): TemplateResult | typeof nothing {
    const people = room.kind === "group" ? [words().room.members(room.members.length)] : [];
    const said = room.keepsHistory ? people : [...people, words().history.head];
    return said.length === 0 ? nothing : html`<p>${said.join(" · ")}</p>`;
  }

  private friendIn(room: RoomSummary): Friend | null {
    return friendIn(room, this.state.friends?.friends ?? [], this.myId);
  }

  private mark(room: RoomSummary): TemplateResult | typeof nothing {
    const friend = this.friendIn(room);
    return friend?.trust === "verified" ? html`<p>${trustMark(friend)}</p>` : nothing;
  }

  private warning(room: RoomSummary): TemplateResult | typeof nothing {
    const friend = this.friendIn(room);
    return friend === null ? nothing : trustBar(this.engine, friend);
  }

  private messages(room: RoomSummary): TemplateResult {
    const timeline = this.state.timeline;
    if (timeline?.roomId !== this.roomId) {
      return html`<div class="timeline-place"><p class="seen-by-readers" role="status">${words().app.loading}</p></div>`;
    }
    const day = Math.floor(this.nowMs / 60_000);
    const seen = [day, room.kind, beginningHint(room), this.earlier(room), this.isOffline(), canWriteIn(room)];
    const drawing = guard(seen, () => this.drawing(room));
    return html`<gamrae-timeline class="timeline-place" data-landmark .engine=${this.engine} .timeline=${timeline} .drawing=${drawing}></gamrae-timeline>`;
  }

  /** Also while it tries again: what a person is about to press must not come and go. */
  private isOffline(): boolean {
    return this.state.connection !== null && this.state.connection.state !== "online";
  }

  private earlier(room: RoomSummary): Id | null {
    return earlierRoom(this.state.rooms ?? [], room, this.myId);
  }

  private drawing(room: RoomSummary): Drawing {
    return {
      nowMs: this.nowMs,
      beginningHint: beginningHint(room),
      earlier: this.earlier(room),
      isOffline: this.isOffline(),
      canWrite: canWriteIn(room),
      named: room.kind === "group",
      retry: (item) => void this.retry([item]),
      edit: (item) => void this.edit(item),
      discard: (item) => void this.discard(item),
    };
  }

  private failedBanner(): TemplateResult | typeof nothing {
    const failed = this.failedItems();
    if (failed.length < 2) return nothing;
    const t = words().state;
    return html`<div class="failed-banner" role="status"><p>${t.failedCount(failed.length)}</p>
      <button type="button" class="button small quiet" @click=${() => this.retry(failed)}>${t.retryAll}</button></div>`;
  }

  private failedItems(): TimelineItem[] {
    const timeline = this.state.timeline;
    return timeline?.roomId === this.roomId ? timeline.items.filter((item) => item.state === "failed") : [];
  }

  private details(room: RoomSummary): TemplateResult {
    return html`<gamrae-room-details data-landmark .engine=${this.engine} .room=${room} .myId=${this.myId}
      .friends=${this.state.friends?.friends ?? []} @close=${() => this.toggleDetails()}></gamrae-room-details>`;
  }

  private toggleDetails(): void {
    this.detailsOpen = !this.detailsOpen;
    if (!this.detailsOpen) this.querySelector<HTMLElement>(".details-button")?.focus();
  }

  private async showRoom(roomId: Id): Promise<void> {
    const outcome = await outcomeOf(this.engine.command("room_show", { roomId }));
    if (!outcome.done && roomId === this.roomId) this.missing = true;
  }

  private async retry(items: TimelineItem[]): Promise<void> {
    for (const { messageId } of items) {
      if (messageId === null) continue;
      const outcome = await outcomeOf(this.engine.command("message_retry", { roomId: this.roomId, messageId }));
      if (!outcome.done) notifyFailure(outcome.failure);
    }
  }

  private async edit({ messageId }: TimelineItem): Promise<void> {
    if (messageId === null) return;
    const failure = (await this.composer?.takeBack(messageId)) ?? null;
    if (failure !== null) this.tooLate(failure);
  }

  private async discard({ messageId, isChangeable }: TimelineItem): Promise<void> {
    if (messageId === null) return;
    const t = words().state;
    const text = isChangeable ? t.discardText : t.discardMayBeStored;
    if (!(await confirmed({ title: t.discardTitle, text, action: t.discard }))) return;
    const outcome = await outcomeOf(this.engine.command("message_discard", { roomId: this.roomId, messageId }));
    if (!outcome.done) this.tooLate(outcome.failure);
  }

  /** It left while somebody made up their mind, or something else is wrong. */
  private tooLate(failure: Failure): void {
    if (failure.code === "forbidden") notify(words().state.tooLate);
    else notifyFailure(failure);
  }
}
