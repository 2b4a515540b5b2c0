import { describe, expect, it } from "vitest";
import { Api, REQUEST_TIMEOUT_MS } from "../../src/engine/api";
import { canonicalOrigin } from "../../src/engine/keys";
import type { Platform } from "../../src/engine/platform";
import { Clock } from "./clock";

interface Call {
  url: string;
  init: RequestInit;
}

function setUp(...answers: (() => Promise<Response>)[]) {
  const clock = new Clock();
  const calls: Call[] = [];
  const platform = {
    after: (ms: number, work: () => void) => clock.after(ms, work),
    fetch: (url: string, init: RequestInit) => {
      calls.push({ url, init });
      const given = new Promise<never>((_resolve, reject) => {
        init.signal?.addEventListener("abort", () => reject(new Error("aborted")));
      });
      return Promise.race([answers[calls.length - 1]!(), given]);
    },
  } as unknown as Platform;
  return { clock, calls, api: new Api(platform, "https://chat.example", "token") };
}

function problem(status: number, body: object): () => Promise<Response> {
  const headers = { "Content-Type": "application/problem+json" };
  return () => Promise.resolve(new Response(JSON.stringify(body), { status, headers }));
}

const fine = () => Promise.resolve(Response.json({ ok: true }));

describe("REST", () => {
  it("sends the CSRF token with what changes something, and only with that", async () => {
    const { api, calls } = setUp(fine, fine);
    await api.get("/api/me");
    await api.post("/api/prekeys", { prekey: "…" });
    const tokens = calls.map(({ init }) => new Headers(init.headers).get("X-CSRFToken"));
    expect(tokens).toEqual([null, "token"]);
    expect(calls[1]?.url).toBe("https://chat.example/api/prekeys");
  });

  it("gives a problem's code, fields and wait", async () => {
    const body = { code: "invalid", fields: { nickname: ["too long"] }, retry_after_ms: 7 };
    const { api } = setUp(problem(400, body));
    await expect(api.patch("/api/me", {})).rejects.toMatchObject({
      failure: { code: "invalid", fields: { nickname: ["too long"] }, retryAfterMs: 7 },
    });
  });

  it("names a failure without a problem document by its status", async () => {
    const { api } = setUp(() => Promise.resolve(new Response("<h1>oops</h1>", { status: 502 })));
    await expect(api.get("/api/me")).rejects.toMatchObject({ code: "unavailable" });
  });

  it("is offline without a network and gives up after a while", async () => {
    const { api, clock } = setUp(
      () => Promise.reject(new TypeError("no network")),
      () => new Promise(() => undefined),
    );
    await expect(api.get("/api/me")).rejects.toMatchObject({ code: "offline" });
    await expect(hanging(api, clock)).rejects.toMatchObject({ code: "timeout" });
  });

  it("proves the device once when the server wants one, and asks again", async () => {
    const { api, calls } = setUp(problem(403, { code: "device_required" }), fine);
    let proofs = 0;
    api.prove = () => {
      proofs += 1;
      return Promise.resolve();
    };
    await expect(api.post("/api/prekeys")).resolves.toEqual({ ok: true });
    expect([proofs, calls.length]).toEqual([1, 2]);
  });
});

/** Ask for something that never comes, and let the time pass. */
function hanging(api: Api, clock: Clock): Promise<unknown> {
  const asked = api.get("/api/me");
  void clock.advance(REQUEST_TIMEOUT_MS);
  return asked;
}

describe("the origin of a proof", () => {
  it.each([
    ["https://chat.example", "https://chat.example:443"],
    ["http://127.0.0.1", "http://127.0.0.1:80"],
    ["http://127.0.0.1:8000", "http://127.0.0.1:8000"],
  ])("of %s names its port", (origin, named) => {
    expect(canonicalOrigin(origin)).toBe(named);
  });
});
