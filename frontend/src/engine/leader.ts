/** The tab that leads: keys, socket, sync and outbox of the account live in it alone. */
import type { Recovered } from "../crypto/recovery";
import { Api } from "./api";
import {
  type EntryHandlers,
  type LeaderCommand,
  leaderHandlers,
  runCommand,
} from "./commands";
import type { Args, Boot, CommandName, Connection, FormerEntry, Id, Phase } from "./contract";
import type { Change, Core } from "./core";
import { Cursors } from "./cursors";
import { isOnList, isReplaced } from "./devices";
import { enrol, pendingEnrolment, publishKeys } from "./enrolment";
import { idBytes } from "./ids";
import { KeyLog } from "./key_log";
import { Keyring } from "./keys";
import { Lanes } from "./lanes";
import { LinkHere } from "./link_here";
import { LinkOther } from "./link_other";
import { Outbox } from "./outbox";
import { Passkeys, openByPasskey, passkeyRequest } from "./passkeys";
import { People } from "./people";
import { type Platform, pause } from "./platform";
import { RecoveryBox } from "./recovery";
import { Refusal, refuse } from "./refusal";
import { formerEntry, prepareDevice } from "./restoring";
import { Socket, type SocketState, backoff } from "./socket";
import { beginReset, isStart, refreshReset, withdrawReset } from "./starting_again";
import type { Store } from "./store/store";
import { Sync } from "./sync";
import type { MeJson } from "./wire";

export interface LeaderEvents {
  phase(phase: Phase): void;
  connection(connection: Omit<Connection, "waiting">): void;
  changed(change: Change): void;
}

interface Running {
  readonly core: Core;
  readonly sync: Sync;
  readonly outbox: Outbox;
  readonly cursors: Cursors;
  readonly handlers: ReturnType<typeof leaderHandlers>;
}

const SOCKET_STATES: Record<SocketState, Connection["state"]> = {
  connecting: "connecting",
  online: "online",
  offline: "offline",
  refused: "offline",
};

/** Where the socket of an origin is. */
export function socketUrl(origin: string): string {
  return `${origin.replace(/^http/, "ws")}/ws/`;
}

export class Leader {
  private running: Running | null = null;
  private isStopped = false;
  /** The entry whose place in the list this browser takes; a person has seen its date and agreed. */
  private replaced: FormerEntry | null = null;
  private awaySinceMs: number | null = null;
  private readonly api: Api;
  private readonly ready: Promise<Running>;
  private settle: (running: Running) => void = () => undefined;
  private readonly box: RecoveryBox;
  private readonly entering = new Lanes();
  private readonly linking: LinkHere;
  private readonly entry: EntryHandlers;

  constructor(
    private readonly platform: Platform,
    private readonly boot: Boot,
    private readonly store: Store,
    private readonly events: LeaderEvents,
  ) {
    this.api = new Api(platform, boot.origin, boot.csrfToken);
    this.box = new RecoveryBox(this.api, store);
    this.ready = new Promise((resolve) => {
      this.settle = resolve;
    });
    const alone = (work: () => Promise<void>) => this.alone(work);
    this.linking = new LinkHere({ store, api: this.api, platform, origin: boot.origin, alone });
    this.entry = this.entryHandlers();
  }

  /** Take up the work: keys first (made when there are none), then the socket. */
  async start(): Promise<void> {
    const local = await this.loadKeys();
    if (local) this.run(local);
    this.connection("connecting");
    for (let failures = 0; !this.isStopped; failures += 1) {
      try {
        await this.meet();
        return;
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (this.isFinal(error)) return;
        this.connection("offline");
      }
      await pause(this.platform, backoff(failures, this.platform.random()));
    }
  }

  private isFinal(refusal: Refusal): boolean {
    if (refusal.code !== "not_signed_in" && refusal.code !== "suspended") return false;
    this.events.phase("signed_out");
    return true;
  }

  private async loadKeys(): Promise<Keyring | null> {
    const { api, platform, store, boot } = this;
    if (await pendingEnrolment(store)) return null;
    return Keyring.load(store, { api, platform, origin: boot.origin });
  }

  /** Ask who we are, and make this browser a device of a new account; else it must have keys. */
  private async meet(): Promise<void> {
    const asked = await this.api.get<MeJson>("/api/me");
    if (this.isStopped) return;
    const me = asked.account_key === null ? await this.enrol() : await this.finish(asked);
    const keyring = this.running?.core.keyring ?? (await this.loadKeys());
    const people = new People(this.store, this.api);
    if (keyring?.accountKey !== me.account_key) {
      if (keyring && (await isReplaced(people, me.user_id))) {
        await this.revoked();
        return;
      }
      this.halt("no_keys_here");
      await this.look();
      return;
    }
    if (!(await isOnList(people, me, keyring.device.device))) {
      await this.revoked();
      return;
    }
    await this.store.setFact("me", me);
    this.events.changed({ me: true });
    if (!this.running) this.run(keyring);
    this.running?.core.socket.start();
  }

  /** This device is one no more; that is known at the next visit, too. */
  private async revoked(): Promise<void> {
    await this.store.setFact("revoked", true);
    this.halt("revoked");
  }

  /** Publish what a former visit stored and did not hear confirmed; a new start waits for a person. */
  private async finish(me: MeJson): Promise<MeJson> {
    const pending = await pendingEnrolment(this.store);
    if (!pending) return me;
    const isDone = me.account_key === pending.accountKey;
    if (isStart(pending) && !isDone) {
      await this.look();
      return me;
    }
    return publishKeys(this.store, this.api);
  }

  private enrol(): Promise<MeJson> {
    this.events.phase("enrolling");
    return enrol(this.store, this.api, this.platform);
  }

  /** This browser cannot talk for the account: nothing of it works until a person has decided. */
  private halt(phase: "no_keys_here" | "revoked"): void {
    if (this.running) this.quit();
    this.events.phase(phase);
  }

  /** Run one way of becoming a device at a time; `forbidden` when this browser is one already. */
  private alone(work: () => Promise<void>): Promise<void> {
    return this.entering.run("entry", async () => {
      if (this.running || (await this.loadKeys())) throw refuse("forbidden");
      await work();
    });
  }

  private entryHandlers(): EntryHandlers {
    const { store, api, platform, box, linking } = this;
    return {
      former_entry: async ({ takesPlace }) => {
        const former = await formerEntry({ store, api });
        this.replaced = takesPlace ? former : null;
        return { former };
      },
      restore: ({ secret }) => this.restore(() => box.open(secret)),
      passkey_offer: () => passkeyRequest(api, store.userId),
      passkey_restore: (answer) => this.restore(() => openByPasskey(box, api, answer)),
      link_show: async () => {
        if (this.running) throw refuse("forbidden");
        return linking.show();
      },
      link_wait: async () => {
        const state = await linking.wait();
        if (state === "linked") await this.start();
        return { state };
      },
      link_cancel: async () => {
        await linking.cancel();
        return null;
      },
      reset_begin: ({ password }) =>
        this.startingAgain(() => beginReset({ store, api, platform }, password)),
      reset_withdraw: () => this.startingAgain(() => withdrawReset({ store, api, platform })),
      reset_finish: () => this.startingAgain(() => this.startAgain()),
      reset_look: () => this.startingAgain(() => refreshReset(store, api)),
    };
  }

  /** Make this browser a device of the account that `open` opens. */
  private async restore(open: () => Promise<Recovered>): Promise<null> {
    const { store, api, platform, box } = this;
    await this.linking.cancel();
    await this.alone(async () => {
      if (isStart(await pendingEnrolment(store))) await withdrawReset({ store, api, platform });
      if (!(await pendingEnrolment(store))) {
        await prepareDevice({ store, api, platform }, box, { open, former: this.replaced });
      }
      await this.meet();
    });
    return null;
  }

  /** Ask which reset of the account waits. */
  private async look(): Promise<void> {
    await refreshReset(this.store, this.api);
    this.events.changed({ startingAgain: true });
  }

  /** A step of starting the account again, in a browser without keys. */
  private async startingAgain(step: () => Promise<unknown>): Promise<null> {
    try {
      await this.alone(async () => {
        await step();
      });
    } finally {
      this.events.changed({ startingAgain: true });
    }
    return null;
  }

  /** Make this browser the only device of an account that is started again. */
  private async startAgain(): Promise<void> {
    if (!isStart(await pendingEnrolment(this.store))) throw refuse("not_found");
    await publishKeys(this.store, this.api);
    // Nothing waits any more: else the new device would be warned of itself until its first sync.
    await this.look();
    await this.meet();
  }

  private run(keyring: Keyring): void {
    const { platform, store, api, boot, events } = this;
    const lanes = new Lanes();
    const keyLog = new KeyLog({
      ...{ store, api, platform },
      own: { user: idBytes(boot.userId), amkPub: keyring.device.amkPub },
      learnOwn: async () => {
        await people.learnOwn(boot.userId);
        core.changed({ me: true });
      },
      changed: () => core.changed({ keyLog: true }),
    });
    const people: People = new People(store, api, keyLog, () => core.changed({ friends: true, rooms: [] }));
    api.prove = () => keyring.proveSession();
    const socket: Socket = new Socket({
      platform,
      url: socketUrl(boot.origin),
      prove: (nonce) => keyring.prove(nonce),
      onPush: (push) => sync.push(push),
      onState: (state) => this.socketBecame(state),
    });
    const core: Core = {
      ...{ platform, store, api, socket, keyring, people, keyLog, lanes, userId: boot.userId },
      changed: (change) => {
        if (!this.isStopped) events.changed(change);
      },
      storageFailed: () => events.phase("storage_failed"),
    };
    const outbox = new Outbox(core);
    const cursors = new Cursors(core);
    const sync = new Sync(core, outbox, cursors);
    const linking = new LinkOther(core, this.box, boot.origin);
    const passkeys = new Passkeys(core, this.box, outbox);
    const handlers = leaderHandlers({ core, outbox, cursors, box: this.box, linking, passkeys });
    this.running = { core, sync, outbox, cursors, handlers };
    this.settle(this.running);
    this.events.phase("ready");
    this.events.changed({ me: true, friends: true, rooms: [] });
  }

  private connection(state: Connection["state"]): void {
    const now = this.platform.now();
    // Trying again is not news: what counts is since when it has not been online.
    this.awaySinceMs = state === "online" ? null : (this.awaySinceMs ?? now);
    this.events.connection({ state, sinceMs: this.awaySinceMs ?? now });
  }

  private socketBecame(state: SocketState): void {
    const { running } = this;
    if (!running || this.isStopped) return;
    this.connection(SOCKET_STATES[state]);
    if (state === "connecting") running.sync.connecting();
    if (state === "online") void running.sync.connected();
    if (state === "refused") void this.askWhy();
  }

  /** The socket was refused for good: the session ended, or this device was revoked. */
  private async askWhy(): Promise<void> {
    try {
      await this.meet();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (this.isFinal(error)) return;
      await pause(this.platform, backoff(4, this.platform.random()));
      if (!this.isStopped) await this.askWhy();
    }
  }

  /** Do a command; one that comes before the keys are there waits for them. */
  async command(name: LeaderCommand, args: Args<CommandName>): Promise<unknown> {
    if (name in this.entry) return runCommand(this.entry, name, args);
    const running = this.running ?? (await this.ready);
    return runCommand(running.handlers, name, args);
  }

  /** A tab wrote into the outbox. */
  queued(roomId: Id): void {
    this.running?.outbox.kick(roomId);
  }

  /** Somebody looks at a tab, or the network came or went. */
  woken(): void {
    const { running } = this;
    if (!running) return;
    if (running.core.socket.state === "offline") running.core.socket.start();
    else {
      running.core.socket.probe();
      void running.sync.check();
    }
  }

  /** Stop all work; resolves when no write is under way. */
  async stop(): Promise<void> {
    const { running } = this;
    this.quit();
    await running?.core.lanes.idle();
  }

  private quit(): void {
    this.isStopped = true;
    void this.linking.cancel();
    const { running } = this;
    if (!running) return;
    running.core.socket.stop();
    running.sync.stop();
    running.outbox.stop();
    running.cursors.stop();
  }
}
