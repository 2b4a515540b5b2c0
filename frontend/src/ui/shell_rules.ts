/** What the service worker may keep: a pure decision, so that it can be tested without one. */

import { routeOf } from "./router.ts";

/** The part of the build's manifest that is read. */
export type BuildManifest = Record<string, { file: string; css?: string[]; assets?: string[] }>;

export function isShellPage(path: string): boolean {
  return routeOf(path).page !== "unknown";
}

export function isAsset(path: string): boolean {
  return path.startsWith("/static/") && path !== "/static/manifest.json" && !path.startsWith("/static/admin/");
}

/** Built files carry a hash of their content in their name. */
export function isHashed(path: string): boolean {
  return /^\/static\/assets\/.+-[\w-]{8}\.\w+$/.test(path);
}

/** Addresses of all built files that the chat's page may load; not those of other entries. */
export function neededFiles(manifest: BuildManifest): string[] {
  const others = Object.keys(manifest).filter((key) => key.startsWith("src/entries/") && key !== "src/entries/app.ts");
  const foreign = new Set(others.map((key) => manifest[key]?.file));
  const files = Object.values(manifest).flatMap(({ file, css = [], assets = [] }) => [file, ...css, ...assets]);
  const paths = files.filter((file) => !foreign.has(file)).map((file) => `/static/${file}`);
  return [...new Set(paths.filter(isHashed))].sort();
}
