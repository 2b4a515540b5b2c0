/** `<gamrae-app>`: the frame around the screens: tabs, the list, the open room, and what the keys do. */

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Engine, Id } from "../engine/contract.ts";
import { words } from "../i18n/index.ts";
import { closeDialogs } from "./dialog.ts";
import { badgeNumber } from "./format.ts";
import "./friends.ts";
import { icon, type IconName } from "./icons.ts";
import { showKeyboardHelp } from "./keyboard_help.ts";
import "./key_log_line.ts";
import { LightElement } from "./light.ts";
import "./me.ts";
import { followOwnLinks, navigate } from "./navigation.ts";
import "./notices.ts";
import { emptyState } from "./person.ts";
import { hasPage, phasePage } from "./phases.ts";
import "./ribbon.ts";
import { RoomScreen } from "./room.ts";
import "./room.ts";
import "./rooms.ts";
import { pathOf, routeOf, type Route } from "./router.ts";
import { focusLandmark, neighbour, shortcutOf, type Shortcut } from "./shortcuts.ts";
import "./start_again.ts";
import { byActivity, merged, nothingYet, unreadTotal, type AppState } from "./state.ts";
import { showSwitcher } from "./switcher.ts";

const MINUTE_MS = 60_000;

@customElement("gamrae-app")
export class App extends LightElement {
  @property({ attribute: false }) engine: Engine | null = null;
  @property({ attribute: "data-user-id" }) userId: Id = "";
  @property({ attribute: "data-public-url" }) publicUrl = "";
  @state() private known: AppState = nothingYet;
  @state() private route: Route = routeOf(location.pathname);
  @state() private nowMs = Date.now();
  private stopWatching: () => void = () => undefined;
  private clock: ReturnType<typeof setInterval> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("popstate", this.routeChanged);
    document.addEventListener("click", followOwnLinks);
    document.addEventListener("keydown", this.keydown);
    this.clock = setInterval(() => (this.nowMs = Date.now()), MINUTE_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("popstate", this.routeChanged);
    document.removeEventListener("click", followOwnLinks);
    document.removeEventListener("keydown", this.keydown);
    clearInterval(this.clock);
    this.stopWatching();
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("engine") || this.engine === null) return;
    this.stopWatching();
    this.stopWatching = this.engine.watch((snapshot) => (this.known = merged(this.known, snapshot)));
  }

  override updated(): void {
    document.title = this.pageTitle();
    this.dataset["phase"] = this.known.phase;
  }

  override render() {
    const engine = this.engine;
    if (engine === null) return nothing;
    if (hasPage(this.known.phase)) {
      const { publicUrl, nowMs } = this;
      return phasePage(this.known.phase, { engine, publicUrl, nowMs, starting: this.known.startingAgain });
    }
    const inRoom = this.route.page === "room";
    return html`<a class="skip" href="#main">${words().app.skip}</a>
      <gamrae-ribbon .connection=${this.known.connection} .phase=${this.known.phase}></gamrae-ribbon>
      <gamrae-start-again-bar .engine=${engine} .starting=${this.known.startingAgain} .nowMs=${this.nowMs}></gamrae-start-again-bar>
      <gamrae-key-log .engine=${engine} .notice=${this.known.keyLog}></gamrae-key-log>
      <div class="frame ${inRoom ? "in-room" : ""}">
        ${this.tabs()}
        <section class="list" data-landmark id=${inRoom ? nothing : "main"} role=${inRoom ? "region" : "main"} aria-label=${this.listName()} tabindex="-1">${this.list(engine)}</section>
        ${this.pane(engine)}
      </div>
      <gamrae-notices></gamrae-notices>`;
  }

  private tabs(): TemplateResult {
    const t = words().app;
    const requests = this.known.friends?.received.length ?? 0;
    return html`<nav class="tabs" data-landmark aria-label=${t.tabs}><ul>
      ${this.tab("friends", "friends", t.friends, requests)}
      ${this.tab("rooms", "chats", t.chats, unreadTotal(this.known))}
      ${this.meTab()}
    </ul></nav>`;
  }

  private tab(page: "friends" | "rooms" | "me", iconName: IconName, label: string, count: number): TemplateResult {
    const current = this.tabPage() === page;
    const badge = html`<span class="count" aria-hidden="true">${badgeNumber(count)}</span>`;
    const spoken = html`<span class="seen-by-readers">${words().app.tabWithCount(label, count)}</span>`;
    return html`<li><a class="tab" href=${pathOf({ page })} aria-current=${current ? "page" : nothing}>
      <span class="tab-icon">${icon(iconName)}${count > 0 ? badge : nothing}</span>
      <span class="tab-label" aria-hidden=${count > 0 ? "true" : nothing}>${label}</span>${count > 0 ? spoken : nothing}</a></li>`;
  }

  /** A quiet dot until the recovery key was written down: without it a lost browser loses every chat. */
  private meTab(): TemplateResult {
    const t = words().app;
    if (this.known.me?.hasRecoveryKey !== false) return this.tab("me", "me", t.me, 0);
    return html`<li><a class="tab" href=${pathOf({ page: "me" })} aria-current=${this.tabPage() === "me" ? "page" : nothing}>
      <span class="tab-icon">${icon("me")}<span class="tab-dot"></span></span>
      <span class="tab-label" aria-hidden="true">${t.me}</span><span class="seen-by-readers">${t.meWithoutKey}</span></a></li>`;
  }

  private tabPage(): "friends" | "rooms" | "me" {
    return this.route.page === "friends" || this.route.page === "me" ? this.route.page : "rooms";
  }

  private listName(): string {
    const t = words().app;
    return { friends: t.friends, rooms: t.chats, me: t.me }[this.tabPage()];
  }

  private list(engine: Engine): TemplateResult {
    switch (this.tabPage()) {
      case "friends":
        return html`<gamrae-friends .engine=${engine} .state=${this.known}></gamrae-friends>`;
      case "me":
        return html`<gamrae-me .engine=${engine} .state=${this.known}></gamrae-me>`;
      case "rooms":
        return html`<gamrae-rooms .engine=${engine} .state=${this.known} .openRoom=${this.openRoom()} .myId=${this.userId} .nowMs=${this.nowMs}></gamrae-rooms>`;
    }
  }

  private pane(engine: Engine): TemplateResult {
    const t = words().app;
    if (this.route.page === "room") {
      return html`<main class="pane" id="main" tabindex="-1"><gamrae-room .engine=${engine} .state=${this.known}
        .roomId=${this.route.roomId} .myId=${this.userId} .nowMs=${this.nowMs}></gamrae-room></main>`;
    }
    const texts = {
      unknown: emptyState(t.unknown, t.unknownHint),
      rooms: emptyState(t.choose, t.chooseHint),
      friends: emptyState(t.chooseFriend, t.chooseFriendHint),
      me: nothing,
    };
    return html`<div class="pane placeholder">${texts[this.route.page]}</div>`;
  }

  private openRoom(): Id | null {
    return this.route.page === "room" ? this.route.roomId : null;
  }

  // Never the name of a room or person: browsers write page titles into their history, in the clear.
  private pageTitle(): string {
    const unread = unreadTotal(this.known);
    return `${unread > 0 ? `(${badgeNumber(unread)}) ` : ""}${this.listName()} · ${words().app.name}`;
  }

  private readonly routeChanged = (): void => {
    closeDialogs();
    const next = routeOf(location.pathname);
    if (JSON.stringify(next) === JSON.stringify(this.route)) return;
    this.route = next;
    void this.focusHeading();
  };

  /** After going somewhere the focus, and so a screen reader, stands at its heading. */
  private async focusHeading(): Promise<void> {
    await this.updateComplete;
    await this.querySelector<LightElement>("gamrae-room, gamrae-friends, gamrae-me, gamrae-rooms")?.updateComplete;
    const place = this.route.page === "room" ? ".pane h1" : ".list h1";
    if (!(document.activeElement instanceof HTMLTextAreaElement)) {
      this.querySelector<HTMLElement>(place)?.focus({ preventScroll: true });
    }
  }

  private readonly keydown = (event: KeyboardEvent): void => {
    const shortcut = shortcutOf(event);
    if (shortcut === null || hasPage(this.known.phase)) return;
    const inDialog = document.querySelector("dialog[open]") !== null;
    if (inDialog && shortcut !== "switcher") return;
    event.preventDefault();
    if (!inDialog) this.perform(shortcut);
  };

  private perform(shortcut: Shortcut): void {
    switch (shortcut) {
      case "switcher":
        if (this.engine !== null) void showSwitcher(this.engine, this.known, this.userId);
        break;
      case "help":
        void showKeyboardHelp();
        break;
      case "escape":
        this.querySelector<RoomScreen>("gamrae-room")?.escape();
        break;
      case "previous_room":
        this.goToNeighbour(-1);
        break;
      case "next_room":
        this.goToNeighbour(1);
        break;
      case "next_landmark":
        focusLandmark(this, 1);
        break;
      case "previous_landmark":
        focusLandmark(this, -1);
        break;
    }
  }

  private goToNeighbour(step: 1 | -1): void {
    const ids = byActivity(this.known.rooms ?? []).map((room) => room.roomId);
    const roomId = neighbour(ids, this.openRoom(), step);
    if (roomId !== undefined) navigate({ page: "room", roomId });
  }
}
