/** The names under which the service worker keeps the page's shell, so that signing out can drop them. */

export const SHELL_CACHE = "gamrae-shell";
export const ASSET_CACHE = "gamrae-assets";

/** Drops the kept page: it names the account. The assets name nobody and stay. */
export async function forgetShell(): Promise<void> {
  if ("caches" in globalThis) await caches.delete(SHELL_CACHE);
}
