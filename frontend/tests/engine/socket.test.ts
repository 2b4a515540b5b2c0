import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CLIENT_EVENTS, SERVER_EVENTS, parseFrame } from "../../src/engine/frames";
import type { Platform, SocketPort } from "../../src/engine/platform";
import { Socket, type SocketState, backoff } from "../../src/engine/socket";
import { Clock, turn, until } from "./clock";

class Port implements SocketPort {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  readonly sent: { event: string; ref: string }[] = [];
  isClosed = false;

  send(text: string): void {
    this.sent.push(JSON.parse(text) as { event: string; ref: string });
  }

  close(): void {
    this.isClosed = true;
  }

  say(frame: Record<string, unknown>): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
}

function setUp(random = 0.5) {
  const clock = new Clock();
  const ports: Port[] = [];
  const states: SocketState[] = [];
  const pushes: string[] = [];
  const platform = {
    now: () => clock.now(),
    random: () => random,
    after: (ms: number, work: () => void) => clock.after(ms, work),
    openSocket: () => {
      ports.push(new Port());
      return ports.at(-1)!;
    },
  } as unknown as Platform;
  const socket = new Socket({
    platform,
    url: "wss://chat.example/ws/",
    prove: (nonce) => Promise.resolve({ device_id: "d", signature: `over ${nonce}` }),
    onPush: (push) => pushes.push(push.event),
    onState: (state) => states.push(state),
  });
  const connect = async () => {
    if (ports.length === 0) socket.start();
    const port = ports.at(-1)!;
    port.say({ event: "hello", nonce: "n", origin: "o", now_ms: 1 });
    await until(() => port.sent.length > 0);
    port.say({ event: "reply", ref: port.sent[0]!.ref });
    await until(() => socket.state === "online");
    return port;
  };
  return { clock, ports, states, pushes, socket, connect };
}

describe("the socket", () => {
  it("is online once its device is proved over the server's nonce", async () => {
    const { connect, states } = setUp();
    const port = await connect();
    expect(port.sent[0]).toMatchObject({ event: "device.prove", device_id: "d", signature: "over n" });
    expect(states).toEqual(["connecting", "online"]);
  });

  it("gives each question its own answer, in any order", async () => {
    const { connect, socket } = setUp();
    const port = await connect();
    const [one, two] = [socket.ask({ event: "heads" }), socket.ask({ event: "ping", t: 1 })];
    const [, first, second] = port.sent;
    port.say({ event: "error", ref: second!.ref, code: "busy", retryable: true, retry_after_ms: 5 });
    port.say({ event: "reply", ref: first!.ref, rooms: {} });
    await expect(one).resolves.toMatchObject({ rooms: {} });
    await expect(two).rejects.toMatchObject({ failure: { code: "busy", retryAfterMs: 5 } });
  });

  it("gives up a question after ten seconds, and all of them when it is lost", async () => {
    const { connect, socket, clock } = setUp();
    const port = await connect();
    const slow = socket.ask({ event: "heads" });
    const timedOut = expect(slow).rejects.toMatchObject({ code: "timeout" });
    await clock.advance(10_000);
    await timedOut;
    const lost = socket.ask({ event: "heads" });
    port.onclose?.({ code: 1006 });
    await expect(lost).rejects.toMatchObject({ code: "offline" });
    await expect(socket.ask({ event: "heads" })).rejects.toMatchObject({ code: "offline" });
  });

  it("comes back with a wait that grows to 30 s at most", async () => {
    expect([0, 1, 2, 6, 40].map((failures) => backoff(failures, 1))).toEqual([
      500, 1000, 2000, 30_000, 30_000,
    ]);
    const { connect, ports, clock } = setUp();
    (await connect()).onclose?.({ code: 1006 });
    expect(ports).toHaveLength(1);
    await clock.advance(250);
    expect(ports).toHaveLength(2);
  });

  it.each([4001, 4003])("does not come back by itself after %i", async (code) => {
    const { connect, socket, ports, clock } = setUp();
    (await connect()).onclose?.({ code });
    await clock.advance(60_000);
    expect([socket.state, ports.length]).toEqual(["refused", 1]);
  });

  it("tries again when a connection is swallowed", async () => {
    const { socket, ports, clock } = setUp();
    socket.start();
    await clock.advance(15_500);
    expect([ports[0]!.isClosed, ports.length]).toEqual([true, 2]);
  });

  it("waits up to ten seconds when the server restarts", async () => {
    const { connect, ports, clock } = setUp(0.9);
    (await connect()).onclose?.({ code: 1012 });
    await clock.advance(8_999);
    expect(ports).toHaveLength(1);
    await clock.advance(2);
    expect(ports).toHaveLength(2);
  });

  it("moves on at a random moment when the server drains", async () => {
    const { connect, ports, clock } = setUp();
    const port = await connect();
    port.say({ event: "reconnect", within_ms: 4_000 });
    await clock.advance(2_000);
    expect([port.isClosed, ports.length]).toEqual([true, 2]);
  });

  it("asks every 25 s whether somebody is there, and leaves when nobody answers", async () => {
    const { connect, clock, ports } = setUp();
    const port = await connect();
    await clock.advance(25_000);
    expect(port.sent.at(-1)?.event).toBe("ping");
    await clock.advance(10_000);
    await turn();
    await clock.advance(500);
    expect([port.isClosed, ports.length]).toEqual([true, 2]);
  });

  it("never sends a frame that is too large", async () => {
    const { connect, socket } = setUp();
    await connect();
    const huge = { event: "message.send" as const, room_id: "r", envelope: "x".repeat(70_000) };
    await expect(socket.ask(huge)).rejects.toMatchObject({ code: "too_large" });
  });

  it("passes pushes on and leaves unknown events of a newer server alone", async () => {
    const { connect, pushes } = setUp();
    const port = await connect();
    port.say({ event: "room.added", room_id: "r" });
    port.say({ event: "hologram.moved" });
    expect(pushes).toEqual(["room.added"]);
  });
});

describe("a frame", () => {
  it.each([["not text", 5], ["no JSON", "{"], ["a list", "[]"], ["no event", "{}"], ["a member missing", '{"event":"room.added"}'], ["a fraction", '{"event":"reconnect","within_ms":0.5}']])(
    "with %s is none",
    (_what, data) => {
      expect(() => parseFrame(data)).toThrow(SyntaxError);
    },
  );

  it("is one of those that docs/wire.md lists, both ways", () => {
    const wire = readFileSync(new URL("../../../docs/wire.md", import.meta.url), "utf8");
    const section = (from: string, to: string) => wire.split(from)[1]!.split(to)[0]!;
    const events = (text: string) =>
      [...text.matchAll(/^\| `([a-z_.]+)` \|/gm)].map((match) => match[1]!).sort();
    expect(events(section("### From the client", "###"))).toEqual([...CLIENT_EVENTS].sort());
    expect(events(section("### From the server", "###"))).toEqual(
      Object.keys(SERVER_EVENTS).sort(),
    );
  });
});
