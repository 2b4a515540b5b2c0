/** 기기 연결 in the tab 나: the code of a new device, its number, and the owner's word. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Engine, Result } from "../engine/contract.ts";
import { words } from "../i18n/index.ts";
import { failureText, outcomeOf } from "./asking.ts";
import { compareDigits } from "./link_digits.ts";
import { LightElement } from "./light.ts";
import { notify } from "./notices.ts";
import { canReadPhotos, codeOnPhoto } from "./photo.ts";
import "./recovery_input.ts";

// After these the attempt is over: the new device shows another code, and it begins with that.
const OVER = new Set(["link_gone", "link_expired", "link_untrue", "devices_full"]);

/** `<gamrae-link-other .engine .done>`; taken off the page before the end it refuses the device. */
@customElement("gamrae-link-other")
export class LinkOther extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @property({ attribute: false }) done: () => void = () => undefined;
  @state() private found: Result<"link_read"> | null = null;
  @state() private isBusy = false;
  @state() private problem = "";

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    if (this.found !== null) void outcomeOf(this.engine.command("link_refuse", {}));
    this.found = null;
  }

  override render() {
    return this.found === null ? this.asking() : this.comparing(this.found);
  }

  private asking(): TemplateResult {
    const t = words().link;
    return html`<p class="consequence">${t.addText}</p>
      <form class="form" @submit=${this.submitted}>
        <label for="link-code">${t.code}</label>
        <input id="link-code" class="input link-input" name="code" required autocomplete="off" autocapitalize="characters" spellcheck="false"
          translate="no" maxlength="64" autofocus aria-describedby="link-code-hint" ?readonly=${this.isBusy} />
        <p class="hint" id="link-code-hint">${t.codeHint}</p>
        ${this.problem === "" ? nothing : html`<p class="problem" role="alert">${this.problem}</p>`}
        <button type="submit" class="button primary" ?disabled=${this.isBusy}>${t.next}</button>
        ${canReadPhotos() ? this.camera() : nothing}
        <p class="hint" role="status">${this.isBusy ? t.reading : ""}</p>
      </form>`;
  }

  private camera(): TemplateResult {
    return html`<label class="button quiet link-photo">${words().link.photo}
      <input type="file" accept="image/*" capture="environment" @change=${this.photographed} /></label>`;
  }

  private comparing({ compare }: Result<"link_read">): TemplateResult {
    const t = words().link;
    return html`<p class="consequence">${t.check}</p>${compareDigits(compare)}
      <p class="consequence">${t.checkText}</p>
      <gamrae-recovery-input .action=${t.accept} .give=${this.accept}></gamrae-recovery-input>
      <div class="dialog-buttons"><button type="button" class="button quiet" @click=${this.refuse}>${t.refuse}</button></div>`;
  }

  private readonly submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const field = this.querySelector<HTMLInputElement>("#link-code");
    if (field !== null && field.value.trim() !== "") await this.read(field.value);
  };

  private readonly photographed = async (event: Event): Promise<void> => {
    const field = event.target as HTMLInputElement;
    const [photo] = field.files ?? [];
    if (photo === undefined) return;
    const code = await codeOnPhoto(photo);
    field.value = "";
    if (code === null) this.problem = words().link.noCode;
    else await this.read(code);
  };

  private async read(code: string): Promise<void> {
    if (this.isBusy) return;
    this.isBusy = true;
    this.problem = "";
    const outcome = await outcomeOf(this.engine.command("link_read", { code }));
    this.isBusy = false;
    if (outcome.done) this.found = outcome.result;
    else this.problem = failureText(outcome.failure);
  }

  private readonly accept = async (secret: string) => {
    const outcome = await outcomeOf(this.engine.command("link_accept", { secret }));
    if (outcome.done) {
      this.found = null;
      notify(words().link.linked);
      this.done();
    } else if (OVER.has(outcome.failure.code)) {
      this.found = null;
      this.problem = failureText(outcome.failure);
    }
    return outcome;
  };

  private readonly refuse = (): void => this.done();
}
