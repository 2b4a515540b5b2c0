/** What the service worker may keep. */

import { describe, expect, test } from "vitest";
import { isAsset, isHashed, isShellPage, neededFiles } from "../../src/ui/shell_rules.ts";

const roomPath = "/rooms/9a4de000-0000-4000-8000-000000000009";

describe("the service worker", () => {
  test.each(["/", "/friends", "/rooms", "/me", roomPath])("keeps the shell of %s", (path) => {
    expect(isShellPage(path)).toBe(true);
  });

  test.each([
    "/api/me",
    `/api${roomPath}/items`,
    "/accounts/login/",
    "/admin/",
    "/_allauth/app/v1/auth/session",
    "/ws/",
    "/sw.js",
    "/csp-report",
    "/rooms/x",
    `${roomPath}/items`,
    "/static/manifest.json",
    "/static/admin/css/base.css",
    "/staticky",
  ])("never keeps %s", (path) => {
    expect(isShellPage(path) || isAsset(path)).toBe(false);
  });

  test("asks the network first for names that say nothing of their content", () => {
    expect(isHashed("/static/assets/app-DkP_4x1z.js")).toBe(true);
    expect(isHashed("/static/site/site.css")).toBe(false);
    expect(isHashed("/static/sw.js")).toBe(false);
  });

  test("fetches all that the chat's page loads, and nothing of other pages", () => {
    const manifest = {
      "src/entries/app.ts": { file: "assets/app-aaaaaaaa.js", css: ["assets/app-bbbbbbbb.css"] },
      "src/entries/vectors.ts": { file: "assets/vectors-cccccccc.js" },
      "assets/engine.worker-dddddddd.js": { file: "assets/engine.worker-dddddddd.js" },
      "icons/gamrae.svg": { file: "icons/gamrae.svg" },
    };

    expect(neededFiles(manifest)).toEqual([
      "/static/assets/app-aaaaaaaa.js",
      "/static/assets/app-bbbbbbbb.css",
      "/static/assets/engine.worker-dddddddd.js",
    ]);
  });
});
