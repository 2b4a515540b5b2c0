/** A browser without keys asks for the recovery key or for another device; one that was taken off the list says so. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Engine } from "../engine/contract.ts";
import { words } from "../i18n/index.ts";
import { outcomeOf } from "./asking.ts";
import { confirmed } from "./dialog.ts";
import { LightElement } from "./light.ts";
import "./link_here.ts";
import { postForm } from "./navigation.ts";
import "./recovery_input.ts";
import { forgetShell } from "./shell_cache.ts";

function signOutButton(): TemplateResult {
  return html`<button type="button" class="button quiet" @click=${() => postForm("/accounts/logout/", {})}>${words().me.signOut}</button>`;
}

/** `<gamrae-restore .engine>` */
@customElement("gamrae-restore")
export class Restore extends LightElement {
  @property({ attribute: false }) engine!: Engine;

  override render() {
    const t = words().restore;
    return html`<gamrae-recovery-input .give=${this.give} .action=${t.action}></gamrae-recovery-input>
      <gamrae-link-here .engine=${this.engine}></gamrae-link-here>
      <details><summary>${t.lost}</summary>
        <p>${t.lostElsewhere}</p><p>${t.lostForGood}</p></details>
      <p class="phase-actions"><a class="button quiet" href="/accounts/password/change/">${words().phase.account}</a>${signOutButton()}</p>`;
  }

  private readonly give = (secret: string) => outcomeOf(this.engine.command("restore", { secret }));
}

/** `<gamrae-revoked .engine>` */
@customElement("gamrae-revoked")
export class Revoked extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @state() private problem = "";

  override render() {
    const t = words().restore;
    return html`${this.problem === "" ? nothing : html`<p class="problem" role="alert">${this.problem}</p>`}
      <p class="phase-actions">
        <button type="button" class="button danger" @click=${this.erase}>${t.eraseAction}</button>${signOutButton()}</p>`;
  }

  private readonly erase = async (): Promise<void> => {
    const t = words().restore;
    if (!(await confirmed({ title: t.eraseTitle, text: t.eraseText, action: t.eraseAction }))) return;
    const outcome = await outcomeOf(this.engine.command("forget", {}));
    if (!outcome.done) {
      this.problem = words().me.eraseFailed;
      return;
    }
    await forgetShell();
    location.reload();
  };
}
