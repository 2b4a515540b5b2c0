/**
 * The engine of one tab. One tab of an account leads; the others send it their commands, read
 * the same store, and one of them takes over when it goes.
 */
import { ready } from "../crypto/primitives";
import { type LeaderCommand, REPEATABLE } from "./commands";
import type { Args, Boot, CommandName, Connection, FromEngine, Id, Phase, ToEngine } from "./contract";
import type { Change } from "./core";
import { Lanes } from "./lanes";
import { Leader } from "./leader";
import type { Channel, Platform } from "./platform";
import { enqueue, loadDraft, saveDraft } from "./queue";
import { failureOf, refuse } from "./refusal";
import { databaseName } from "./store/schema";
import { Store } from "./store/store";
import type { TabMessage } from "./tabs";
import { Views } from "./views";

interface Pending {
  readonly name: CommandName;
  readonly args: Args<CommandName>;
}

type Command = Extract<ToEngine, { type: "command" }>;

export class Tab {
  private readonly id = crypto.randomUUID();
  private readonly channel: Channel;
  private readonly abort = new AbortController();
  private readonly forwarded = new Map<number, Pending>();
  private readonly line = new Lanes();
  private store: Store | null = null;
  private views: Views | null = null;
  private leader: Leader | null = null;
  private leaderId: string | null = null;
  private phase: Phase = "starting";
  private connection: Omit<Connection, "waiting"> | null = null;
  private change: Change | null = null;
  private giving: Promise<void> = Promise.resolve();
  private release: () => void = () => undefined;
  private settle: () => void = () => undefined;
  private readonly opened = new Promise<void>((resolve) => (this.settle = resolve));
  private isOver = false;

  constructor(
    private readonly platform: Platform,
    private readonly boot: Boot,
    private readonly post: (message: FromEngine) => void,
  ) {
    this.channel = platform.channel(databaseName(boot.userId));
    this.channel.onmessage = ({ data }) => this.hear(data as TabMessage);
  }

  /** Open the store, show what is there, then lead or follow. */
  async start(): Promise<void> {
    this.give({ phase: "starting" });
    try {
      await ready;
      this.store = await Store.open(this.boot.userId, () => this.over());
      this.views = new Views(this.store, (snapshot) => this.give(snapshot));
      await this.views.all();
      await this.showLocal(this.store);
    } catch {
      this.became("storage_failed");
      return;
    } finally {
      this.settle();
    }
    this.channel.postMessage({ type: "who" } satisfies TabMessage);
    void this.queueForLead();
  }

  /** Everything of a former visit is on screen before the network is asked. */
  private async showLocal(store: Store): Promise<void> {
    const [device, pending] = [await store.fact("device"), await store.fact("enrolment")];
    const isRevoked = (await store.fact("revoked")).value;
    if (device.value && !pending.value) this.became(isRevoked ? "revoked" : "ready");
  }

  private async queueForLead(): Promise<void> {
    try {
      await this.platform.lock(databaseName(this.boot.userId), this.abort.signal, () =>
        this.lead(),
      );
    } catch (error) {
      if (!this.abort.signal.aborted) throw error;
    }
  }

  private async lead(): Promise<void> {
    const { store, platform, boot } = this;
    if (!store || this.isOver) return;
    const over = new Promise<void>((resolve) => {
      this.release = resolve;
    });
    this.leaderId = this.id;
    const leader = new Leader(platform, boot, store, {
      phase: (phase) => this.became(phase),
      connection: (connection) => {
        this.connection = connection;
        this.announce();
        this.giveConnection();
      },
      changed: (change) => {
        this.send({ type: "changed", change });
        this.changed(change);
      },
    });
    this.leader = leader;
    this.announce();
    this.takeOver(leader);
    leader.start().catch(() => this.became("storage_failed"));
    await over;
    await leader.stop();
  }

  /** Commands that were with the former leader: what may be repeated is, the rest failed. */
  private takeOver(leader: Leader): void {
    for (const [id, { name, args }] of this.forwarded) {
      this.forwarded.delete(id);
      if (REPEATABLE.has(name)) void this.answer(id, leader.command(name as LeaderCommand, args));
      else this.post({ type: "failed", id, failure: { code: "timeout" } });
    }
  }

  /** Hand on what the page says. */
  handle(message: ToEngine): void {
    if (message.type === "command") void this.answer(message.id, this.command(message));
    else if (message.type === "visible" && message.visible) this.woken();
  }

  /** The page came into view, or the network came back. */
  woken(): void {
    if (this.leader) this.leader.woken();
    else this.send({ type: "woken" });
  }

  /** Stop working without forgetting: the tab closes. */
  async close(): Promise<void> {
    this.abort.abort();
    this.release();
    await this.leader?.stop();
    this.channel.close();
    this.store?.close();
  }

  private async answer(id: number, result: Promise<unknown>): Promise<void> {
    try {
      const value = await result;
      if (value !== FORWARDED) this.post({ type: "done", id, result: value });
    } catch (error) {
      this.post({ type: "failed", id, failure: failureOf(error) });
    }
  }

  /** Do a command; one that comes before the store is open waits for it. */
  private async command(command: Command): Promise<unknown> {
    await this.opened;
    const { store, views } = this;
    if (!store || !views || this.isOver) throw refuse("storage");
    switch (command.name) {
      case "room_show":
        await views.show(command.args.roomId);
        return null;
      case "room_close":
        views.close();
        return null;
      case "timeline_older":
        await views.older(command.args.roomId);
        return null;
      case "message_send":
        return { messageId: await this.enqueue(store, command.args) };
      case "draft_save":
        await this.saveDraft(store, command.args);
        return null;
      case "draft_load":
        return { text: await loadDraft(store, command.args.roomId) };
      case "forget":
        return this.leader ? this.forget() : this.forward(command);
      default:
        return this.leader ? this.leader.command(command.name, command.args) : this.forward(command);
    }
  }

  private async enqueue(store: Store, args: { roomId: Id; text: string }): Promise<Id> {
    const { roomId } = args;
    // Two quick messages must not look for their places in the line at the same time.
    const messageId = await this.line.run(roomId, () => enqueue(store, this.platform, args));
    this.send({ type: "changed", change: { rooms: [roomId] } });
    this.changed({ rooms: [roomId] });
    if (this.leader) this.leader.queued(roomId);
    else this.send({ type: "queued", roomId });
    return messageId;
  }

  /** Behind what was sent before: else a draft could outlive its message. */
  private saveDraft(store: Store, { roomId, text }: { roomId: Id; text: string }): Promise<void> {
    return this.line.run(roomId, () => saveDraft(store, roomId, text));
  }

  private forward({ id, name, args }: Command): typeof FORWARDED {
    this.forwarded.set(id, { name, args });
    this.send({ type: "command", from: this.id, id, name, args });
    return FORWARDED;
  }

  private async forget(): Promise<null> {
    const { store, leader } = this;
    await leader?.stop();
    this.send({ type: "forgotten" });
    await store?.forget();
    this.over();
    return null;
  }

  private over(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.views?.close();
    this.abort.abort();
    this.release();
    this.became("signed_out");
  }

  private hear(message: TabMessage): void {
    switch (message.type) {
      case "state":
        this.hearLeader(message);
        break;
      case "who":
        if (this.leader) this.announce();
        break;
      case "changed":
        this.changed(message.change);
        break;
      case "command":
        if (this.leader) void this.serve(message);
        break;
      case "done":
      case "failed":
        this.hearAnswer(message);
        break;
      case "queued":
        this.leader?.queued(message.roomId);
        break;
      case "woken":
        this.leader?.woken();
        break;
      case "forgotten":
        this.store?.close();
        this.over();
        break;
    }
  }

  private hearLeader(message: Extract<TabMessage, { type: "state" }>): void {
    if (this.leader) return;
    const isNew = this.leaderId !== null && this.leaderId !== message.leader;
    this.leaderId = message.leader;
    this.connection = message.connection;
    this.became(message.phase);
    this.giveConnection();
    if (isNew) this.askAgain();
  }

  /** Another tab leads now: what the former one did not answer is asked again, or failed. */
  private askAgain(): void {
    for (const [id, { name, args }] of this.forwarded) {
      if (REPEATABLE.has(name)) this.send({ type: "command", from: this.id, id, name, args });
      else {
        this.forwarded.delete(id);
        this.post({ type: "failed", id, failure: { code: "timeout" } });
      }
    }
  }

  private async serve(message: Extract<TabMessage, { type: "command" }>): Promise<void> {
    const { from: to, id, name, args } = message;
    try {
      const result = await this.serveCommand(name, args);
      this.send({ type: "done", to, id, result });
    } catch (error) {
      this.send({ type: "failed", to, id, failure: failureOf(error) });
    }
  }

  private serveCommand(name: CommandName, args: Args<CommandName>): Promise<unknown> | undefined {
    if (name === "forget") return this.forget();
    return this.leader?.command(name as LeaderCommand, args);
  }

  private hearAnswer(message: Extract<TabMessage, { type: "done" | "failed" }>): void {
    if (message.to !== this.id || !this.forwarded.delete(message.id)) return;
    const { id } = message;
    if (message.type === "done") this.post({ type: "done", id, result: message.result });
    else this.post({ type: "failed", id, failure: message.failure });
  }

  private send(message: TabMessage): void {
    this.channel.postMessage(message);
  }

  private announce(): void {
    const { id: leader, phase, connection } = this;
    this.send({ type: "state", leader, phase, connection });
  }

  private became(phase: Phase): void {
    if (this.phase === phase) return;
    this.phase = phase;
    this.give({ phase });
    if (this.leader) this.announce();
  }

  private give(snapshot: Extract<FromEngine, { type: "snapshot" }>["snapshot"]): void {
    this.post({ type: "snapshot", snapshot });
  }

  private giveConnection(): void {
    const { connection, views } = this;
    if (connection) void views?.giveConnection(connection).catch(() => undefined);
  }

  private hasEnded(): boolean {
    return this.isOver;
  }

  /** Read again and show; changes that come meanwhile are read together after that. */
  private changed(change: Change): void {
    const before = this.change;
    this.change = merge(before, change);
    if (before) return;
    this.giving = this.giving.then(async () => {
      const due = this.change;
      this.change = null;
      if (!due || this.isOver) return;
      try {
        await this.views?.changed(due);
        if (due.rooms) this.giveConnection();
      } catch {
        if (!this.hasEnded()) this.became("storage_failed");
      }
    });
  }
}

/** An answer that another tab will give. */
const FORWARDED = Symbol("forwarded");

function merge(before: Change | null, next: Change): Change {
  const rooms = [...(before?.rooms ?? []), ...(next.rooms ?? [])];
  return {
    ...(before?.me || next.me ? { me: true } : {}),
    ...(before?.friends || next.friends ? { friends: true } : {}),
    ...(before?.keyLog || next.keyLog ? { keyLog: true } : {}),
    ...(before?.startingAgain || next.startingAgain ? { startingAgain: true } : {}),
    ...(before?.rooms || next.rooms ? { rooms } : {}),
  };
}
