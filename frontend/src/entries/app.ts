/** Starts the chat on the page that the server sends: words, theme, engine, screens, service worker. */

import "../styles/app.css";
import { createEngine } from "../engine/client.ts";
import { languageNamed, speak } from "../i18n/index.ts";
import { App } from "../ui/app.ts";
import { csrfToken } from "../ui/navigation.ts";
import { applyTheme, storedTheme } from "../ui/theme.ts";
import { trustedScriptUrl } from "../ui/trusted.ts";

async function registerServiceWorker(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register(trustedScriptUrl("/sw.js"), { scope: "/" });
  } catch {
    // Without it the chat works the same; only a cold start needs the network.
  }
}

function start(app: App): void {
  const language = languageNamed(app.dataset["language"]);
  speak(language);
  applyTheme(storedTheme());
  app.engine = createEngine({
    origin: app.dataset["origin"] ?? location.origin,
    csrfToken: csrfToken(),
    userId: app.dataset["userId"] ?? "",
    language,
  });
}

const app = document.querySelector("gamrae-app");
if (app instanceof App) {
  start(app);
  window.addEventListener("load", () => void registerServiceWorker());
}
