/** Making a recovery key anew: the present one, the new one on paper, the new one typed again. */

import { html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Engine } from "../engine/contract.ts";
import { words } from "../i18n/index.ts";
import { outcomeOf } from "./asking.ts";
import { LightElement } from "./light.ts";
import { notify } from "./notices.ts";
import "./recovery_input.ts";
import "./recovery_paper.ts";

/** `<gamrae-recovery-renewal .engine .isBegun .done>`; with `isBegun` the new key is there already. */
@customElement("gamrae-recovery-renewal")
export class RecoveryRenewal extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @property({ type: Boolean }) isBegun = false;
  @property({ attribute: false }) done: () => void = () => undefined;
  @state() private isMade = false;

  override render() {
    const t = words().recovery;
    if (this.isBegun || this.isMade) {
      return html`<gamrae-recovery-paper .load=${() => this.engine.command("renewal_show", {})}
        .give=${this.finish} .consequence=${t.renewTypeAgain}></gamrae-recovery-paper>`;
    }
    return html`<p class="consequence">${t.renewText}</p>
      <p class="consequence">${t.renewLimits}</p>
      <p>${t.renewPresent}</p>
      <gamrae-recovery-input .action=${t.renewMake} .give=${this.begin}></gamrae-recovery-input>`;
  }

  private readonly begin = async (secret: string) => {
    const outcome = await outcomeOf(this.engine.command("renewal_begin", { secret }));
    if (outcome.done) this.isMade = true;
    return outcome;
  };

  private readonly finish = async (secret: string) => {
    const outcome = await outcomeOf(this.engine.command("renewal_finish", { secret }));
    if (outcome.done) {
      this.done();
      notify(words().recovery.renewed);
    }
    return outcome;
  };
}
