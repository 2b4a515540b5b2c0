/** The page with the recovery key: to be written down or printed, then, without it, the field. */

import { html, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { words } from "../i18n/index.ts";
import { failureText, outcomeOf, type Outcome } from "./asking.ts";
import { LightElement } from "./light.ts";
import "./recovery_input.ts";

/** What is to be written down: both forms of one key. */
export interface Paper {
  words: string;
  code: string;
}

/** `<gamrae-recovery-paper .load .give>`: `load` gives the key, `give` takes what was typed again. */
@customElement("gamrae-recovery-paper")
export class RecoveryPaper extends LightElement {
  @property({ attribute: false }) load!: () => Promise<Paper>;
  @property({ attribute: false }) give!: (secret: string) => Promise<Outcome<unknown>>;
  /** What typing it again brings about. */
  @property() consequence = "";
  @state() private shown: Paper | null = null;
  @state() private isWritten = false;
  @state() private problem = "";

  override connectedCallback(): void {
    super.connectedCallback();
    void this.fetch();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.shown = null;
  }

  override render() {
    const t = words().recovery;
    if (this.problem !== "") return html`<p class="problem" role="alert">${this.problem}</p>`;
    if (this.isWritten) {
      return html`<p class="consequence">${this.consequence === "" ? t.typeAgain : this.consequence}</p>
        <gamrae-recovery-input .action=${t.check} .give=${this.give}></gamrae-recovery-input>
        <button type="button" class="button quiet" @click=${this.back}>${t.back}</button>`;
    }
    return this.shown === null ? html`<p role="status">${words().app.loading}</p>` : this.paper(this.shown);
  }

  private paper({ words: six, code }: Paper): TemplateResult {
    const t = words().recovery;
    return html`<p class="consequence">${t.paper}</p>
      <p class="paper-only">${t.printedFor}<br /><bdi>${location.origin}</bdi></p>
      <ol class="recovery-words" translate="no" lang="zxx">${six.split(" ").map((word) => html`<li>${word}</li>`)}</ol>
      <h3 class="screen-only">${t.code}</h3><p class="recovery-code" translate="no" lang="zxx">${code}</p>
      <p class="hint">${t.codeHint}</p>
      <div class="dialog-buttons"><button type="button" class="button quiet" @click=${() => window.print()}>${t.print}</button>
        <button type="button" class="button primary" @click=${this.written}>${t.written}</button></div>`;
  }

  private async fetch(): Promise<void> {
    const outcome = await outcomeOf(this.load());
    if (outcome.done) this.shown = outcome.result;
    else this.problem = failureText(outcome.failure);
  }

  private readonly written = (): void => {
    this.shown = null;
    this.isWritten = true;
  };

  /** Back to the key: what was written down may lack a word. */
  private readonly back = (): void => {
    this.isWritten = false;
    void this.fetch();
  };
}
