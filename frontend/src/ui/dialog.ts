/** Native dialogs: opened over the page, closed with Esc, and the focus goes back to where it was. */

import { html, nothing, render, type TemplateResult } from "lit";
import { words } from "../i18n/index.ts";
import { icon } from "./icons.ts";

export interface DialogOptions {
  title: string;
  /** A sheet rises from the bottom on a phone; a question is small and waits for an answer. */
  kind: "sheet" | "question";
}

function heading(title: string, close: () => void): TemplateResult {
  return html`<header class="dialog-head">
    <h2>${title}</h2>
    <button type="button" class="icon-button" aria-label=${words().common.close} @click=${close}>${icon("close")}</button>
  </header>`;
}

function returnFocus(opener: Element | null): void {
  if (opener instanceof HTMLElement && opener.isConnected) opener.focus({ preventScroll: true });
}

/**
 * Shows a dialog and resolves when it is closed: with what `done` was given, or undefined when the
 * person closed it.
 */
export function showDialog<T = null>(
  content: (done: (value: T) => void) => TemplateResult,
  { title, kind }: DialogOptions,
): Promise<T | undefined> {
  const opener = document.activeElement;
  const dialog = document.createElement("dialog");
  dialog.className = `dialog ${kind}`;
  dialog.setAttribute("aria-label", title);
  return new Promise((resolve) => {
    let value: T | undefined;
    const close = (): void => dialog.close();
    const done = (given: T): void => {
      value = given;
      close();
    };
    dialog.addEventListener("close", () => {
      render(nothing, dialog);
      dialog.remove();
      returnFocus(opener);
      resolve(value);
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog && kind === "sheet") close();
    });
    document.body.append(dialog);
    render(html`<div class="dialog-box">${heading(title, close)}${content(done)}</div>`, dialog);
    dialog.showModal();
    // What is inside draws itself a moment later, too late for the browser's own look for `autofocus`.
    requestAnimationFrame(() => dialog.querySelector<HTMLElement>("[autofocus]")?.focus());
  });
}

export function closeDialogs(): void {
  for (const dialog of document.querySelectorAll<HTMLDialogElement>("dialog.dialog[open]")) dialog.close();
}

export interface Question {
  title: string;
  /** What will happen, in one or two sentences. */
  text: string;
  /** The verb on the button. */
  action: string;
  danger?: boolean;
}

/** Asks before an act that matters; true only when the person chose it. */
export async function confirmed({ title, text, action, danger = true }: Question): Promise<boolean> {
  const answer = await showDialog<boolean>(
    (done) => html`<p class="consequence">${text}</p>
      <div class="dialog-buttons">
        <button type="button" class="button quiet" autofocus @click=${() => done(false)}>${words().common.cancel}</button>
        <button type="button" class="button ${danger ? "danger" : "primary"}" @click=${() => done(true)}>${action}</button>
      </div>`,
    { title, kind: "question" },
  );
  return answer === true;
}
