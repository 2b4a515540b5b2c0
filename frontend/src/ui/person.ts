/** A person in a row or beside a bubble: the first letter of the name on a colour that is always theirs. */

import { html, type TemplateResult } from "lit";
import type { Person } from "../engine/contract.ts";
import { language } from "../i18n/index.ts";
import { initialOf } from "./format.ts";

const HUES = 8;

/** One of eight colours, the same for the same id on every screen. */
export function hueOf(id: string): number {
  const sum = Array.from(id).reduce((total, char) => (total * 31 + char.charCodeAt(0)) % 9973, 7);
  return sum % HUES;
}

export function avatar({ userId, nickname }: Person, size: "small" | "normal" | "large" = "normal"): TemplateResult {
  return html`<span class="avatar ${size} hue-${hueOf(userId)}" aria-hidden="true">${initialOf(nickname, language())}</span>`;
}

/** Names of strangers may hold anything: they are isolated, so that their direction turns nothing round. */
export function name(text: string): TemplateResult {
  return html`<bdi class="name">${text}</bdi>`;
}

export function emptyState(title: string, hint: string, action?: TemplateResult): TemplateResult {
  return html`<div class="empty"><p class="empty-title">${title}</p><p class="empty-hint">${hint}</p>${action}</div>`;
}

export function skeletonRows(label: string): TemplateResult {
  const row = html`<li class="skeleton"><span class="avatar"></span><span class="bars"><span></span><span></span></span></li>`;
  return html`<p class="seen-by-readers" role="status">${label}</p><ul class="items-list" aria-hidden="true">${[row, row, row, row]}</ul>`;
}
