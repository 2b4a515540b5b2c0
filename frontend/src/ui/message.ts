/** How the rows of a timeline are drawn. Everything that people wrote is bound as text. */

import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { Id, MessageState, TimelineItem } from "../engine/contract.ts";
import { language, words } from "../i18n/index.ts";
import { failureText } from "./asking.ts";
import { clockTime, dayName } from "./format.ts";
import type { Row } from "./grouping.ts";
import { icon, type IconName } from "./icons.ts";
import { avatar, name } from "./person.ts";

/** What a person can do with an own message that failed, or that waits for the network. */
export interface LineActions {
  retry: (item: TimelineItem) => void;
  edit: (item: TimelineItem) => void;
  discard: (item: TimelineItem) => void;
}

export interface Drawing extends LineActions {
  nowMs: number;
  /** What stands above the first message. */
  beginningHint: string;
  /** Where the chat with the same person went on before one of the two started again. */
  earlier: Id | null;
  /** Whether what waits will wait for a while: long enough to change it. */
  isOffline: boolean;
  /** Without a field to write in, a text that is taken back would be out of sight. */
  canWrite: boolean;
  /** In a room of two it is clear who speaks: no name and no letter beside each bubble. */
  named: boolean;
}

const stateIcons: Record<MessageState, IconName> = {
  waiting: "clock",
  sending: "clock",
  accepted: "tick",
  stored: "ticks",
  failed: "alert",
};

function stateMark(item: TimelineItem): TemplateResult | typeof nothing {
  if (item.state === null) return nothing;
  return html`<span class="state ${item.state}">${icon(stateIcons[item.state])}<span class="seen-by-readers">${words().state[item.state]}</span></span>`;
}

function unreadMark(item: TimelineItem): TemplateResult | typeof nothing {
  if (item.unreadBy === null || item.unreadBy === 0) return nothing;
  return html`<span class="unread-by"><span aria-hidden="true">${item.unreadBy}</span><span class="seen-by-readers">${words().room.unreadBy(item.unreadBy)}</span></span>`;
}

function whyFailed(item: TimelineItem): string {
  const t = words().state;
  const why = item.failure === null ? t.failed : failureText(item.failure);
  return item.isChangeable ? why : `${why} ${t.mayBeStored}`;
}

function lineActions(item: TimelineItem, drawing: Drawing): TemplateResult | typeof nothing {
  const isFailed = item.state === "failed";
  const isWaiting = item.state === "waiting" && item.isChangeable && drawing.isOffline;
  if (!isFailed && !isWaiting) return nothing;
  const t = words().state;
  const button = (text: string, act: (item: TimelineItem) => void) =>
    html`<button type="button" class="button small quiet" @click=${() => act(item)}>${text}</button>`;
  return html`<div class="line-actions ${item.state ?? nothing}">
    ${isFailed ? html`<p>${whyFailed(item)}</p>${button(t.retry, drawing.retry)}` : nothing}
    ${item.isChangeable && drawing.canWrite ? button(t.edit, drawing.edit) : nothing}
    ${button(t.discard, drawing.discard)}
  </div>`;
}

function line(item: TimelineItem, isLast: boolean, drawing: Drawing): TemplateResult {
  const time = clockTime(item.atMs, language());
  const sender = item.mine ? words().common.you : (item.sender?.nickname ?? words().fact.someone);
  return html`<li class="line" data-key=${item.key} data-state=${item.state ?? nothing} data-message=${item.messageId ?? nothing}>
    <div class="line-row">
      <div class="bubble"><span class="seen-by-readers"><bdi>${sender}</bdi>, </span><span class="text" dir="auto">${item.text}</span></div>
      <div class="meta">${unreadMark(item)}<time class=${isLast ? "" : "seen-by-readers"} datetime=${new Date(item.atMs).toISOString()}>${time}</time>${stateMark(item)}</div>
    </div>
    ${lineActions(item, drawing)}
  </li>`;
}

function bubbles(row: Extract<Row, { kind: "bubbles" }>, drawing: Drawing): TemplateResult {
  const lines = html`<ol class="lines">${repeat(
    row.items,
    (item) => item.key,
    (item) => line(item, item === row.items.at(-1), drawing),
  )}</ol>`;
  if (row.mine) return html`<li class="group mine">${lines}</li>`;
  const sender = row.sender ?? { userId: "", nickname: words().fact.someone };
  if (!drawing.named) return html`<li class="group theirs">${lines}</li>`;
  return html`<li class="group theirs named">${avatar(sender, "small")}
    <div class="column"><p class="sender" aria-hidden="true">${name(sender.nickname)}</p>${lines}</div></li>`;
}

function factText(item: TimelineItem): string {
  const t = words().fact;
  const who = item.sender?.nickname ?? t.someone;
  const about = item.about.length === 0 ? t.someone : item.about.map((person) => person.nickname).join(", ");
  switch (item.kind) {
    case "created":
      return t.created(who);
    case "joined":
      return item.sender === null ? t.joinedAlone(about) : t.joined(who, about);
    case "left":
      return t.left(item.about[0]?.nickname ?? who);
    case "removed":
      return item.sender === null ? t.removedAlone(about) : t.removed(who, about);
    case "started_again":
      return t.startedAgain(about);
    case "renamed":
      return item.text === "" ? t.renamedAway(who) : t.renamed(who, item.text);
    case "history_off":
      return t.historyOff(who);
    case "role":
      return t.role(about);
    case "device_added":
      return t.deviceAdded(who);
    case "device_dropped":
      return t.deviceDropped(who);
    case "text":
    case "unreadable":
      return item.text;
  }
}

function unreadable(row: Extract<Row, { kind: "unreadable" }>): TemplateResult {
  const t = words().unreadable;
  const count = row.items.length;
  const reason = t[row.reason];
  const many = row.reason === "getting_key" ? t.opening(count) : t.counted(reason, count);
  const reload = html`<button type="button" class="button small quiet" @click=${() => location.reload()}>${t.reload}</button>`;
  return html`<li class="unreadable ${row.reason}" data-key=${row.key}>
    <span>${count === 1 ? reason : many}</span>${row.reason === "newer_version" ? reload : nothing}</li>`;
}

/** One row of the timeline as a list item. */
export function drawRow(row: Row, drawing: Drawing): TemplateResult {
  switch (row.kind) {
    case "day":
      return html`<li class="day" data-key=${row.key}><span>${dayName(row.atMs, drawing.nowMs, words().room, language())}</span></li>`;
    case "unread":
      return html`<li class="unread-line" data-key="unread"><span>${words().room.unreadLine}</span></li>`;
    case "bubbles":
      return bubbles(row, drawing);
    case "fact":
      return html`<li class="fact" data-key=${row.key}><bdi>${factText(row.item)}</bdi></li>`;
    case "unreadable":
      return unreadable(row);
  }
}
