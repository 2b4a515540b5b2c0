/** Starting the account again when every device and the recovery key are lost; and stopping that. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { CommandName, Engine, StartingAgain } from "../engine/contract.ts";
import { language, words } from "../i18n/index.ts";
import { failureText, outcomeOf } from "./asking.ts";
import { confirmed, showDialog } from "./dialog.ts";
import { moment } from "./format.ts";
import { LightElement } from "./light.ts";
import { notify, notifyFailure } from "./notices.ts";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** How long it still waits, in whole hours, or in minutes when it is less than one. */
export function remaining(dueMs: number, nowMs: number): string {
  const t = words().startAgain;
  const left = Math.max(0, dueMs - nowMs);
  if (left < HOUR_MS) return t.minutes(Math.max(1, Math.ceil(left / MINUTE_MS)));
  // `nowMs` moves once a minute, and may be so much behind.
  return t.hours(Math.max(1, Math.ceil((left - MINUTE_MS) / HOUR_MS)));
}

/** `<gamrae-start-again .engine .starting .nowMs>`: on the page of a browser without keys. */
@customElement("gamrae-start-again")
export class StartAgain extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @property({ attribute: false }) starting: StartingAgain | null = null;
  @property({ attribute: false }) nowMs = Date.now();
  @state() private isBusy = false;
  @state() private problem = "";

  override render() {
    return html`${this.starting === null ? this.offer() : this.waiting(this.starting)}
      ${this.problem === "" ? nothing : html`<p class="problem" role="alert">${this.problem}</p>`}`;
  }

  private offer(): TemplateResult {
    const t = words().startAgain;
    return html`<p>${t.intro}</p>
      <ul class="consequences"><li>${t.stays}</li><li>${t.goes}</li><li>${t.takesTime}</li></ul>
      <p class="phase-actions"><button type="button" class="button quiet" @click=${this.begin}>${t.begin}</button></p>`;
  }

  private waiting({ dueMs, isMine }: StartingAgain): TemplateResult {
    const t = words().startAgain;
    const isDue = dueMs <= this.nowMs;
    const when = html`<time datetime=${new Date(dueMs).toISOString()}>${moment(dueMs, language())}</time>`;
    if (!isMine) return html`<p role="status">${t.elsewhere}</p>${this.actions(this.takeBack(t.stop))}`;
    if (!isDue) return html`<p role="status">${t.waits(remaining(dueMs, this.nowMs))} ${t.from} ${when}</p><p class="hint">${t.waitsHint}</p>${this.actions(this.takeBack(t.takeBack))}`;
    const finish = html`<button type="button" class="button primary" ?disabled=${this.isBusy} @click=${this.finish}>${t.finish}</button>`;
    return html`<p role="status">${this.isBusy ? t.starting : t.isDue}</p>${this.actions(html`${finish}${this.takeBack(t.takeBack)}`)}`;
  }

  private actions(content: TemplateResult): TemplateResult {
    return html`<p class="phase-actions">${content}</p>`;
  }

  private takeBack(label: string): TemplateResult {
    return html`<button type="button" class="button quiet" ?disabled=${this.isBusy} @click=${() => this.ask("reset_withdraw")}>${label}</button>`;
  }

  private readonly begin = (): void => {
    const { engine } = this;
    const content = (done: (value: null) => void) =>
      html`<gamrae-start-again-form .engine=${engine} .done=${() => done(null)}></gamrae-start-again-form>`;
    void showDialog(content, { title: words().startAgain.begin, kind: "sheet" });
  };

  private readonly finish = async (): Promise<void> => {
    const t = words().startAgain;
    if (await confirmed({ title: t.finishTitle, text: t.finishText, action: t.finish })) await this.ask("reset_finish");
  };

  private async ask(name: Extract<CommandName, "reset_withdraw" | "reset_finish">): Promise<void> {
    this.isBusy = true;
    this.problem = "";
    const outcome = await outcomeOf(this.engine.command(name, {}));
    this.isBusy = false;
    if (!outcome.done) this.problem = failureText(outcome.failure);
  }
}

/** The password once more, and what is about to happen. */
@customElement("gamrae-start-again-form")
export class StartAgainForm extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @property({ attribute: false }) done: () => void = () => undefined;
  @state() private isBusy = false;
  @state() private problem = "";

  override render() {
    const t = words().startAgain;
    return html`<p class="consequence">${t.formText}</p>
      <form class="form" @submit=${this.submitted}>
        <label for="start-again-password">${t.password}</label>
        <input id="start-again-password" class="input" type="password" required autocomplete="current-password" autofocus ?readonly=${this.isBusy} />
        ${this.problem === "" ? nothing : html`<p class="problem" role="alert">${this.problem}</p>`}
        <button type="submit" class="button danger" ?disabled=${this.isBusy}>${t.announce}</button>
        <p class="hint" role="status">${this.isBusy ? t.announcing : ""}</p>
      </form>`;
  }

  private readonly submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const field = this.querySelector("input");
    if (field === null || this.isBusy || field.value === "") return;
    this.isBusy = true;
    this.problem = "";
    const outcome = await outcomeOf(this.engine.command("reset_begin", { password: field.value }));
    this.isBusy = false;
    if (outcome.done) this.done();
    else this.problem = failureText(outcome.failure);
  };
}

/** `<gamrae-start-again-bar .engine .starting .nowMs>`: on every device of the account. */
@customElement("gamrae-start-again-bar")
export class StartAgainBar extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @property({ attribute: false }) starting: StartingAgain | null = null;
  @property({ attribute: false }) nowMs = Date.now();
  @state() private isBusy = false;

  override render() {
    return html`<div role="alert" class="ribbon-place">${this.starting === null ? nothing : this.bar(this.starting)}</div>`;
  }

  private bar({ dueMs }: StartingAgain): TemplateResult {
    const t = words().startAgain;
    const text = dueMs <= this.nowMs ? t.barDue : t.bar(remaining(dueMs, this.nowMs));
    return html`<div class="ribbon alarm"><span>${text}</span>
      <button type="button" class="button small primary" ?disabled=${this.isBusy} @click=${this.stop}>${t.stop}</button></div>`;
  }

  private readonly stop = async (): Promise<void> => {
    this.isBusy = true;
    const outcome = await outcomeOf(this.engine.command("reset_veto", {}));
    this.isBusy = false;
    if (outcome.done) notify(words().startAgain.stopped);
    else notifyFailure(outcome.failure);
  };
}
