/** A browser without keys asks the account's passkeys, where there are some. */

import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Engine, PasskeyRequest } from "../engine/contract.ts";
import { words } from "../i18n/index.ts";
import { failureText, outcomeOf } from "./asking.ts";
import { LightElement } from "./light.ts";
import { askPasskey, PasskeyRefused, passkeySupport, type PasskeySupport, stopAsking } from "./webauthn.ts";

/** `<gamrae-passkey-restore .engine>`; without passkeys it shows nothing. */
@customElement("gamrae-passkey-restore")
export class PasskeyRestore extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @state() private request: PasskeyRequest | null = null;
  @state() private support: PasskeySupport = "no";
  @state() private isBusy = false;
  @state() private problem = "";

  override connectedCallback(): void {
    super.connectedCallback();
    void this.look();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    stopAsking();
  }

  /** Who has none, and whoever cannot be told, has the other ways. */
  private async look(): Promise<void> {
    const outcome = await outcomeOf(this.engine.command("passkey_offer", {}));
    this.support = await passkeySupport();
    if (outcome.done && outcome.result.credentials.length > 0) this.request = outcome.result;
  }

  override render() {
    const { request } = this;
    const t = words().passkey;
    if (request === null) return nothing;
    if (this.support !== "yes") return html`<p class="hint">${this.support === "no" ? t.unsupported : t.address}</p>`;
    return html`<section class="passkey-restore" aria-labelledby="passkey-title"><h2 id="passkey-title">${t.title}</h2>
      <p>${t.restoreText}</p>
      ${this.problem === "" ? nothing : html`<p class="problem" role="alert">${this.problem}</p>`}
      <p><button type="button" class="button primary" ?disabled=${this.isBusy} @click=${() => this.restore(request)}>${t.restore}</button></p>
      <p class="hint" role="status">${this.isBusy ? t.restoring : ""}</p>
      <h2>${t.orKey}</h2></section>`;
  }

  private async restore(request: PasskeyRequest): Promise<void> {
    if (this.isBusy) return;
    this.isBusy = true;
    this.problem = "";
    try {
      const answer = await askPasskey(request);
      const outcome = await outcomeOf(this.engine.command("passkey_restore", answer)).finally(() => answer.prf.fill(0));
      if (!outcome.done) this.problem = failureText(outcome.failure);
    } catch (error) {
      if (!(error instanceof PasskeyRefused)) throw error;
      const t = words().passkey;
      this.problem = error.problem === "unable" ? t.mute : t.none;
    } finally {
      this.isBusy = false;
    }
  }
}
