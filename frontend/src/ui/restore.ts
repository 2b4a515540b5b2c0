/** A browser without keys asks for a passkey, the recovery key or another device; one that was taken off the list says so. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Engine, FormerEntry, StartingAgain } from "../engine/contract.ts";
import { language, words } from "../i18n/index.ts";
import { outcomeOf } from "./asking.ts";
import { confirmed } from "./dialog.ts";
import { longDate } from "./format.ts";
import { LightElement } from "./light.ts";
import "./link_here.ts";
import { postForm } from "./navigation.ts";
import "./passkey_restore.ts";
import "./recovery_input.ts";
import { forgetShell } from "./shell_cache.ts";
import "./start_again.ts";

function signOutButton(): TemplateResult {
  return html`<button type="button" class="button quiet" @click=${() => postForm("/accounts/logout/", {})}>${words().me.signOut}</button>`;
}

/** `<gamrae-restore .engine .starting .nowMs>` */
@customElement("gamrae-restore")
export class Restore extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @property({ attribute: false }) starting: StartingAgain | null = null;
  @property({ attribute: false }) nowMs = Date.now();
  /** What this browser was in the list of devices before it lost its keys. */
  @state() private former: FormerEntry | null = null;

  override firstUpdated(): void {
    void this.askFormer(true);
  }

  override render() {
    const t = words().restore;
    const startAgain = html`<gamrae-start-again .engine=${this.engine} .starting=${this.starting} .nowMs=${this.nowMs}></gamrae-start-again>`;
    return html`${this.starting === null ? nothing : html`<section class="card">${startAgain}</section>`}
      ${this.former === null ? nothing : this.evicted(this.former)}
      <gamrae-passkey-restore .engine=${this.engine}></gamrae-passkey-restore>
      <gamrae-recovery-input .give=${this.give} .action=${t.action}></gamrae-recovery-input>
      <gamrae-link-here .engine=${this.engine}></gamrae-link-here>
      ${this.starting === null ? html`<details><summary>${t.lost}</summary><p>${t.lostElsewhere}</p>${startAgain}</details>` : nothing}
      <p class="phase-actions"><a class="button quiet" href="/accounts/password/change/">${words().phase.account}</a>${signOutButton()}</p>`;
  }

  /** The browser threw away what was stored and kept the login: said, and its old entry goes. */
  private evicted({ createdMs }: FormerEntry): TemplateResult {
    const t = words().restore;
    return html`<section class="card"><p>${t.evicted}</p><div class="labelled">
      <label class="switch-row"><span>${t.takePlace(longDate(createdMs, language()))}</span>
        <input type="checkbox" role="switch" class="switch" checked aria-describedby="place-hint" @change=${this.choosePlace} /></label>
      <p class="hint" id="place-hint">${t.takePlaceHint}</p></div></section>`;
  }

  private readonly choosePlace = (event: Event): void => {
    void this.askFormer((event.target as HTMLInputElement).checked);
  };

  private async askFormer(takesPlace: boolean): Promise<void> {
    const outcome = await outcomeOf(this.engine.command("former_entry", { takesPlace }));
    if (outcome.done) this.former = outcome.result.former;
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
