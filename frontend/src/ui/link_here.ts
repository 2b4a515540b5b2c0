/** A browser without keys shows a code, by which a device that has them links it. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Engine, Result } from "../engine/contract.ts";
import { words } from "../i18n/index.ts";
import { failureText, outcomeOf } from "./asking.ts";
import { compareDigits } from "./link_digits.ts";
import { LightElement } from "./light.ts";
import { qrCode } from "./qr.ts";

/** `<gamrae-link-here .engine>`; that it is linked the page learns from the phase. */
@customElement("gamrae-link-here")
export class LinkHere extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @state() private shown: Result<"link_show"> | null = null;
  @state() private isTaken = false;
  @state() private isBusy = false;
  @state() private problem = "";

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.shown = null;
  }

  override render() {
    const t = words().link;
    return html`<section class="link-here" aria-labelledby="link-title"><h2 id="link-title">${t.title}</h2>
      <p>${t.text}</p>
      ${this.problem === "" ? nothing : html`<p class="problem" role="alert">${this.problem}</p>`}
      ${this.shown === null ? this.offer() : this.code(this.shown)}</section>`;
  }

  private offer(): TemplateResult {
    const t = words().link;
    const label = this.problem === "" ? t.show : t.again;
    return html`<p><button type="button" class="button quiet" ?disabled=${this.isBusy} @click=${this.show}>${label}</button></p>
      <p class="hint" role="status">${this.isBusy ? words().app.loading : ""}</p>`;
  }

  private code({ code, compare }: Result<"link_show">): TemplateResult {
    const t = words().link;
    return html`<ol class="link-steps"><li>${t.step1}</li><li>${t.step2}</li><li>${t.step3}</li></ol>
      ${qrCode(code, t.qr)}
      <h3>${t.code}</h3><p class="link-code" translate="no" lang="zxx">${code}</p>
      <h3>${t.compare}</h3>${compareDigits(compare)}
      <p class="hint" role="status">${this.isTaken ? t.taken : t.waiting}</p>
      <p><button type="button" class="button quiet" @click=${this.cancel}>${words().common.cancel}</button></p>`;
  }

  private readonly show = async (): Promise<void> => {
    this.isBusy = true;
    this.problem = "";
    const outcome = await outcomeOf(this.engine.command("link_show", {}));
    this.isBusy = false;
    this.isTaken = false;
    if (!outcome.done) {
      this.problem = failureText(outcome.failure);
      return;
    }
    this.shown = outcome.result;
    await this.wait(outcome.result);
  };

  /** Follow one attempt until it is linked, or over; one that was replaced or cancelled is silent. */
  private async wait(attempt: Result<"link_show">): Promise<void> {
    for (;;) {
      const outcome = await outcomeOf(this.engine.command("link_wait", {}));
      if (this.shown !== attempt) return;
      if (!outcome.done) {
        this.problem = failureText(outcome.failure);
        this.shown = null;
        return;
      }
      if (outcome.result.state === "linked") return;
      this.isTaken = true;
    }
  }

  private readonly cancel = async (): Promise<void> => {
    this.shown = null;
    await outcomeOf(this.engine.command("link_cancel", {}));
  };
}
