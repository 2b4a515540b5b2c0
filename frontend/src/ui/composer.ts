/** The field to write in: grows with the text, keeps a draft, works offline, sends with one Enter. */

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import type { Engine, Failure, Id, RoomSummary } from "../engine/contract.ts";
import { words } from "../i18n/index.ts";
import { outcomeOf } from "./asking.ts";
import { EnterKey } from "./compose.ts";
import { byteLength } from "./format.ts";
import { icon } from "./icons.ts";
import { LightElement } from "./light.ts";
import { notifyFailure } from "./notices.ts";

/** The largest text that fits the largest size of a sealed message. */
export const MOST_BYTES = 32_000;
const SHOW_LEFT_FROM = 31_000;
const DRAFT_MS = 500;

/** Touch keyboards have no Shift+Enter: there Enter breaks the line and the button sends. */
export function enterSends(): boolean {
  return !window.matchMedia("(hover: none) and (pointer: coarse)").matches;
}

/** Say whether a room has a field to write in. */
export function canWriteIn({ canWrite, left }: RoomSummary): boolean {
  return canWrite && left === null;
}

/** A message on its way back into its room's draft, and what was to be saved there meanwhile. */
interface Coming {
  roomId: Id;
  late: string | null;
}

function before(text: string, kept: string): string {
  return kept === "" ? text : `${text}\n${kept}`;
}

/** `<gamrae-composer .engine .room>` */
@customElement("gamrae-composer")
export class Composer extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @property({ attribute: false }) room!: RoomSummary;
  @state() private bytes = 0;
  @query("textarea") private field!: HTMLTextAreaElement | null;
  private readonly enter = new EnterKey();
  private draftTimer: ReturnType<typeof setTimeout> | undefined;
  private draftRoom: Id | null = null;
  private coming: Coming | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("pagehide", this.pageHidden);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("pagehide", this.pageHidden);
    void this.saveDraftNow();
  }

  override updated(changed: PropertyValues<this>): void {
    const before = changed.get("room");
    if (!changed.has("room") || before?.roomId === this.room.roomId) return;
    void this.saveDraftNow();
    this.setText("");
    void this.loadDraft(this.room.roomId);
    if (enterSends()) this.field?.focus({ preventScroll: true });
  }

  override render() {
    if (!canWriteIn(this.room)) {
      return html`<p class="composer closed" role="note">${this.reason()}</p>`;
    }
    const t = words().composer;
    // autocomplete off: else the browser keeps what is typed in its own session files, in the clear.
    return html`<form class="composer" @submit=${this.submitted}>
      ${this.limit()}
      <div class="composer-row">
        <textarea rows="1" dir="auto" autocomplete="off" aria-label=${t.label} placeholder=${t.placeholder}
          enterkeyhint=${enterSends() ? "send" : "enter"}
          @input=${this.typed} @keydown=${this.keydown} @keyup=${(event: KeyboardEvent) => this.enter.keyup(event)}
          @compositionend=${this.compositionend} @beforeinput=${this.beforeinput}></textarea>
        <button type="submit" class="icon-button send" aria-label=${t.send}
          ?disabled=${this.bytes === 0 || this.bytes > MOST_BYTES}>${icon("send")}</button>
      </div>
    </form>`;
  }

  /** Takes a message out of the line, to be changed before what is written in its room. */
  async takeBack(messageId: Id): Promise<Failure | null> {
    if (this.coming !== null) return null;
    const { roomId } = this.room;
    // The engine puts the text before the draft that it knows: saved later, ours would replace it.
    const saved = this.saveDraftNow();
    const coming: Coming = (this.coming = { roomId, late: null });
    await saved;
    const outcome = await outcomeOf(this.engine.command("message_take_back", { roomId, messageId }));
    this.coming = null;
    const text = outcome.done ? outcome.result.text : null;
    if (text !== null && this.isConnected && this.room.roomId === roomId) this.putText(text);
    else if (coming.late !== null) void this.saveDraft(roomId, text === null ? coming.late : before(text, coming.late));
    return outcome.done ? null : outcome.failure;
  }

  private putText(text: string): void {
    this.setText(before(text, this.field?.value ?? ""));
    this.scheduleDraft();
    this.field?.focus();
  }

  private reason(): string {
    const t = words().composer;
    if (this.room.left === "left") return t.closedLeft;
    if (this.room.kind === "direct" && this.room.left !== null) return t.closedStartedAgain;
    return this.room.left === "removed" ? t.closedRemoved : t[this.room.trouble];
  }

  private limit(): TemplateResult | typeof nothing {
    const t = words().composer;
    if (this.bytes <= SHOW_LEFT_FROM) return nothing;
    const left = MOST_BYTES - this.bytes;
    return html`<p class="limit ${left < 0 ? "over" : ""}" role="status">${left < 0 ? t.over(-left) : t.left(left)}</p>`;
  }

  private readonly keydown = (event: KeyboardEvent): void => {
    if (!enterSends()) return;
    const answer = this.enter.keydown(event);
    if (answer !== "default") event.preventDefault();
    if (answer === "send") void this.send();
  };

  private readonly compositionend = (event: CompositionEvent): void => {
    const sends = enterSends() && this.enter.compositionend(event);
    // After this event every browser has the whole text in the field, and none is still changing it.
    if (sends) setTimeout(() => void this.send());
  };

  private readonly beforeinput = (event: InputEvent): void => {
    if (enterSends() && this.enter.breaksLineAfterSend(event)) event.preventDefault();
  };

  private readonly submitted = (event: SubmitEvent): void => {
    event.preventDefault();
    void this.send();
    this.field?.focus();
  };

  private readonly typed = (): void => {
    this.measure();
    this.scheduleDraft();
  };

  private async send(): Promise<void> {
    const text = this.field?.value ?? "";
    if (text.trim() === "" || byteLength(text) > MOST_BYTES) return;
    const roomId = this.room.roomId;
    this.setText("");
    // The engine ends the draft together with the sending.
    this.forgetDraft();
    if (this.coming?.roomId === roomId) this.coming.late = null;
    const outcome = await outcomeOf(this.engine.command("message_send", { roomId, text }));
    if (outcome.done) return;
    if (roomId === this.room.roomId) this.putText(text);
    notifyFailure(outcome.failure);
  }

  private setText(text: string): void {
    if (this.field === null) return;
    this.field.value = text;
    this.measure();
  }

  private measure(): void {
    const field = this.field;
    if (field === null) return;
    this.bytes = field.value.trim() === "" ? 0 : byteLength(field.value);
    field.style.setProperty("height", "auto");
    field.style.setProperty("height", `${field.scrollHeight}px`);
  }

  private async loadDraft(roomId: Id): Promise<void> {
    const outcome = await outcomeOf(this.engine.command("draft_load", { roomId }));
    const isUntouched = this.field?.value === "" && this.room.roomId === roomId;
    if (outcome.done && isUntouched) this.setText(outcome.result.text);
  }

  /** Counted from the first key, not the last: who types on and on loses half a second at most. */
  private scheduleDraft(): void {
    if (this.draftRoom === this.room.roomId) return;
    clearTimeout(this.draftTimer);
    this.draftRoom = this.room.roomId;
    this.draftTimer = setTimeout(this.saveDraftNow, DRAFT_MS);
  }

  private forgetDraft(): void {
    clearTimeout(this.draftTimer);
    this.draftRoom = null;
  }

  private readonly pageHidden = (): void => {
    void this.saveDraftNow();
  };

  private readonly saveDraftNow = async (): Promise<void> => {
    const roomId = this.draftRoom;
    this.forgetDraft();
    if (roomId === null || this.field === null) return;
    if (this.coming?.roomId === roomId) this.coming.late = this.field.value;
    else await this.saveDraft(roomId, this.field.value);
  };

  private async saveDraft(roomId: Id, text: string): Promise<void> {
    await outcomeOf(this.engine.command("draft_save", { roomId, text }));
  }
}
