/** The build: every emitted file has its integrity value, and the same input gives the same bytes. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { build } from "vite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { integrityManifest } from "../../plugins/integrity_manifest";
import { serviceWorker } from "../../plugins/service_worker";

const target = ["chrome137"];
let root = "";

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "gamrae-build-"));
  mkdirSync(path.join(root, "src"));
  const source = (name: string, text: string) => writeFileSync(path.join(root, "src", name), text);
  source("shared.js", "export const greeting = 'hello';\n");
  source("page.css", "body { color: green }\n");
  source("page.js", "import './page.css'; import { greeting } from './shared.js'; document.title = greeting;\n");
  source("sw.ts", "import { greeting } from './shared.js'; self.onfetch = () => greeting;\n");
});

afterEach(() => rmSync(root, { recursive: true }));

async function built(): Promise<Map<string, Buffer>> {
  await build({
    root,
    configFile: false,
    logLevel: "silent",
    build: {
      target,
      manifest: "manifest.json",
      rolldownOptions: { input: path.join(root, "src/page.js") },
    },
    plugins: [serviceWorker({ source: path.join(root, "src/sw.ts"), target }), integrityManifest()],
  });
  const dist = path.join(root, "dist");
  const names = readdirSync(dist, { recursive: true, encoding: "utf8" });
  const files = names.filter((name) => path.extname(name) !== "");
  return new Map(files.map((name) => [name, readFileSync(path.join(dist, name))]));
}

interface Entry {
  file: string;
  integrity: string;
}

describe("the build", () => {
  it("names every emitted file with its integrity value", async () => {
    const files = await built();
    const manifest = JSON.parse(files.get("manifest.json")!.toString()) as Record<string, Entry>;
    const named = new Map(Object.values(manifest).map(({ file, integrity }) => [file, integrity]));
    files.delete("manifest.json");
    expect([...files.keys()].sort()).toEqual([...named.keys()].sort());
    for (const [name, content] of files) {
      const digest = createHash("sha384").update(content).digest("base64");
      expect(named.get(name)).toBe(`sha384-${digest}`);
    }
  });

  it("makes the service worker whole, under a name that stays", async () => {
    const files = await built();
    const code = files.get("sw.js")!.toString();
    expect(code).toContain("hello");
    expect(code).not.toMatch(/\bimport\b/);
  });

  it("gives the same bytes for the same sources", async () => {
    expect(await built()).toEqual(await built());
  });
});
