/** The tab 나: one's profile, fingerprint and account, how the page looks, and the way out. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Engine, Me } from "../engine/contract.ts";
import { language, words, type Language } from "../i18n/index.ts";
import { failureText, outcomeOf } from "./asking.ts";
import { confirmed } from "./dialog.ts";
import { icon } from "./icons.ts";
import { showKeyboardHelp } from "./keyboard_help.ts";
import { LightElement } from "./light.ts";
import "./me_devices.ts";
import "./me_passkeys.ts";
import "./me_past.ts";
import "./me_recovery.ts";
import { postForm } from "./navigation.ts";
import { notify } from "./notices.ts";
import { avatar, name, skeletonRows } from "./person.ts";
import { forgetShell } from "./shell_cache.ts";
import { askToSignOut } from "./sign_out.ts";
import type { AppState } from "./state.ts";
import { chooseTheme, storedTheme, type Theme } from "./theme.ts";

const pages = {
  email: "/accounts/email/",
  password: "/accounts/password/change/",
  sessions: "/accounts/sessions/",
  signOut: "/accounts/logout/",
  language: "/language/",
};

/** `<gamrae-me .engine .state>` */
@customElement("gamrae-me")
export class MeScreen extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @property({ attribute: false }) state!: AppState;
  @state() private saving = false;
  @state() private problem = "";

  override render() {
    const t = words().me;
    const me = this.state.me;
    return html`<header class="list-head"><h1 tabindex="-1">${t.title}</h1></header>
      <div class="list-body me">
        ${me === null ? skeletonRows(words().app.loading) : html`${this.own(me)}`}
        ${this.appearance()}
        <section><button type="button" class="button quiet" @click=${this.signOut}>${t.signOut}</button>
          <button type="button" class="button text-danger" @click=${this.erase}>${t.erase}</button></section>
      </div>`;
  }

  private profile(me: Me): TemplateResult {
    const t = words().me;
    return html`<section class="card">
      <div class="profile">${avatar(me, "large")}<p class="profile-name">${name(me.nickname)}</p></div>
      <form class="form" @submit=${this.save}>
        <label for="me-nickname">${t.nickname}</label>
        <input id="me-nickname" class="input" name="nickname" required maxlength="40" autocomplete="nickname" .value=${me.nickname} aria-describedby="me-nickname-hint" />
        <p class="hint" id="me-nickname-hint">${t.nicknameHint}</p>
        <label for="me-status">${t.status}</label>
        <input id="me-status" class="input" name="status" maxlength="120" autocomplete="off" .value=${me.statusMessage} aria-describedby="me-status-hint" />
        <p class="hint" id="me-status-hint">${t.statusHint}</p>
        ${this.problem === "" ? nothing : html`<p class="problem" role="alert">${this.problem}</p>`}
        <button type="submit" class="button primary" ?disabled=${this.saving}>${words().common.save}</button>
      </form>
    </section>`;
  }

  /** What is still to be done stands first. */
  private own(me: Me): TemplateResult {
    const recovery = html`<gamrae-me-recovery .engine=${this.engine} ?isWritten=${me.hasRecoveryKey} .renewing=${me.renewing}></gamrae-me-recovery>`;
    const passkeys = html`<gamrae-me-passkeys .engine=${this.engine} .me=${me}></gamrae-me-passkeys>`;
    const devices = html`<gamrae-me-devices .engine=${this.engine} .me=${me}></gamrae-me-devices>`;
    const isFirst = !me.hasRecoveryKey || me.renewing?.state === "begun";
    return html`${isFirst ? recovery : nothing}${this.profile(me)}${isFirst ? nothing : recovery}
      <gamrae-me-past .engine=${this.engine} .past=${me.past}></gamrae-me-past>
      ${passkeys}${devices}${this.fingerprint(me)}${this.account(me)}`;
  }

  private fingerprint(me: Me): TemplateResult {
    const t = words().me;
    return html`<section class="card"><h2>${t.fingerprint}</h2>
      <p class="digits" translate="no">${me.fingerprint.split(" ").map((group) => html`<span>${group}</span> `)}</p>
      <p class="hint">${t.fingerprintText}</p></section>`;
  }

  private account(me: Me): TemplateResult {
    const t = words().me;
    return html`<section class="card link-list"><h2>${t.account}</h2>
      <a class="row" href=${pages.email}><span class="row-text">${t.changeEmail}<span class="row-second"><bdi>${me.email}</bdi></span></span>${icon("next")}</a>
      <a class="row" href=${pages.password}><span class="row-text">${t.password}</span>${icon("next")}</a>
      <a class="row" href=${pages.sessions}><span class="row-text">${t.sessions}</span>${icon("next")}</a>
    </section>`;
  }

  private appearance(): TemplateResult {
    const t = words().me;
    const themes: [Theme, string][] = [["system", t.themeSystem], ["light", t.themeLight], ["dark", t.themeDark]];
    const languages: [Language, string][] = [["ko", "한국어"], ["en", "English"]];
    const chosen = storedTheme();
    return html`<section class="card"><h2>${t.appearance}</h2>
      <label for="me-language">${t.language}</label>
      <select id="me-language" class="input" @change=${this.changeLanguage}>
        ${languages.map(([code, label]) => html`<option value=${code} lang=${code} ?selected=${code === language()}>${label}</option>`)}
      </select>
      <label for="me-theme">${t.theme}</label>
      <select id="me-theme" class="input" @change=${(event: Event) => chooseTheme((event.target as HTMLSelectElement).value as Theme)}>
        ${themes.map(([theme, label]) => html`<option value=${theme} ?selected=${theme === chosen}>${label}</option>`)}
      </select>
      <button type="button" class="button quiet help-button" @click=${() => showKeyboardHelp()}>${t.help}</button>
    </section>`;
  }

  private readonly save = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const text = (field: string): string => {
      const value = form.get(field);
      return typeof value === "string" ? value.trim() : "";
    };
    this.saving = true;
    this.problem = "";
    const profile = { nickname: text("nickname"), statusMessage: text("status") };
    const outcome = await outcomeOf(this.engine.command("profile_update", profile));
    this.saving = false;
    if (outcome.done) notify(words().me.saved);
    else this.problem = failureText(outcome.failure);
  };

  private readonly changeLanguage = (event: Event): void => {
    const chosen = (event.target as HTMLSelectElement).value;
    postForm(pages.language, { language: chosen, next: location.pathname });
  };

  /** The keys stay, sealed, in this browser; with the recovery key written down they need not. */
  private readonly signOut = async (): Promise<void> => {
    const how = await askToSignOut(this.state.me?.hasRecoveryKey === true, this.waitingText());
    if (how === "erase") await this.eraseAndLeave();
    else if (how === "keep") await leave();
  };

  private readonly erase = async (): Promise<void> => {
    const t = words().me;
    const lasting = this.state.me?.hasRecoveryKey === true ? t.eraseWithKey : t.eraseWithoutKey;
    const text = `${t.eraseText} ${lasting}${this.waitingText()}`;
    if (!(await confirmed({ title: t.eraseTitle, text, action: t.eraseAction }))) return;
    await this.eraseAndLeave();
  };

  private waitingText(): string {
    const waiting = this.state.connection?.waiting ?? 0;
    return waiting > 0 ? ` ${words().me.eraseWaiting(waiting)}` : "";
  }

  private async eraseAndLeave(): Promise<void> {
    const outcome = await outcomeOf(this.engine.command("forget", {}));
    if (outcome.done) await leave();
    else notify(words().me.eraseFailed);
  }
}

async function leave(): Promise<void> {
  await forgetShell();
  postForm(pages.signOut, {});
}
