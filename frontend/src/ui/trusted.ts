/** Script addresses that the page itself names: the only ones a browser with Trusted Types may load. */

interface ScriptUrlPolicy {
  createScriptURL(url: string): unknown;
}

interface PolicyFactory {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): ScriptUrlPolicy;
}

/** Refuses every address but those of this origin with a TypeError. */
function ownOriginOnly(url: string): string {
  if (new URL(url, location.origin).origin !== location.origin) throw new TypeError("not our own script");
  return url;
}

let policy: ScriptUrlPolicy | null = null;

/** `url` in the form that this browser wants for the address of a script of ours. */
export function trustedScriptUrl(url: string): string {
  const factory = (globalThis as { trustedTypes?: PolicyFactory }).trustedTypes;
  if (factory === undefined) return ownOriginOnly(url);
  policy ??= factory.createPolicy("gamrae", { createScriptURL: ownOriginOnly });
  return policy.createScriptURL(url) as string;
}
