/** The messages of the open room: stays where the reader is, follows the end for a reader who is there. */

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { Engine, Id, Timeline, TimelineItem } from "../engine/contract.ts";
import { words } from "../i18n/index.ts";
import { outcomeOf } from "./asking.ts";
import { firstUnread, rowsOf } from "./grouping.ts";
import { icon } from "./icons.ts";
import { LightElement } from "./light.ts";
import { drawRow, type Drawing } from "./message.ts";
import { notify } from "./notices.ts";
import { emptyState } from "./person.ts";
import { pathOf } from "./router.ts";
import { Place } from "./scrolling.ts";
import { afterChange, around, atEnd, movedDown, movedUp, type Window } from "./window.ts";

/** `<gamrae-timeline .engine .timeline .drawing>` */
@customElement("gamrae-timeline")
export class TimelineView extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @property({ attribute: false }) timeline!: Timeline;
  @property({ attribute: false }) drawing!: Drawing;
  @state() private shown: Window = { start: 0, end: 0 };
  @state() private newBelow = 0;
  @state() private announced = "";
  @state() private loadingOlder = false;
  @query(".timeline") private scroller!: HTMLElement;
  private readonly place = new Place();
  private readTo = 0;
  private readRefused = false;
  private observer: ResizeObserver | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.observer?.disconnect();
    document.removeEventListener("visibilitychange", this.markRead);
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (this.hasUpdated) this.place.remember(this.scroller);
    if (!changed.has("timeline")) return;
    if (this.readRefused) this.readTo = 0;
    this.readRefused = false;
    const before = changed.get("timeline");
    if (before?.roomId === this.timeline.roomId) this.follow(before.items, this.timeline.items);
    else this.begin();
  }

  override firstUpdated(): void {
    document.addEventListener("visibilitychange", this.markRead);
    this.observer = new ResizeObserver(() => {
      if (this.place.following) this.place.restore(this.scroller);
    });
    this.observer.observe(this.scroller);
  }

  override updated(): void {
    const was = this.place.following;
    this.place.restore(this.scroller);
    if (was !== this.place.following) this.requestUpdate();
    if (this.scroller.clientHeight > 0 && this.scroller.scrollHeight <= this.scroller.clientHeight) void this.showOlder();
    this.markRead();
  }

  override render() {
    const { items, hasOlder } = this.timeline;
    const unreadKey = items[firstUnread(this.timeline)]?.key ?? null;
    const rows = rowsOf(items.slice(this.shown.start, this.shown.end), unreadKey);
    return html`<div class="timeline" role="log" aria-live="off" aria-label=${words().room.messages} tabindex="0" @scroll=${this.scrolled}>
        ${this.top(hasOlder || this.shown.start > 0)}
        <ol class="items">${repeat(rows, (row) => row.key, (row) => drawRow(row, this.drawing))}</ol>
      </div>
      ${this.pill()}
      <p class="seen-by-readers" aria-live="polite">${this.announced}</p>`;
  }

  /** To the newest message; what Esc does as well. */
  jumpToEnd(): void {
    this.shown = atEnd(this.timeline.items.length);
    this.newBelow = 0;
    this.place.toEnd();
    this.requestUpdate();
  }

  private top(more: boolean): TemplateResult {
    const t = words().room;
    if (!more) return emptyState(t.beginning, this.drawing.beginningHint, this.divider());
    return html`<p class="older">${this.loadingOlder ? t.older : ""}</p>`;
  }

  /** A person under a new account key is another party, so what was before is a room of its own. */
  private divider(): TemplateResult | undefined {
    const { earlier } = this.drawing;
    if (earlier === null) return undefined;
    const t = words().room;
    return html`<p class="empty-hint">${t.divided}</p>
      <a class="button small quiet" href=${pathOf({ page: "room", roomId: earlier })}>${t.earlier}</a>`;
  }

  private pill(): TemplateResult | typeof nothing {
    if (this.place.following && this.isAtLastItem()) return nothing;
    const t = words().room;
    const label = this.newBelow > 0 ? t.jumpNew(this.newBelow) : t.jump;
    return html`<button type="button" class="jump" aria-label=${label} @click=${() => this.jumpToEnd()}>
      ${icon("down")}${this.newBelow > 0 ? html`<span>${label}</span>` : nothing}</button>`;
  }

  private begin(): void {
    const unread = firstUnread(this.timeline);
    this.shown = unread === -1 ? atEnd(this.timeline.items.length) : around(unread, this.timeline.items.length);
    this.newBelow = 0;
    this.announced = "";
    this.readTo = 0;
    if (unread === -1) this.place.toEnd();
    else this.place.toKey("unread");
  }

  private follow(before: readonly TimelineItem[], now: readonly TimelineItem[]): void {
    const known = new Set(before.map((item) => item.key));
    const firstKnown = now.findIndex((item) => known.has(item.key));
    const older = Math.max(0, firstKnown);
    const added = now.slice(older).filter((item) => !known.has(item.key) && item.kind === "text");
    const wroteHere = added.some((item) => item.mine && item.seq === 0);
    if (wroteHere) this.place.toEnd();
    const following = wroteHere || (this.place.following && this.shown.end === before.length);
    this.shown = afterChange(this.shown, older, now.length, following);
    if (older > 0 && !following) this.shown = movedUp(this.shown);
    const others = added.filter((item) => !item.mine);
    this.newBelow = following ? 0 : this.newBelow + others.length;
    if (others.length > 0) this.announced = others.map(spoken).join("\n");
  }

  private isAtLastItem(): boolean {
    return this.shown.end >= this.timeline.items.length;
  }

  private readonly scrolled = (): void => {
    const was = this.place.following;
    this.place.measure(this.scroller);
    if (this.place.following && this.isAtLastItem()) this.newBelow = 0;
    if (this.place.isNearTop(this.scroller)) void this.showOlder();
    if (this.place.following && !this.isAtLastItem()) this.showNewer();
    if (was !== this.place.following) this.requestUpdate();
    this.markRead();
  };

  private showNewer(): void {
    this.place.keep(this.scroller);
    this.shown = movedDown(this.shown, this.timeline.items.length);
  }

  private async showOlder(): Promise<void> {
    if (this.shown.start > 0) {
      this.shown = movedUp(this.shown);
      return;
    }
    if (this.loadingOlder || !this.timeline.hasOlder) return;
    this.loadingOlder = true;
    const outcome = await outcomeOf(this.engine.command("timeline_older", { roomId: this.timeline.roomId }));
    this.loadingOlder = false;
    if (!outcome.done) notify(words().room.olderFailed);
  }

  private readonly markRead = (): void => {
    if (document.visibilityState !== "visible" || !this.place.following || !this.isAtLastItem()) return;
    const seq = this.timeline.items.reduce((highest, item) => Math.max(highest, item.seq), 0);
    if (seq <= this.readTo) return;
    this.readTo = seq;
    void this.tellRead(this.timeline.roomId, seq);
  };

  private async tellRead(roomId: Id, seq: number): Promise<void> {
    const outcome = await outcomeOf(this.engine.command("room_read", { roomId, seq }));
    // Told again with the next change: reading must not be lost to a moment without a connection.
    this.readRefused = !outcome.done;
  }
}

function spoken(item: TimelineItem): string {
  return words().room.says(item.sender?.nickname ?? words().fact.someone, item.text);
}
