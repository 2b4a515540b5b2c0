/** The tab 채팅: rooms by last activity, with what is unread, what failed and what was left. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { Engine, Id, RoomSummary } from "../engine/contract.ts";
import { language, words } from "../i18n/index.ts";
import { badgeNumber, shortTime } from "./format.ts";
import { icon } from "./icons.ts";
import { LightElement } from "./light.ts";
import { showNewRoom } from "./new_room.ts";
import { avatar, emptyState, name, skeletonRows } from "./person.ts";
import { pathOf } from "./router.ts";
import { byActivity, type AppState } from "./state.ts";

export function titleOf(room: RoomSummary): string {
  return room.title === "" ? words().rooms.untitled : room.title;
}

/** Whose colour and letter stand for the room: the other person, or the room itself. */
export function faceOf(room: RoomSummary, myId: Id): { userId: Id; nickname: string } {
  const other = room.members.find((member) => member.userId !== myId);
  const userId = room.kind === "direct" && other !== undefined ? other.userId : room.roomId;
  return { userId, nickname: titleOf(room) };
}

/** The chat with the same person that ended when one of the two started again, if there is one. */
export function earlierRoom(rooms: readonly RoomSummary[], room: RoomSummary, myId: Id): Id | null {
  if (room.kind === "group") return null;
  const { userId } = faceOf(room, myId);
  const isBefore = (other: RoomSummary) => room.left === null || other.lastAtMs < room.lastAtMs;
  const ended = byActivity(rooms).filter(
    (other) => other.kind === "direct" && other.left === "removed" && other.roomId !== room.roomId && isBefore(other),
  );
  return ended.find((other) => faceOf(other, myId).userId === userId)?.roomId ?? null;
}

@customElement("gamrae-rooms")
export class Rooms extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @property({ attribute: false }) state!: AppState;
  @property({ attribute: false }) openRoom: Id | null = null;
  @property({ attribute: false }) myId: Id = "";
  @property({ attribute: false }) nowMs = 0;

  override render() {
    const t = words().rooms;
    return html`<header class="list-head">
        <h1 tabindex="-1">${t.title}</h1>
        <button type="button" class="icon-button" aria-label=${t.new} @click=${this.start}>${icon("add")}</button>
      </header>
      <div role="status">${this.restoring()}</div>
      <div class="list-body">${this.content()}</div>`;
  }

  /** How far a restored browser is; while its rooms are not here yet there is no empty list. */
  private restoring(): TemplateResult | typeof nothing {
    const { restoring } = this.state;
    if (restoring === null) return nothing;
    return html`<p class="ribbon">${words().rooms.restoring(restoring.done, restoring.of)}</p>`;
  }

  private content(): TemplateResult {
    const t = words().rooms;
    const rooms = this.state.rooms;
    if (rooms === null) return skeletonRows(words().app.loading);
    if (rooms.length === 0 && this.state.restoring !== null) return skeletonRows(words().app.loading);
    if (rooms.length === 0) {
      return emptyState(t.empty, t.emptyHint, html`<button type="button" class="button primary" @click=${this.start}>${t.new}</button>`);
    }
    return html`<ul class="items-list" aria-label=${t.list}>
      ${repeat(byActivity(rooms), (room) => room.roomId, (room) => this.row(room))}
    </ul>`;
  }

  private row(room: RoomSummary): TemplateResult {
    const current = room.roomId === this.openRoom;
    return html`<li><a class="row room-row ${room.unread > 0 ? "has-unread" : ""} ${room.left === null ? "" : "is-left"}"
      href=${pathOf({ page: "room", roomId: room.roomId })} aria-current=${current ? "page" : nothing}>
      ${avatar(faceOf(room, this.myId))}
      <span class="row-text">
        <span class="row-first">${name(titleOf(room))}${this.people(room)}${this.time(room)}</span>
        <span class="row-first"><span class="row-second"><bdi>${this.lastLine(room)}</bdi></span>${this.marks(room)}</span>
      </span></a></li>`;
  }

  private people(room: RoomSummary): TemplateResult | typeof nothing {
    if (room.kind === "direct" || room.left !== null) return nothing;
    const count = room.members.length;
    return html`<span class="people"><span aria-hidden="true">${count}</span><span class="seen-by-readers">${words().rooms.people(count)}</span></span>`;
  }

  private time(room: RoomSummary): TemplateResult | typeof nothing {
    if (room.lastAtMs === 0) return nothing;
    return html`<time datetime=${new Date(room.lastAtMs).toISOString()}>${shortTime(room.lastAtMs, this.nowMs, words().room.yesterday, language())}</time>`;
  }

  private lastLine(room: RoomSummary): string {
    const t = words().rooms;
    if (room.left === "left") return t.left;
    if (room.left === "removed") return room.kind === "direct" ? t.startedAgain : t.removed;
    return room.lastText === "" ? t.nothingYet : room.lastText;
  }

  private marks(room: RoomSummary): TemplateResult {
    const t = words().rooms;
    return html`${room.hasFailed ? html`<span class="failed-mark">${icon("alert")}<span class="seen-by-readers">${t.failed}</span></span>` : nothing}
      ${room.unread > 0 ? html`<span class="count"><span aria-hidden="true">${badgeNumber(room.unread)}</span><span class="seen-by-readers">${t.unread(room.unread)}</span></span>` : nothing}`;
  }

  private readonly start = (): void => void showNewRoom(this.engine, this.state.friends?.friends ?? []);
}
