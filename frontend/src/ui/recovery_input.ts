/** The field that takes the recovery key, and says why one was not taken. */

import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Failure } from "../engine/contract.ts";
import { words } from "../i18n/index.ts";
import { failureText, type Outcome } from "./asking.ts";
import { LightElement } from "./light.ts";

// Whoever has more words wrong than these has not misread a paper: it is another thing that they type.
const MISREAD = 3;

/** What is wrong with a recovery key, with the places of words or blocks that there are not. */
export function recoveryFailureText(failure: Failure): string {
  const t = words().recovery;
  const { words: wrongWords, blocks: wrongBlocks, count } = failure.fields ?? {};
  const isCode = failure.code === "recovery_code";
  const places = isCode ? wrongBlocks : wrongWords;
  if (count !== undefined) return (isCode ? t.wrongBlockCount : t.wrongCount)(Number(count[0]));
  if (places === undefined) return failure.code === "recovery_words" ? t.notWords : failureText(failure);
  if (places.length > MISREAD) return t.notWords;
  return (isCode ? t.wrongBlocks : t.wrongWords)(places.join(", "));
}

/** `<gamrae-recovery-input .give .action>`; `give` takes what was typed and answers how it went. */
@customElement("gamrae-recovery-input")
export class RecoveryInput extends LightElement {
  @property({ attribute: false }) give!: (secret: string) => Promise<Outcome<unknown>>;
  /** The verb on the button. */
  @property() action = "";
  @property({ type: Boolean }) danger = false;
  @state() private isBusy = false;
  @state() private problem = "";

  override render() {
    const t = words().recovery;
    return html`<form class="form recovery-input" @submit=${this.submitted}>
      <label for="recovery-secret">${t.label}</label>
      <textarea id="recovery-secret" class="input" name="secret" rows="3" required autocomplete="off" autocapitalize="none" spellcheck="false"
        translate="no" aria-describedby="recovery-hint" ?readonly=${this.isBusy}></textarea>
      <p class="hint" id="recovery-hint">${t.labelHint}</p>
      ${this.problem === "" ? nothing : html`<p class="problem" role="alert">${this.problem}</p>`}
      <button type="submit" class="button ${this.danger ? "danger" : "primary"}" ?disabled=${this.isBusy}>${this.action}</button>
      <p class="hint" role="status">${this.isBusy ? t.checking : ""}</p>
    </form>`;
  }

  private readonly submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const field = this.querySelector("textarea");
    if (field === null || this.isBusy || field.value.trim() === "") return;
    this.isBusy = true;
    this.problem = "";
    const outcome = await this.give(field.value);
    this.isBusy = false;
    if (outcome.done) field.value = "";
    else this.problem = recoveryFailureText(outcome.failure);
  };
}
