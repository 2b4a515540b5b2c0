/** 복구 열쇠 in the tab 나: shown to be written down, typed once again, tested, and made anew. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { Engine, Renewing } from "../engine/contract.ts";
import { words } from "../i18n/index.ts";
import { outcomeOf, type Outcome } from "./asking.ts";
import { confirmed, showDialog } from "./dialog.ts";
import { LightElement } from "./light.ts";
import { notify } from "./notices.ts";
import "./recovery_input.ts";
import "./recovery_paper.ts";
import "./recovery_renewal.ts";

/** Type the key; done when the account opened with it. */
async function test(engine: Engine, secret: string, done: () => void): Promise<Outcome<null>> {
  const outcome = await outcomeOf(engine.command("recovery_test", { secret }));
  if (outcome.done) {
    done();
    notify(words().recovery.tested);
  }
  return outcome;
}

/** `<gamrae-me-recovery .engine .isWritten .renewing>` */
@customElement("gamrae-me-recovery")
export class MeRecovery extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @property({ type: Boolean }) isWritten = false;
  @property({ attribute: false }) renewing: Renewing = null;

  override render() {
    const t = words().recovery;
    return html`<section class="card"><h2>${t.title}</h2>
      <p>${t.text}</p>
      ${this.standing()}
      <p class="phase-actions">${this.buttons()}</p></section>`;
  }

  private standing(): TemplateResult {
    const t = words().recovery;
    if (this.renewing?.state === "begun") return html`<p class="reminder">${t.renewalBegun}</p>`;
    const moving = this.renewing && html`<p class="hint" role="status">${t.moving(this.renewing.done, this.renewing.of)}</p>`;
    const standing = html`<p class=${this.isWritten ? "hint" : "reminder"}>${this.isWritten ? t.isWritten : t.reminder}</p>`;
    return html`${standing}${moving ?? nothing}`;
  }

  private buttons(): TemplateResult {
    const t = words().recovery;
    if (this.renewing?.state === "begun") {
      return html`<button type="button" class="button primary" @click=${this.renew}>${t.renewalResume}</button>
        <button type="button" class="button quiet" @click=${this.discard}>${t.renewalDiscard}</button>`;
    }
    const show = html`<button type="button" class="button primary" @click=${this.show}>${t.show}</button>`;
    const renew = html`<button type="button" class="button quiet" @click=${this.renew}>${t.renew}</button>`;
    return html`${this.isWritten ? nothing : show}
      <button type="button" class="button quiet" @click=${this.try}>${t.test}</button>
      ${this.isWritten ? renew : nothing}`;
  }

  private readonly show = (): void => {
    const { engine } = this;
    const content = (done: (value: null) => void) =>
      html`<gamrae-recovery-paper .load=${() => engine.command("recovery_show", {})}
        .give=${(secret: string) => test(engine, secret, () => done(null))}></gamrae-recovery-paper>`;
    void showDialog(content, { title: words().recovery.title, kind: "sheet" });
  };

  private readonly try = (): void => {
    const { engine } = this;
    const t = words().recovery;
    const content = (done: (value: null) => void) => html`<p class="consequence">${t.testText}</p>
      <gamrae-recovery-input .action=${t.check} .give=${(secret: string) => test(engine, secret, () => done(null))}></gamrae-recovery-input>`;
    void showDialog(content, { title: t.test, kind: "sheet" });
  };

  private readonly renew = (): void => {
    const { engine } = this;
    const isBegun = this.renewing?.state === "begun";
    const content = (done: (value: null) => void) =>
      html`<gamrae-recovery-renewal .engine=${engine} ?isBegun=${isBegun} .done=${() => done(null)}></gamrae-recovery-renewal>`;
    void showDialog(content, { title: words().recovery.renewTitle, kind: "sheet" });
  };

  private readonly discard = async (): Promise<void> => {
    const t = words().recovery;
    const sure = { title: t.renewalDiscardTitle, text: t.renewalDiscardText, action: t.renewalDiscard };
    if (await confirmed(sure)) await outcomeOf(this.engine.command("renewal_discard", {}));
  };
}
