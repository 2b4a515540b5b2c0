/**
 * A socket that stays: it proves its device, matches answers to questions and comes back after
 * every loss (docs/wire.md §4). It knows nothing of rooms.
 */
import type { Id } from "./contract";
import { type ClientFrame, MAX_FRAME_BYTES, type Push, type ServerFrame, parseFrame } from "./frames";
import type { Cancel, Platform, SocketPort } from "./platform";
import { Refusal, refuse } from "./refusal";

export const REPLY_TIMEOUT_MS = 10_000;
export const PING_MS = 25_000;
/** How long a connection may take to be open and proved; a network may swallow it silently. */
export const CONNECT_TIMEOUT_MS = 15_000;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
const RESTART_DELAY_MS = 10_000;

/** How the socket stands; `refused` says that only signing in again, or nothing, helps. */
export type SocketState = "connecting" | "online" | "offline" | "refused";

export interface SocketOptions {
  readonly platform: Platform;
  readonly url: string;
  /** Sign the server's nonce as this device. */
  prove(nonce: string): Promise<{ device_id: Id; signature: string }>;
  onPush(push: Push): void;
  onState(state: SocketState): void;
}

type Reply = Record<string, unknown>;

interface Question {
  readonly size: number;
  resolve(reply: Reply): void;
  reject(refusal: Refusal): void;
}

/** Give the wait before attempt number `failures` + 1: full jitter over 0.5, 1, 2 … 30 s. */
export function backoff(failures: number, random: number): number {
  return random * Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures, 10));
}

export class Socket {
  state: SocketState = "offline";
  private port: SocketPort | null = null;
  private refs = 0;
  private failures = 0;
  private cancelTimer: Cancel | null = null;
  private cancelPing: Cancel | null = null;
  private cancelConnect: Cancel | null = null;
  private readonly questions = new Map<string, Question>();

  constructor(private readonly options: SocketOptions) {}

  /** Open now, whatever the back-off says; nothing when it is open or opening. */
  start(): void {
    if (this.port) return;
    this.cancelTimer?.();
    this.cancelTimer = null;
    this.become("connecting");
    const port = this.options.platform.openSocket(this.options.url);
    this.port = port;
    this.cancelConnect = this.options.platform.after(CONNECT_TIMEOUT_MS, () => {
      if (this.port !== port) return;
      port.close(1000);
      this.lose(1006);
    });
    port.onmessage = ({ data }) => {
      if (this.port === port) this.hear(data);
    };
    port.onclose = ({ code }) => {
      if (this.port === port) this.lose(code);
    };
  }

  /** Close for good: no attempt follows. */
  stop(): void {
    const port = this.port;
    this.drop("offline");
    this.cancelTimer?.();
    this.cancelTimer = null;
    port?.close(1000);
    this.become("offline");
  }

  /** Ask and wait for the answer; `Refusal` with the server's code, `offline` or `timeout`. */
  ask(frame: ClientFrame): Promise<Reply> {
    if (this.state !== "online") return Promise.reject(refuse("offline"));
    return this.question(frame);
  }

  private question(frame: ClientFrame): Promise<Reply> {
    const port = this.port;
    if (!port) return Promise.reject(refuse("offline"));
    this.refs += 1;
    const ref = this.refs.toString(36);
    const text = JSON.stringify({ ...frame, ref });
    if (text.length > MAX_FRAME_BYTES) return Promise.reject(refuse("too_large"));
    return new Promise((resolve, reject) => {
      const cancel = this.options.platform.after(REPLY_TIMEOUT_MS, () => {
        this.questions.delete(ref);
        reject(refuse("timeout"));
      });
      const settle = <T>(how: (value: T) => void) => (value: T) => {
        cancel();
        how(value);
      };
      this.questions.set(ref, {
        size: text.length,
        resolve: settle(resolve),
        reject: settle<Refusal>(reject),
      });
      port.send(text);
    });
  }

  private hear(data: unknown): void {
    let frame: ServerFrame | null;
    try {
      frame = parseFrame(data);
    } catch {
      // Not a frame: whoever talks here is not our server, or broken. Start again.
      this.port?.close(1002);
      this.lose(1002);
      return;
    }
    if (frame === null) return;
    if (frame.event === "hello") void this.proveDevice(frame.nonce);
    else if (frame.event === "reply") this.settle(frame.ref, (question) => question.resolve(frame));
    else if (frame.event === "error") this.hearError(frame);
    else if (frame.event === "reconnect") this.moveOn(frame.within_ms);
    else this.options.onPush(frame);
  }

  private hearError(frame: Extract<ServerFrame, { event: "error" }>): void {
    const refusal = refuse(frame.code, frame.retry_after_ms);
    if (frame.ref !== undefined) this.settle(frame.ref, (question) => question.reject(refusal));
  }

  private settle(ref: string, how: (question: Question) => void): void {
    const question = this.questions.get(ref);
    this.questions.delete(ref);
    if (question) how(question);
  }

  private async proveDevice(nonce: string): Promise<void> {
    const port = this.port;
    try {
      const proof = await this.options.prove(nonce);
      await this.question({ event: "device.prove", ...proof });
    } catch (error) {
      if (this.port !== port) return;
      const isFinal = error instanceof Refusal && error.code === "device_proof";
      port?.close(1000);
      if (isFinal) this.refuseForGood();
      else this.lose(1000);
      return;
    }
    if (this.port !== port) return;
    this.failures = 0;
    this.cancelConnect?.();
    this.become("online");
    this.schedulePing();
  }

  private schedulePing(): void {
    const { platform } = this.options;
    this.cancelPing?.();
    const wait = PING_MS * (0.8 + 0.4 * platform.random());
    this.cancelPing = platform.after(wait, () => this.probe());
  }

  /** Ask whether the server is still there: a cut network closes no socket. */
  probe(): void {
    const port = this.port;
    if (port === null || this.state !== "online") return;
    this.cancelPing?.();
    this.ask({ event: "ping", t: this.options.platform.now() }).then(
      () => {
        if (this.port === port) this.schedulePing();
      },
      () => {
        if (this.port !== port) return;
        port.close(1000);
        this.lose(1006);
      },
    );
  }

  /** The server drains: leave at a random moment, so that not everybody returns at once. */
  private moveOn(withinMs: number): void {
    const { platform } = this.options;
    const port = this.port;
    this.cancelTimer?.();
    this.cancelTimer = platform.after(platform.random() * withinMs, () => {
      if (this.port !== port || port === null) return;
      this.drop("offline");
      port.close(1000);
      this.start();
    });
  }

  private lose(code: number): void {
    if (code === 1009) this.failLargest();
    this.drop("offline");
    if (code === 4001 || code === 4003) this.refuseForGood();
    else this.comeBack(code);
  }

  private failLargest(): void {
    const asked = [...this.questions].sort(([, a], [, b]) => b.size - a.size);
    const largest = asked[0];
    if (largest) this.settle(largest[0], (question) => question.reject(refuse("too_large")));
  }

  private comeBack(code: number): void {
    const { platform } = this.options;
    const delay =
      code === 1012
        ? platform.random() * RESTART_DELAY_MS
        : backoff(this.failures, platform.random());
    this.failures += 1;
    this.become("offline");
    this.cancelTimer = platform.after(delay, () => this.start());
  }

  private refuseForGood(): void {
    this.drop("offline");
    this.become("refused");
  }

  private drop(code: string): void {
    this.port = null;
    this.cancelTimer?.();
    this.cancelTimer = null;
    this.cancelPing?.();
    this.cancelPing = null;
    this.cancelConnect?.();
    this.cancelConnect = null;
    const open = [...this.questions.values()];
    this.questions.clear();
    for (const question of open) question.reject(refuse(code));
  }

  private become(state: SocketState): void {
    if (this.state === state) return;
    this.state = state;
    this.options.onState(state);
  }
}
