/** Asking somebody by e-mail. The answer is the same whether or not the address exists. */

import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Engine } from "../engine/contract.ts";
import { words } from "../i18n/index.ts";
import { failureText, outcomeOf } from "./asking.ts";
import { showDialog } from "./dialog.ts";
import { LightElement } from "./light.ts";

export function showAddFriend(engine: Engine): Promise<null | undefined> {
  return showDialog(
    () => html`<gamrae-add-friend .engine=${engine}></gamrae-add-friend>`,
    { title: words().friends.addTitle, kind: "sheet" },
  );
}

@customElement("gamrae-add-friend")
export class AddFriend extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @state() private asking = false;
  @state() private problem = "";
  @state() private sent = false;

  override render() {
    const t = words().friends;
    return html`<form class="form" @submit=${this.send}>
      <label for="add-friend-email">${t.email}</label>
      <input id="add-friend-email" class="input" name="email" type="email" required maxlength="254" autofocus
        autocomplete="off" autocapitalize="none" spellcheck="false" aria-describedby="add-friend-hint" />
      <p class="hint" id="add-friend-hint">${t.addText}</p>
      ${this.problem === "" ? nothing : html`<p class="problem" role="alert">${this.problem}</p>`}
      <p class="success" role="status">${this.sent ? t.requestSent : ""}</p>
      <button type="submit" class="button primary" ?disabled=${this.asking}>${t.send}</button>
    </form>`;
  }

  private readonly send = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const field = form.elements.namedItem("email") as HTMLInputElement;
    this.asking = true;
    this.problem = "";
    this.sent = false;
    const outcome = await outcomeOf(this.engine.command("friend_request_send", { email: field.value.trim() }));
    this.asking = false;
    if (outcome.done) {
      this.sent = true;
      form.reset();
    } else {
      this.problem = failureText(outcome.failure);
    }
  };
}
