/** 복구 열쇠 in the tab 나: shown to be written down, typed once again, tested whenever one likes. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Engine, Result } from "../engine/contract.ts";
import { words } from "../i18n/index.ts";
import { failureText, outcomeOf, type Outcome } from "./asking.ts";
import { showDialog } from "./dialog.ts";
import { LightElement } from "./light.ts";
import { notify } from "./notices.ts";
import "./recovery_input.ts";

/** Type the key; done when the account opened with it. */
async function test(engine: Engine, secret: string, done: () => void): Promise<Outcome<null>> {
  const outcome = await outcomeOf(engine.command("recovery_test", { secret }));
  if (outcome.done) {
    done();
    notify(words().recovery.tested);
  }
  return outcome;
}

/** `<gamrae-recovery-paper .engine .done>`: first the words, then, without them, the field. */
@customElement("gamrae-recovery-paper")
export class RecoveryPaper extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @property({ attribute: false }) done: () => void = () => undefined;
  @state() private shown: Result<"recovery_show"> | null = null;
  @state() private isWritten = false;
  @state() private problem = "";

  override connectedCallback(): void {
    super.connectedCallback();
    void this.load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.shown = null;
  }

  override render() {
    const t = words().recovery;
    if (this.problem !== "") return html`<p class="problem" role="alert">${this.problem}</p>`;
    if (this.isWritten) {
      return html`<p class="consequence">${t.typeAgain}</p>
        <gamrae-recovery-input .action=${t.check} .give=${(secret: string) => test(this.engine, secret, this.done)}></gamrae-recovery-input>`;
    }
    return this.shown === null ? html`<p role="status">${words().app.loading}</p>` : this.paper(this.shown);
  }

  private paper({ words: six, code }: Result<"recovery_show">): TemplateResult {
    const t = words().recovery;
    return html`<p class="consequence">${t.paper}</p>
      <ol class="recovery-words" translate="no" lang="zxx">${six.split(" ").map((word) => html`<li>${word}</li>`)}</ol>
      <h3>${t.code}</h3><p class="recovery-code" translate="no" lang="zxx">${code}</p>
      <p class="hint">${t.codeHint}</p>
      <div class="dialog-buttons"><button type="button" class="button primary" @click=${this.written}>${t.written}</button></div>`;
  }

  private async load(): Promise<void> {
    const outcome = await outcomeOf(this.engine.command("recovery_show", {}));
    if (outcome.done) this.shown = outcome.result;
    else this.problem = failureText(outcome.failure);
  }

  private readonly written = (): void => {
    this.shown = null;
    this.isWritten = true;
  };
}

/** `<gamrae-me-recovery .engine .isWritten>` */
@customElement("gamrae-me-recovery")
export class MeRecovery extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @property({ type: Boolean }) isWritten = false;

  override render() {
    const t = words().recovery;
    const show = html`<button type="button" class="button primary" @click=${this.show}>${t.show}</button>`;
    return html`<section class="card"><h2>${t.title}</h2>
      <p>${t.text}</p>
      <p class=${this.isWritten ? "hint" : "reminder"}>${this.isWritten ? t.isWritten : t.reminder}</p>
      <p class="phase-actions">${this.isWritten ? nothing : show}
        <button type="button" class="button quiet" @click=${this.try}>${t.test}</button></p></section>`;
  }

  private readonly show = (): void => {
    const { engine } = this;
    const content = (done: (value: null) => void) =>
      html`<gamrae-recovery-paper .engine=${engine} .done=${() => done(null)}></gamrae-recovery-paper>`;
    void showDialog(content, { title: words().recovery.title, kind: "sheet" });
  };

  private readonly try = (): void => {
    const { engine } = this;
    const t = words().recovery;
    const content = (done: (value: null) => void) => html`<p class="consequence">${t.testText}</p>
      <gamrae-recovery-input .action=${t.check} .give=${(secret: string) => test(engine, secret, () => done(null))}></gamrae-recovery-input>`;
    void showDialog(content, { title: t.test, kind: "sheet" });
  };
}
