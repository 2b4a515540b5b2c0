/** Pages for the states in which there is no chat to show: honest about what is, and what can be done. */

import { html, nothing, type TemplateResult } from "lit";
import type { Engine, Phase, StartingAgain } from "../engine/contract.ts";
import { words } from "../i18n/index.ts";
import "./restore.ts";

/** Phases that have a page of their own; in all others the three tabs are shown. */
export type PagePhase = Exclude<Phase, "starting" | "enrolling" | "ready">;

export function hasPage(phase: Phase): phase is PagePhase {
  return phase !== "starting" && phase !== "enrolling" && phase !== "ready";
}

/** What pages need besides their phase. */
export interface PageParts {
  engine: Engine;
  publicUrl: string;
  starting: StartingAgain | null;
  nowMs: number;
}

interface PageText {
  title: string;
  paragraphs: string[];
  hint?: string;
  action?: TemplateResult;
}

function reloadButton(): TemplateResult {
  return html`<button type="button" class="button primary" @click=${() => location.reload()}>${words().phase.reload}</button>`;
}

/** The way to the secure address, where the server knows one that is not this. */
function secureLink(publicUrl: string): TemplateResult | undefined {
  if (!publicUrl.startsWith("https://") || publicUrl === location.origin) return undefined;
  return html`<a class="button primary" href=${publicUrl}>${words().phase.insecureLink}</a>`;
}

function insecure(publicUrl: string): PageText {
  const t = words().phase;
  const action = secureLink(publicUrl);
  const text = { title: t.insecureTitle, paragraphs: [t.insecureText] };
  return action === undefined ? { ...text, hint: t.insecureHint } : { ...text, action };
}

function textOf(phase: PagePhase, { engine, publicUrl, starting, nowMs }: PageParts): PageText {
  const t = words().phase;
  switch (phase) {
    case "no_keys_here":
      return {
        title: t.noKeysTitle,
        paragraphs: [t.noKeysText],
        action: html`<gamrae-restore .engine=${engine} .starting=${starting} .nowMs=${nowMs}></gamrae-restore>`,
      };
    case "revoked":
      return {
        title: t.revokedTitle,
        paragraphs: [t.revokedText],
        hint: t.revokedHint,
        action: html`<gamrae-revoked .engine=${engine}></gamrae-revoked>`,
      };
    case "insecure":
      return insecure(publicUrl);
    case "unsupported":
      return { title: t.unsupportedTitle, paragraphs: [t.unsupportedText], hint: t.unsupportedHint };
    case "storage_failed":
      return { title: t.storageTitle, paragraphs: [t.storageText], hint: t.storageHint, action: reloadButton() };
    case "signed_out":
      return {
        title: t.signedOutTitle,
        paragraphs: [t.signedOutText],
        action: html`<a class="button primary" href="/accounts/login/">${t.signIn}</a>`,
      };
  }
}

export function phasePage(phase: PagePhase, parts: PageParts): TemplateResult {
  const text = textOf(phase, parts);
  return html`<main class="phase" id="main" tabindex="-1">
    <h1 tabindex="-1">${text.title}</h1>
    ${text.paragraphs.map((paragraph) => html`<p>${paragraph}</p>`)}
    ${text.hint === undefined ? nothing : html`<p class="hint">${text.hint}</p>`}
    ${text.action}
  </main>`;
}
