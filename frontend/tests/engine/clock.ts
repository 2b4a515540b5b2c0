/** Time that stands still until a test moves it. */
import type { Cancel } from "../../src/engine/platform";

interface Timer {
  readonly at: number;
  readonly work: () => void;
}

/** Let everything that is under way, the store included, get on. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Time enough for whatever may run while the clock stands still. */
export async function settled(): Promise<void> {
  for (let turns = 0; turns < 200; turns += 1) await turn();
}

/** Wait for something to become true; fails with `what` after many turns. */
export async function until(
  isTrue: () => boolean | Promise<boolean>,
  what = "never came true",
): Promise<void> {
  const start = performance.now();
  while (!(await isTrue())) {
    if (performance.now() - start > 20_000) throw new Error(what);
    await turn();
  }
}

export class Clock {
  private time = 1_800_000_000_000;
  private readonly timers = new Set<Timer>();

  now(): number {
    return this.time;
  }

  /** What is due at once runs in the next turn; everything else waits for `advance`. */
  after(ms: number, work: () => void): Cancel {
    if (ms <= 0) {
      const handle = setImmediate(work);
      return () => clearImmediate(handle);
    }
    const timer = { at: this.time + ms, work };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** Say whether something is to happen in exactly so long. */
  wakesIn(ms: number): boolean {
    return [...this.timers].some(({ at }) => at === this.time + ms);
  }

  /** Move on, running what falls due in its order. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      const due = [...this.timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.timers.delete(due);
      this.time = Math.max(this.time, due.at);
      due.work();
      await turn();
    }
    this.time = end;
  }
}
