/** Everything the engine takes from its surroundings, so that tests can give it others. */

/** A text socket: the part of WebSocket that the engine uses. */
export interface SocketPort {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

/** A channel to the other tabs of the same account: the part of BroadcastChannel that is used. */
export interface Channel {
  onmessage: ((event: { data: unknown }) => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}

/** Stops a timer. */
export type Cancel = () => void;

export interface Platform {
  /** Milliseconds since 1970 by the own clock. */
  now(): number;
  /** A number in [0, 1) for jitter; never for keys. */
  random(): number;
  after(ms: number, work: () => void): Cancel;
  fetch(url: string, init: RequestInit): Promise<Response>;
  openSocket(url: string): SocketPort;
  channel(name: string): Channel;
  /**
   * Run `work` once this tab alone holds `name`; the lock ends with the promise of `work`.
   * Giving up before that: abort `signal`.
   */
  lock(name: string, signal: AbortSignal, work: () => Promise<void>): Promise<void>;
}

/** The browser itself. */
export const browserPlatform: Platform = {
  now: () => Date.now(),
  random: () => Math.random(),
  after: (ms, work) => {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
  fetch: (url, init) => fetch(url, init),
  openSocket: (url) => new WebSocket(url) as SocketPort,
  channel: (name) => new BroadcastChannel(name) as Channel,
  lock: async (name, signal, work) => {
    await navigator.locks.request(name, { signal }, work);
  },
};

/** Wait that many milliseconds of the platform's time. */
export function pause(platform: Platform, ms: number): Promise<void> {
  return new Promise((resolve) => {
    platform.after(ms, resolve);
  });
}
