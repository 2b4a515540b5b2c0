/** 안전 번호 비교: the number and the code of two people, and the button that says they are the same. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import type { CodeVerdict, Comparison, Engine } from "../engine/contract.ts";
import { words } from "../i18n/index.ts";
import { failureText, outcomeOf } from "./asking.ts";
import { confirmed, showDialog } from "./dialog.ts";
import { FriendElement, type Known } from "./friend_element.ts";
import { notify } from "./notices.ts";
import { qrCode } from "./qr.ts";

export function showCompare(engine: Engine, friend: Known): Promise<null | undefined> {
  return showDialog(
    (done) => html`<gamrae-compare .engine=${engine} .friend=${friend} .close=${() => done(null)}></gamrae-compare>`,
    { title: words().trust.compareWith(friend.nickname), kind: "sheet" },
  );
}

/** Groups of five digits, as people read them to each other. */
export function groupsOfFive(digits: string): string[] {
  return digits.replace(/\D/g, "").match(/\d{1,5}/g) ?? [];
}

function digits(number: string): TemplateResult {
  return html`<span class="digits" translate="no">${groupsOfFive(number).map((group) => html`<span>${group}</span> `)}</span>`;
}

/** `<gamrae-compare .engine .friend .close>` */
@customElement("gamrae-compare")
export class Compare extends FriendElement {
  @state() private comparison: Comparison | null = null;
  @state() private verdict: CodeVerdict | null = null;
  @state() private problem = "";
  @state() private isSaving = false;

  override firstUpdated(): void {
    void this.load();
  }

  override render() {
    const t = words().trust;
    const problem = this.problem === "" ? nothing : html`<p class="problem" role="alert">${this.problem}</p>`;
    if (this.comparison === null) return html`${problem}<p class="hint" role="status">${this.problem === "" ? t.loading : ""}</p>`;
    return html`<p>${t.how(this.friend.nickname)}</p>
      ${this.numbers(this.comparison)}${this.code(this.comparison)}${problem}${this.answers(this.comparison)}
      <p class="hint" role="status">${this.isSaving ? t.saving : ""}</p>`;
  }

  private numbers({ number, own, theirs }: Comparison): TemplateResult {
    const t = words().trust;
    return html`<dl class="facts">
      <div><dt>${t.number}</dt><dd>${digits(number)}</dd></div>
      <div class="halves"><dt>${t.mine}</dt><dd>${digits(own)}</dd></div>
      <div class="halves"><dt>${t.theirs(this.friend.nickname)}</dt><dd>${digits(theirs)}</dd></div>
    </dl>`;
  }

  private code({ code }: Comparison): TemplateResult {
    const t = words().trust;
    const isWrong = this.verdict !== null && this.verdict !== "same";
    return html`<details class="code"><summary>${t.code}</summary>
      ${qrCode(code, t.codeLabel(this.friend.nickname))}
      <p class="hint">${t.codeText}</p>
      <button type="button" class="button small quiet" @click=${() => this.copy(code)}>${t.copy}</button>
      <form class="form" @submit=${this.judge}>
        <label for="their-code">${t.paste}</label>
        <textarea id="their-code" class="input" rows="3" required autocomplete="off" autocapitalize="none" spellcheck="false" translate="no"></textarea>
        <button type="submit" class="button small quiet">${t.judge}</button>
        <p class=${isWrong ? "problem" : "success"} role="status">${this.verdict === null ? "" : t[this.verdict]}</p>
      </form></details>`;
  }

  private answers(comparison: Comparison): TemplateResult {
    const t = words().trust;
    const { trust } = this.friend;
    const isChanged = trust === "changed" || trust === "verified_changed";
    const goOn = html`<button type="button" class="button quiet" ?disabled=${this.isSaving} @click=${() => this.goOn(comparison)}>${t.goOn}</button>`;
    const undo = html`<button type="button" class="button quiet" ?disabled=${this.isSaving}
      @click=${() => this.mark(comparison, { isSame: false, said: t.unmarked })}>${t.undo}</button>`;
    const confirm = html`<button type="button" class="button primary" ?disabled=${this.isSaving || this.verdict === "different"}
      @click=${() => this.mark(comparison, { isSame: true, said: t.marked })}>${t.confirm}</button>`;
    return html`<div class="dialog-buttons">${isChanged ? goOn : nothing}${trust === "verified" ? undo : confirm}</div>`;
  }

  private async load(): Promise<void> {
    const outcome = await outcomeOf(this.engine.command("safety_number", { userId: this.friend.userId }));
    if (outcome.done) this.comparison = outcome.result;
    else this.problem = failureText(outcome.failure);
  }

  private async copy(code: string): Promise<void> {
    const t = words().trust;
    const isCopied = await navigator.clipboard.writeText(code).then(() => true, () => false);
    notify(isCopied ? t.copied : t.copyFailed);
  }

  private readonly judge = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const code = this.querySelector("textarea")?.value ?? "";
    if (code.trim() === "") return;
    const outcome = await outcomeOf(this.engine.command("safety_judge", { userId: this.friend.userId, code }));
    if (outcome.done) this.verdict = outcome.result.verdict;
    else this.problem = failureText(outcome.failure);
  };

  private async goOn(comparison: Comparison): Promise<void> {
    const t = words().trust;
    const { nickname } = this.friend;
    const question = { title: t.goOnTitle(nickname), text: t.goOnText, action: t.goOnAction };
    if (await confirmed(question)) await this.mark(comparison, { isSame: false, said: t.wentOn });
  }

  private async mark({ accountKey }: Comparison, { isSame, said }: { isSame: boolean; said: string }): Promise<void> {
    this.isSaving = true;
    this.problem = "";
    const args = { userId: this.friend.userId, accountKey, isSame };
    const outcome = await outcomeOf(this.engine.command("friend_mark", args));
    this.isSaving = false;
    if (!outcome.done) {
      this.problem = failureText(outcome.failure);
      return;
    }
    notify(said);
    this.close();
  }
}
