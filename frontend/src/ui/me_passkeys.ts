/** 패스키 in the tab 나: which of them open the account, adding one and taking one away. */

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Engine, Me, Passkey } from "../engine/contract.ts";
import { language, words } from "../i18n/index.ts";
import { failureText, outcomeOf } from "./asking.ts";
import "./device_name.ts";
import { confirmed, showDialog } from "./dialog.ts";
import { longDate } from "./format.ts";
import { LightElement } from "./light.ts";
import { notify } from "./notices.ts";
import "./passkey_add.ts";
import { passkeySupport, type PasskeySupport } from "./webauthn.ts";

/** `<gamrae-me-passkeys .engine .me>`; asks again whenever `me` is another one. */
@customElement("gamrae-me-passkeys")
export class MePasskeys extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @property({ attribute: false }) me!: Me;
  @state() private passkeys: Passkey[] = [];
  @state() private support: PasskeySupport | null = null;
  @state() private problem = "";

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("me") || changed.has("engine")) void this.load();
  }

  override render() {
    const t = words().passkey;
    return html`<section class="card" aria-labelledby="passkeys-title"><h2 id="passkeys-title">${t.title}</h2>
      <p>${t.text}</p>
      ${this.problem === "" ? nothing : html`<p class="problem" role="alert">${this.problem}</p>`}
      ${this.passkeys.length === 0 ? nothing : html`<ul class="devices">${this.passkeys.map((passkey) => this.row(passkey))}</ul>`}
      ${this.adding()}</section>`;
  }

  private adding(): TemplateResult {
    const t = words().passkey;
    if (!this.me.hasRecoveryKey) return html`<p class="hint">${t.first}</p>`;
    if (this.support === "no") return html`<p class="hint">${t.unsupported}</p>`;
    if (this.support === "address") return html`<p class="hint">${t.address}</p>`;
    return html`<p class="phase-actions"><button type="button" class="button quiet" @click=${this.add}>${t.add}</button></p>`;
  }

  private row(passkey: Passkey): TemplateResult {
    const t = words().passkey;
    const d = words().devices;
    const since = d.since(longDate(passkey.createdMs, language()));
    const used = passkey.lastUsedMs === null ? t.unused : d.used(longDate(passkey.lastUsedMs, language()));
    const called = passkey.name === "" ? t.unnamed : passkey.name;
    return html`<li class="device"><span class="device-text"><strong><bdi>${called}</bdi></strong>
      <span class="hint">${since} · ${used}</span></span>
      <span class="device-buttons">
        <button type="button" class="button small quiet" aria-label=${d.renameOf(called)} @click=${() => this.rename(passkey)}>${d.rename}</button>
        <button type="button" class="button small text-danger" aria-label=${t.removeOf(called)} @click=${() => this.takeAway(passkey, called)}>${t.remove}</button></span></li>`;
  }

  private async load(): Promise<void> {
    this.support ??= await passkeySupport();
    const outcome = await outcomeOf(this.engine.command("passkeys_list", {}));
    this.problem = outcome.done ? "" : failureText(outcome.failure);
    if (outcome.done) this.passkeys = outcome.result.passkeys;
  }

  private readonly add = (): void => {
    const { engine, me } = this;
    const content = (done: (value: null) => void) =>
      html`<gamrae-passkey-add .engine=${engine} .me=${me} .done=${() => done(null)}></gamrae-passkey-add>`;
    void showDialog(content, { title: words().passkey.add, kind: "sheet" }).then(() => this.load());
  };

  private rename({ passkeyId, name }: Passkey): void {
    const save = (given: string) => outcomeOf(this.engine.command("passkey_rename", { passkeyId, name: given }));
    void showDialog(
      (done) => html`<gamrae-device-name .name=${name} .save=${save} .close=${() => done(null)}></gamrae-device-name>`,
      { title: words().passkey.renameTitle, kind: "sheet" },
    ).then(() => this.load());
  }

  private async takeAway({ passkeyId }: Passkey, called: string): Promise<void> {
    const t = words().passkey;
    if (!(await confirmed({ title: t.removeTitle(called), text: t.removeText, action: t.remove }))) return;
    const outcome = await outcomeOf(this.engine.command("passkey_remove", { passkeyId }));
    if (outcome.done) notify(t.removed);
    else this.problem = failureText(outcome.failure);
    if (outcome.done) await this.load();
  }
}
