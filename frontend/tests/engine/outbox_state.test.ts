import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { accepted, nextStep, refused, resendDelay, retried, sealed } from "../../src/engine/outbox_state";
import type { Attempt, OutboxRow } from "../../src/engine/store/schema";

const NOTHING = { iv: new Uint8Array(12), data: new Uint8Array(0) };

function newRow(): OutboxRow {
  const stamp = new Uint8Array(0);
  return {
    ...{ roomId: "r", messageId: "m", order: 1, createdMs: 1, state: "waiting", failure: null },
    ...{ text: NOTHING, attempts: [], sealAgain: false, acceptedMs: 0, keyId: 0, stamp, revision: 0 },
  };
}

/** A log that keeps the first sealing of a message, and a chain whose head moves. */
class ModelServer {
  head = 0;
  counter = 0;
  queued: Attempt[] = [];
  stored: Attempt[] = [];
  used = new Set<string>();

  take(attempt: Attempt): string {
    if (this.stored.length > 0) return "stored";
    if (attempt.epoch !== this.head) return "stale_epoch";
    this.queued.push(attempt);
    return "accepted";
  }

  archive(): void {
    for (const attempt of this.queued.splice(0)) if (this.stored.length === 0) this.stored.push(attempt);
  }
}

type Event = "send" | "sendLostRequest" | "sendLostReply" | "busy" | "commit" | "archive" | "counterReused";
const EVENTS: Event[] = ["send", "sendLostRequest", "sendLostReply", "busy", "commit", "archive", "counterReused"];

/** The client as `outbox.ts` drives it, without a network. */
class ModelClient {
  row: OutboxRow | null = newRow();
  readonly sent: Attempt[] = [];

  constructor(private readonly server: ModelServer) {}

  private prepare(row: OutboxRow): Attempt {
    const { server } = this;
    const head = { epoch: server.head, isSameCommit: () => true };
    const step = nextStep(row, head);
    if (step.do === "send") return step.attempt;
    if (step.do === "commit") server.head += 1;
    server.counter += 1;
    const epoch = server.head;
    const attempt = {
      ...{ epoch, n: server.counter, commitHash: new Uint8Array(0) },
      ...{ envelope: new Uint8Array([epoch, server.counter]), eid: new Uint8Array(0), messageKey: NOTHING },
    };
    this.row = sealed(row, attempt);
    return attempt;
  }

  send(how: Event): void {
    if (!this.row) return;
    const attempt = this.prepare(this.row);
    const row = this.row;
    if (how === "sendLostRequest") this.row = refused(row, { code: "timeout" });
    else if (how === "busy") this.row = refused(row, { code: "busy" });
    else {
      this.sent.push(attempt);
      const answer = this.server.take(attempt);
      if (how === "sendLostReply") this.row = refused(row, { code: "timeout" });
      else if (answer === "stale_epoch") this.row = refused(row, { code: answer });
      else this.row = accepted(row, { accepted_ms: 1, key_id: 1, stamp: new Uint8Array(0) });
    }
  }

  /** Sync: what is stored waits no more. */
  sync(): void {
    if (this.server.stored.length > 0) this.row = null;
  }
}

describe("an outgoing message", () => {
  it("is stored exactly once, whatever is lost and whenever the head moves", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...EVENTS), { maxLength: 40 }), (events) => {
        const server = new ModelServer();
        const client = new ModelClient(server);
        for (const event of events) {
          if (event === "commit") server.head += 1;
          else if (event === "archive") server.archive();
          else if (event === "counterReused") {
            if (client.row?.state === "accepted") client.row = refused(client.row, { code: "counter_reused" });
          } else client.send(event);
        }
        for (let tries = 0; client.row && tries < 4; tries += 1) {
          client.send("send");
          server.archive();
          client.sync();
        }
        expect(client.row).toBeNull();
        expect(server.stored).toHaveLength(1);
        const counters = new Map(client.sent.map((one) => [`${one.epoch}/${one.n}`, one.envelope]));
        for (const one of client.sent) expect(counters.get(`${one.epoch}/${one.n}`)).toBe(one.envelope);
      }),
    );
  });

  it("is asked about with its last bytes once it was accepted, whatever the head is", () => {
    const attempt = { epoch: 0 } as Attempt;
    const row = { state: "accepted" as const, attempts: [attempt], sealAgain: false };
    const step = nextStep(row, { epoch: 1, isSameCommit: () => false });
    expect(step).toEqual({ do: "send", attempt });
  });

  it("that was refused in the head epoch asks for a commit first", () => {
    const row = { state: "waiting" as const, attempts: [{ epoch: 0 } as Attempt], sealAgain: true };
    expect(nextStep(row, { epoch: 0, isSameCommit: () => true }).do).toBe("commit");
    expect(nextStep(row, { epoch: 1, isSameCommit: () => false }).do).toBe("seal");
  });

  it("fails for good only with a code that no waiting mends, and can be tried again", () => {
    const failed = refused(newRow(), { code: "header_mismatch" });
    expect([failed.state, failed.failure?.code]).toEqual(["failed", "header_mismatch"]);
    expect(retried(failed)).toMatchObject({ state: "waiting", failure: null });
    expect(refused(newRow(), { code: "unavailable" }).state).toBe("waiting");
  });

  it("is sent again after half a minute, 1, 2, 5 and then every 10 minutes", () => {
    const minutes = [0, 1, 2, 3, 4, 5, 50].map((times) => resendDelay(times) / 60_000);
    expect(minutes).toEqual([0.5, 1, 2, 5, 10, 10, 10]);
  });
});
