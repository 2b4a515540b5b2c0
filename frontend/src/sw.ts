/**
 * Keeps the page's shell and the built assets, so that the chat opens without a network.
 *
 * Nothing else: only GET requests of this origin for the shell page and for /static/ are looked at.
 * Answers of the API, messages and account pages never touch a cache.
 */

import { ASSET_CACHE, SHELL_CACHE } from "./ui/shell_cache.ts";
import { isAsset, isHashed, isShellPage, neededFiles, type BuildManifest } from "./ui/shell_rules.ts";

declare const self: ServiceWorkerGlobalScope;

// What a proxy answers when no server does.
const NOBODY_THERE = [502, 503, 504];
// All shell addresses answer with the same page; one copy stands for them.
const SHELL_KEY = "/";
const MANIFEST = "/static/manifest.json";

async function keepNeededFiles(): Promise<void> {
  const answer = await fetch(MANIFEST, { cache: "no-cache" });
  if (!answer.ok) return;
  const cache = await caches.open(ASSET_CACHE);
  const wanted = new Set(neededFiles((await answer.json()) as BuildManifest));
  const kept = await cache.keys();
  await Promise.all(
    kept
      .filter((request) => isHashed(new URL(request.url).pathname) && !wanted.has(new URL(request.url).pathname))
      .map((request) => cache.delete(request)),
  );
  const missing = [...wanted].filter((path) => !kept.some((request) => new URL(request.url).pathname === path));
  await cache.addAll(missing);
}

/** What the server answers; the copy that is kept, if any, when no server can be reached. */
async function freshOr(kept: Response | undefined, request: Request): Promise<Response> {
  try {
    const answer = await fetch(request);
    return kept !== undefined && NOBODY_THERE.includes(answer.status) ? kept : answer;
  } catch (failure) {
    if (kept === undefined) throw failure;
    return kept;
  }
}

/** The page from the server, kept for later. */
async function shell(request: Request): Promise<Response> {
  const cache = await caches.open(SHELL_CACHE);
  const kept = await cache.match(SHELL_KEY);
  const answer = await freshOr(kept, request);
  const isPage = answer.ok && !answer.redirected && answer.type === "basic";
  if (isPage && answer !== kept) await cache.put(SHELL_KEY, answer.clone());
  return answer;
}

/** A hashed name always means the same bytes: the cache first. Other names: the server first. */
async function asset(request: Request, path: string): Promise<Response> {
  const cache = await caches.open(ASSET_CACHE);
  const kept = await cache.match(request);
  if (kept !== undefined && isHashed(path)) return kept;
  const answer = await freshOr(kept, request);
  if (answer.ok && answer.type === "basic" && answer !== kept) await cache.put(request, answer.clone());
  return answer;
}

self.addEventListener("install", (event) => {
  event.waitUntil(keepNeededFiles().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(self.clients.claim());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== self.location.origin) return;
  if (request.mode === "navigate" && isShellPage(address.pathname)) event.respondWith(shell(request));
  else if (isAsset(address.pathname)) event.respondWith(asset(request, address.pathname));
});
