/** Adding a passkey: the recovery key, then what the browser asks. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Engine, Me, PasskeyRequest } from "../engine/contract.ts";
import { words } from "../i18n/index.ts";
import { failureText, outcomeOf } from "./asking.ts";
import { LightElement } from "./light.ts";
import { notify } from "./notices.ts";
import "./recovery_input.ts";
import { askPasskey, makePasskey, type PasskeyProblem, PasskeyRefused, stopAsking } from "./webauthn.ts";

function textOf(problem: PasskeyProblem): string {
  const t = words().passkey;
  if (problem === "exists") return t.exists;
  return problem === "unable" ? t.unable : t.none;
}

/** `<gamrae-passkey-add .engine .me .done>`; taken off the page it forgets the opened recovery key. */
@customElement("gamrae-passkey-add")
export class PasskeyAdd extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @property({ attribute: false }) me!: Me;
  @property({ attribute: false }) done: () => void = () => undefined;
  @state() private request: PasskeyRequest | null = null;
  /** Made, and still to be asked or kept. */
  @state() private made: Uint8Array | null = null;
  @state() private isBusy = false;
  @state() private problem = "";

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    stopAsking();
    if (this.request !== null) void outcomeOf(this.engine.command("passkey_discard", {}));
    this.request = null;
    this.made = null;
  }

  override render() {
    const t = words().passkey;
    if (this.request === null) {
      return html`<p class="consequence">${t.addText}</p>
        <gamrae-recovery-input .action=${t.next} .give=${this.give}></gamrae-recovery-input>`;
    }
    return this.making(this.request);
  }

  private making(request: PasskeyRequest): TemplateResult {
    const t = words().passkey;
    const isMade = this.made !== null;
    return html`<p class="consequence">${isMade ? t.againText : t.makeText}</p>
      ${isMade ? nothing : html`<p class="consequence">${t.keeper}</p>`}
      ${this.problem === "" ? nothing : html`<p class="problem" role="alert">${this.problem}</p>`}
      <p class="dialog-buttons"><button type="button" class="button primary" autofocus ?disabled=${this.isBusy}
        @click=${() => this.make(request)}>${isMade ? t.again : t.make}</button></p>
      <p class="hint" role="status">${this.isBusy ? t.asking : ""}</p>`;
  }

  private readonly give = async (secret: string) => {
    const outcome = await outcomeOf(this.engine.command("passkey_begin", { secret }));
    if (!outcome.done) return outcome;
    if (this.isConnected) this.request = outcome.result;
    else await outcomeOf(this.engine.command("passkey_discard", {}));
    return outcome;
  };

  private async make(request: PasskeyRequest): Promise<void> {
    if (this.isBusy) return;
    this.isBusy = true;
    this.problem = "";
    try {
      await this.keep(await this.answer(request));
    } catch (error) {
      if (!(error instanceof PasskeyRefused)) throw error;
      this.problem = textOf(error.problem);
      if (error.problem === "unable") this.made = null;
    } finally {
      this.isBusy = false;
    }
  }

  /** Some authenticators answer while they make a passkey; the others have to be asked again. */
  private async answer(request: PasskeyRequest) {
    if (this.made === null) {
      const { email: name, nickname: displayName } = this.me;
      const { credential, prf } = await makePasskey(request, { name, displayName });
      this.made = credential;
      if (prf !== null) return { credential, prf };
    }
    return askPasskey({ ...request, credentials: [this.made] });
  }

  private async keep(answer: { credential: Uint8Array; prf: Uint8Array }): Promise<void> {
    const outcome = await outcomeOf(this.engine.command("passkey_add", answer)).finally(() => answer.prf.fill(0));
    if (outcome.done) {
      notify(words().passkey.added);
      this.done();
      return;
    }
    this.problem = failureText(outcome.failure);
    // The recovery key is to be given again; what was made is not lost on it.
    if (outcome.failure.code === "passkey_gone") this.request = null;
  }
}
