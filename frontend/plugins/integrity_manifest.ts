/**
 * Adds to the build's `manifest.json` the `sha384` integrity value of every emitted file.
 *
 * Entries of the manifest get an `integrity` field; files it does not name (workers, the service
 * worker, shared chunks, styles) get an entry of their own whose key is the file name, so that a
 * template finds any file by one look-up. The keys are sorted: the same input gives the same bytes.
 */
import { createHash } from "node:crypto";
import { readFile, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Plugin } from "vite";

interface ManifestEntry {
  file: string;
  integrity?: string;
  [other: string]: unknown;
}

const MANIFEST = "manifest.json";

async function emittedFiles(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found
    .filter((item) => item.isFile())
    .map((item) => path.relative(folder, path.join(item.parentPath, item.name)))
    .map((name) => name.split(path.sep).join("/"))
    .filter((name) => name !== MANIFEST)
    .sort();
}

async function integrityOf(file: string): Promise<string> {
  const digest = createHash("sha384").update(await readFile(file));
  return `sha384-${digest.digest("base64")}`;
}

async function extendManifest(folder: string): Promise<void> {
  const file = path.join(folder, MANIFEST);
  const manifest = JSON.parse(await readFile(file, "utf8")) as Record<string, ManifestEntry>;
  for (const name of await emittedFiles(folder)) {
    const integrity = await integrityOf(path.join(folder, name));
    const entries = Object.values(manifest).filter((entry) => entry.file === name);
    for (const entry of entries) entry.integrity = integrity;
    if (entries.length === 0) manifest[name] = { file: name, integrity };
  }
  const sorted = Object.fromEntries(
    Object.entries(manifest).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  await writeFile(file, `${JSON.stringify(sorted, null, 2)}\n`);
}

/** A build plugin that writes `manifest.json` anew once every other file is on disk. */
export function integrityManifest(): Plugin {
  let folder = "";
  return {
    name: "gamrae-integrity-manifest",
    apply: "build",
    enforce: "post",
    configResolved(config) {
      folder = path.resolve(config.root, config.build.outDir);
    },
    writeBundle: {
      order: "post",
      sequential: true,
      handler: () => extendManifest(folder),
    },
  };
}
