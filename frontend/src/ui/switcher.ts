/** Ctrl/⌘ K: to a room or a friend by a few letters or initials, without leaving the keyboard. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Engine, Friend, Id, RoomSummary } from "../engine/contract.ts";
import { words } from "../i18n/index.ts";
import { outcomeOf } from "./asking.ts";
import { contains } from "./chosung.ts";
import { EnterKey } from "./compose.ts";
import { showDialog } from "./dialog.ts";
import { friendMatches } from "./friend_picker.ts";
import { LightElement } from "./light.ts";
import { navigate } from "./navigation.ts";
import { notifyFailure } from "./notices.ts";
import { avatar, name } from "./person.ts";
import { faceOf, titleOf } from "./rooms.ts";
import { byActivity, type AppState } from "./state.ts";

const MOST = 20;

type Target = { kind: "room"; id: Id; room: RoomSummary } | { kind: "friend"; id: Id; friend: Friend };

export function showSwitcher(engine: Engine, state: AppState, myId: Id): Promise<null | undefined> {
  if (document.querySelector("gamrae-switcher") !== null) return Promise.resolve(undefined);
  return showDialog(
    (done) => html`<gamrae-switcher .engine=${engine} .state=${state} .myId=${myId} .close=${() => done(null)}></gamrae-switcher>`,
    { title: words().switcher.title, kind: "sheet" },
  );
}

/** What a query leaves, rooms first; friends whose room is listed are not listed twice. */
export function targetsFor(state: AppState, query: string, myId: Id): Target[] {
  const rooms = byActivity(state.rooms ?? []).filter((room) => contains(titleOf(room), query));
  const listed = new Set(rooms.filter((room) => room.kind === "direct").map((room) => faceOf(room, myId).userId));
  const friends = (state.friends?.friends ?? []).filter(
    (friend) => friend.hasKeys && !listed.has(friend.userId) && friendMatches(friend, query),
  );
  return [
    ...rooms.map((room): Target => ({ kind: "room", id: room.roomId, room })),
    ...friends.map((friend): Target => ({ kind: "friend", id: friend.userId, friend })),
  ].slice(0, MOST);
}

@customElement("gamrae-switcher")
export class Switcher extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @property({ attribute: false }) state!: AppState;
  @property({ attribute: false }) myId: Id = "";
  @property({ attribute: false }) close: () => void = () => undefined;
  @state() private query = "";
  @state() private active = 0;
  private readonly enter = new EnterKey();

  override render() {
    const t = words().switcher;
    const targets = this.targets();
    return html`<div class="switcher">
      <input class="input" type="text" role="combobox" autofocus autocomplete="off" spellcheck="false" aria-label=${t.label} placeholder=${t.label}
        aria-expanded="true" aria-controls="switcher-list" aria-activedescendant=${targets.length > 0 ? `switch-${this.active}` : nothing}
        @input=${this.typed} @keydown=${this.keydown} @keyup=${(event: KeyboardEvent) => this.enter.keyup(event)}
        @compositionend=${this.compositionend} />
      <ul class="items-list" role="listbox" id="switcher-list" aria-label=${t.title}>${targets.map((target, index) => this.option(target, index))}</ul>
      ${targets.length === 0 ? html`<p class="hint" role="status">${t.none}</p>` : nothing}
      <p class="hint keys" aria-hidden="true">${t.hint}</p>
    </div>`;
  }

  override updated(): void {
    this.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }

  private targets(): Target[] {
    return targetsFor(this.state, this.query, this.myId);
  }

  private option(target: Target, index: number): TemplateResult {
    const t = words().switcher;
    const face = target.kind === "room" ? faceOf(target.room, this.myId) : target.friend;
    return html`<li class="row" role="option" id="switch-${index}" aria-selected=${index === this.active} @click=${() => this.open(target)}>
      ${avatar(face, "small")}<span class="row-text">${name(face.nickname)}</span><span class="tag">${target.kind === "room" ? t.rooms : t.friends}</span></li>`;
  }

  private readonly typed = (event: InputEvent): void => {
    this.query = (event.target as HTMLInputElement).value;
    this.active = 0;
  };

  private readonly keydown = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0 && !event.isComposing) this.move(step, event);
    const answer = this.enter.keydown(event);
    if (answer !== "default") event.preventDefault();
    if (answer === "send") this.openActive();
  };

  private readonly compositionend = (event: CompositionEvent): void => {
    // The list follows the whole text first.
    if (this.enter.compositionend(event)) setTimeout(() => this.openActive());
  };

  private move(step: number, event: KeyboardEvent): void {
    event.preventDefault();
    const count = this.targets().length;
    if (count > 0) this.active = (this.active + step + count) % count;
  }

  private openActive(): void {
    const target = this.targets()[this.active];
    if (target !== undefined) void this.open(target);
  }

  private async open(target: Target): Promise<void> {
    if (target.kind === "room") {
      this.close();
      navigate({ page: "room", roomId: target.id });
      return;
    }
    const outcome = await outcomeOf(this.engine.command("room_open_direct", { userId: target.id }));
    this.close();
    if (outcome.done) navigate({ page: "room", roomId: outcome.result.roomId });
    else notifyFailure(outcome.failure);
  }
}
