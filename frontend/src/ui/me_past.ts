/** The time before the account was started again, in the tab 나: the recovery key of then opens it. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { Engine, Past } from "../engine/contract.ts";
import { words } from "../i18n/index.ts";
import { outcomeOf } from "./asking.ts";
import { showDialog } from "./dialog.ts";
import { LightElement } from "./light.ts";
import { notify } from "./notices.ts";
import "./recovery_input.ts";

/** `<gamrae-me-past .engine .past>`; nothing where all of it is here. */
@customElement("gamrae-me-past")
export class MePast extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @property({ attribute: false }) past: Past = null;

  override render() {
    const t = words().recovery;
    const { past } = this;
    if (past === null) return nothing;
    return html`<section class="card"><h2>${t.pastTitle}</h2>
      ${past.state === "opening" ? html`<p class="hint" role="status">${t.pastOpening(past.done, past.of)}</p>` : this.closed()}</section>`;
  }

  private closed(): TemplateResult {
    const t = words().recovery;
    return html`<p>${t.pastText}</p>
      <p class="phase-actions"><button type="button" class="button quiet" @click=${this.open}>${t.pastOpen}</button></p>`;
  }

  private readonly open = (): void => {
    const t = words().recovery;
    const content = (done: (value: null) => void) => html`<p class="consequence">${t.pastPrompt}</p>
      <gamrae-recovery-input .action=${t.pastAction} .give=${(secret: string) => this.give(secret, done)}></gamrae-recovery-input>`;
    void showDialog(content, { title: t.pastTitle, kind: "sheet" });
  };

  private async give(secret: string, done: (value: null) => void) {
    const outcome = await outcomeOf(this.engine.command("bring_back", { secret }));
    if (outcome.done) {
      done(null);
      notify(words().recovery.pastFound);
    }
    return outcome;
  }
}
