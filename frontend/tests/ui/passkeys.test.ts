// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Passkey } from "../../src/engine/contract.ts";
import { passkeySupport } from "../../src/ui/webauthn.ts";
import { FakeEngine, me } from "./fake_engine.ts";
import { everything, find, openPage, press, settled, visibleText } from "./page.ts";

const credential = Uint8Array.of(1, 2, 3);
const salt = Uint8Array.of(9);
const user = new Uint8Array(16);
const request = { user, salt, credentials: [credential] };
const asked: { create: unknown[]; get: unknown[] } = { create: [], get: [] };
let given: Uint8Array;

interface Behaviour {
  /** What it tells of the extension when a passkey is made, and when one is asked. */
  made?: object;
  told?: object;
  fails?: string;
}

/** An authenticator that does what a test says. */
function authenticator({ made, told, fails }: Behaviour = {}): void {
  const answer = (list: unknown[], says?: object) => (options: { publicKey: unknown }) => {
    list.push(options.publicKey);
    if (fails !== undefined) return Promise.reject(new DOMException("no", fails));
    const results = () => ({ prf: says ?? { enabled: true, results: { first: given.buffer } } });
    return Promise.resolve({ rawId: credential.buffer, getClientExtensionResults: results });
  };
  vi.stubGlobal("PublicKeyCredential", {});
  const credentials = { create: answer(asked.create, made), get: answer(asked.get, told) };
  vi.stubGlobal("navigator", Object.create(navigator, { credentials: { value: credentials } }));
}

beforeEach(() => {
  asked.create = [];
  asked.get = [];
  given = new Uint8Array(32).fill(7);
});
afterEach(() => vi.unstubAllGlobals());

async function give(secret: string): Promise<void> {
  const field = find<HTMLTextAreaElement>("dialog #recovery-secret");
  field.value = secret;
  field.form?.dispatchEvent(new SubmitEvent("submit", { bubbles: true, cancelable: true }));
  await settled();
}

function empty(): FakeEngine {
  const engine = new FakeEngine({ phase: "no_keys_here" });
  engine.answer("passkey_offer", request);
  return engine;
}

describe("a browser without keys", () => {
  test("offers the passkey before the recovery key, and forgets what it answered", async () => {
    authenticator();
    const engine = empty();
    await openPage("/rooms", engine);
    const [first] = document.querySelectorAll(".button.primary");
    expect(first?.textContent).toContain("패스키로 되찾기");

    await press("패스키로 되찾기");

    const [publicKey] = asked.get as [PublicKeyCredentialRequestOptions];
    expect(publicKey.userVerification).toBe("required");
    expect(publicKey.rpId).toBe(location.hostname);
    expect(publicKey.allowCredentials).toEqual([{ type: "public-key", id: credential }]);
    expect(publicKey.extensions).toEqual({ prf: { eval: { first: salt } } });
    expect(engine.argsOf("passkey_restore")).toHaveLength(1);
    expect(given.every((byte) => byte === 0)).toBe(true);
  });

  test("shows nothing of passkeys to an account that has none", async () => {
    authenticator();
    await openPage("/rooms", new FakeEngine({ phase: "no_keys_here" }));
    expect(visibleText()).not.toContain("패스키");
    expect(find("#recovery-secret")).toBeDefined();
  });

  test("that has no passkeys says so and leaves the other ways", async () => {
    await openPage("/rooms", empty(), "en");
    expect(visibleText()).toContain("This browser has no passkeys that bring back chats");
    expect(visibleText()).not.toContain("Use a passkey");
    expect(find("#recovery-secret")).toBeDefined();
    expect(find("gamrae-link-here")).toBeDefined();
  });

  test.each([
    ["NotAllowedError", {}, "No passkey was confirmed"],
    ["an answer of nothing", {}, "cannot open your chats"],
    ["an answer that is too short", { results: { first: new ArrayBuffer(31) } }, "cannot open your chats"],
  ])("says what to do after %s", async (fails, told, text) => {
    authenticator(fails.endsWith("Error") ? { fails } : { told });
    const engine = empty();
    await openPage("/rooms", engine, "en");
    await press("Use a passkey");
    expect(find("[role=alert]").textContent).toContain(text);
    expect(engine.argsOf("passkey_restore")).toEqual([]);
  });

  test.each([
    ["passkey_other", "does not belong to this passkey"],
    ["passkey_secret", "does not open the present recovery key"],
    ["recovery_lists", "device"],
  ])("says of %s what it is", async (code, text) => {
    authenticator();
    const engine = empty();
    engine.refuse("passkey_restore", code);
    await openPage("/rooms", engine, "en");
    await press("Use a passkey");
    expect(find("[role=alert]").textContent).toContain(text);
  });
});

describe("passkeys in 나", () => {
  const blue: Passkey = { passkeyId: "1", name: "blue", createdMs: 0, lastUsedMs: null };

  async function settings(engine = new FakeEngine(everything)): Promise<FakeEngine> {
    engine.answer("passkeys_list", { passkeys: [blue] });
    engine.answer("passkey_begin", request);
    await openPage("/me", engine, "en");
    return engine;
  }

  test("are added with the recovery key, and on no authenticator twice", async () => {
    authenticator();
    const engine = await settings();
    await press("Add a passkey");
    await give("the words");
    expect(engine.argsOf("passkey_begin")).toEqual([{ secret: "the words" }]);
    expect(find("dialog").textContent).toContain("can open all your chats");
    await press("Make a passkey");

    const [publicKey] = asked.create as [PublicKeyCredentialCreationOptions];
    expect(publicKey.authenticatorSelection).toMatchObject({ residentKey: "required", userVerification: "required" });
    expect(publicKey.excludeCredentials).toEqual([{ type: "public-key", id: credential }]);
    expect(publicKey.user).toMatchObject({ name: me.email, displayName: me.nickname });
    expect(publicKey.attestation).toBe("none");
    expect(asked.get).toEqual([]);
    expect(engine.argsOf("passkey_add")).toHaveLength(1);
    expect(given.every((byte) => byte === 0)).toBe(true);
    expect(document.querySelector("dialog")).toBeNull();
  });

  test("of an authenticator that answers only later are asked once more", async () => {
    authenticator({ made: { enabled: true } });
    const engine = await settings();
    await press("Add a passkey");
    await give("the words");
    await press("Make a passkey");
    const [publicKey] = asked.get as [PublicKeyCredentialRequestOptions];
    expect(publicKey.allowCredentials).toEqual([{ type: "public-key", id: credential }]);
    expect(engine.argsOf("passkey_add")).toHaveLength(1);
  });

  test("are not made by an authenticator that opens nothing", async () => {
    authenticator({ made: {} });
    const engine = await settings();
    await press("Add a passkey");
    await give("the words");
    await press("Make a passkey");
    expect(find("dialog [role=alert]").textContent).toContain("cannot make a passkey");
    await press("Close");
    expect(engine.argsOf("passkey_add")).toEqual([]);
    expect(engine.argsOf("passkey_discard")).toHaveLength(1);
  });

  test("are not asked for any more once the dialog is closed", async () => {
    authenticator();
    const signals: AbortSignal[] = [];
    vi.spyOn(navigator.credentials, "create").mockImplementation((options) => {
      if (options?.signal) signals.push(options.signal);
      return new Promise(() => undefined);
    });
    await settings();
    await press("Add a passkey");
    await give("the words");
    await press("Make a passkey");
    expect(signals.map((signal) => signal.aborted)).toEqual([false]);
    await press("Close");
    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
  });

  test("that were not kept are confirmed once more, and not made again", async () => {
    authenticator();
    const engine = await settings();
    engine.refuse("passkey_add", "offline");
    await press("Add a passkey");
    await give("the words");
    await press("Make a passkey");
    expect(find("dialog [role=alert]").textContent).toContain("server");
    engine.answer("passkey_add", null);
    await press("Confirm once more");
    expect(asked.create).toHaveLength(1);
    expect(asked.get).toHaveLength(1);
    expect(document.querySelector("dialog")).toBeNull();
  });

  test("wait until the recovery key was written down", async () => {
    authenticator();
    await settings(new FakeEngine({ ...everything, me: { ...me, hasRecoveryKey: false } }));
    expect(visibleText()).toContain("Write the recovery key down first");
    expect(visibleText()).not.toContain("Add a passkey");
  });

  test("have a name and can be removed after asking, in any browser", async () => {
    const engine = await settings();
    expect(find("gamrae-me-passkeys li").textContent).toContain("not used yet");
    find<HTMLButtonElement>("gamrae-me-passkeys .quiet").click();
    await settled();
    find<HTMLInputElement>("#device-name").value = " red ";
    find<HTMLInputElement>("#device-name").form?.dispatchEvent(new SubmitEvent("submit", { cancelable: true }));
    await settled();
    expect(engine.argsOf("passkey_rename")).toEqual([{ passkeyId: "1", name: "red" }]);
    await press("Remove “blue”");
    expect(engine.argsOf("passkey_remove")).toEqual([]);
    find<HTMLButtonElement>("dialog .button.danger").click();
    await settled();
    expect(engine.argsOf("passkey_remove")).toEqual([{ passkeyId: "1" }]);
  });
});

describe("what a browser can do", () => {
  test.each([
    ["chat.example.org", "yes"],
    ["localhost", "yes"],
    ["127.0.0.1", "address"],
    ["[::1]", "address"],
  ])("at %s is %s", async (hostname, support) => {
    authenticator();
    expect(await passkeySupport(hostname)).toBe(support);
  });

  test("is believed when it says that it has no prf", async () => {
    for (const [can, support] of [[false, "no"], [true, "yes"]] as const) {
      vi.stubGlobal("PublicKeyCredential", { getClientCapabilities: () => Promise.resolve({ "extension:prf": can }) });
      expect(await passkeySupport("chat.example.org")).toBe(support);
    }
  });
});
