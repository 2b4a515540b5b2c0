/**
 * Bundles `src/sw.ts`, when there is one, to `sw.js` at the root of the output.
 *
 * A service worker needs a name that never changes and, registered as a classic script, may import
 * nothing; so it is built apart from the pages, whole, and shares no chunk with them.
 */
import { existsSync } from "node:fs";
import { build, type Plugin, type Rolldown } from "vite";

async function bundledServiceWorker(source: string, target: string[]): Promise<string> {
  const result = (await build({
    configFile: false,
    logLevel: "warn",
    publicDir: false,
    build: {
      write: false,
      target,
      modulePreload: false,
      rolldownOptions: { input: source, output: { format: "iife", codeSplitting: false } },
    },
  })) as Rolldown.RolldownOutput;
  const [chunk, ...others] = result.output;
  if (others.length > 0) throw new Error("sw.ts must bundle to one file");
  return chunk.code;
}

/** A build plugin that emits `sw.js`, unhashed, from `source`; without `source` it emits nothing. */
export function serviceWorker({ source, target }: { source: string; target: string[] }): Plugin {
  return {
    name: "gamrae-service-worker",
    apply: "build",
    async generateBundle() {
      if (!existsSync(source)) return;
      this.addWatchFile(source);
      const code = await bundledServiceWorker(source, target);
      this.emitFile({ type: "asset", fileName: "sw.js", source: code });
    },
  };
}
