import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { integrityManifest } from "./plugins/integrity_manifest.ts";
import { serviceWorker } from "./plugins/service_worker.ts";

const root = path.dirname(fileURLToPath(import.meta.url));
const entriesFolder = path.join(root, "src/entries");
// Browsers with module workers, Web Locks and WebCrypto Ed25519; nothing older can hold the keys.
const target = ["chrome137", "edge137", "firefox130", "safari17"];

/** One entry for each script or style sheet that a page template may name. */
function pageEntries(): Record<string, string> {
  const names = existsSync(entriesFolder) ? readdirSync(entriesFolder).sort() : [];
  const sources = names.filter((name) => /(?<!\.d)\.(ts|css)$/.test(name));
  return Object.fromEntries(sources.map((name) => [name, path.join(entriesFolder, name)]));
}

export default defineConfig({
  root,
  base: "/static/",
  publicDir: path.join(root, "public"),
  build: {
    target,
    outDir: "dist",
    emptyOutDir: true,
    manifest: "manifest.json",
    assetsInlineLimit: 0,
    cssTarget: target,
    modulePreload: false,
    chunkSizeWarningLimit: 640,
    license: { fileName: "licenses.json" },
    rolldownOptions: {
      input: pageEntries(),
      output: {
        entryFileNames: ({ name }) => `assets/${name.replace(/\.ts$/, "")}-[hash].js`,
        chunkFileNames: "assets/[name]-[hash].js",
        assetFileNames: "assets/[name]-[hash][extname]",
      },
    },
  },
  worker: {
    format: "es",
    rolldownOptions: {
      output: {
        entryFileNames: "assets/[name]-[hash].js",
        chunkFileNames: "assets/[name]-[hash].js",
      },
    },
  },
  plugins: [serviceWorker({ source: path.join(root, "src/sw.ts"), target }), integrityManifest()],
});
