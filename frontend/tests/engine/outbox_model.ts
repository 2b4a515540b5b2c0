/** A person who writes while tabs close and the network goes, and what must hold of what they wrote. */
import { expect } from "vitest";
import { decodeBase64url } from "../../src/crypto/encoding";
import { type Pre, parseEnvelope } from "../../src/crypto/envelope";
import type { Id, TimelineItem } from "../../src/engine/contract";
import { bodyOfItem } from "../../src/engine/store/reopen";
import { Store } from "../../src/engine/store/store";
import { type Person, World } from "./cast";
import { settled, until } from "./clock";

const MOST_TABS = 3;

function counterOf({ epoch, n }: Pick<Pre, "epoch" | "n">): string {
  return `${epoch}/${n}`;
}

export class Model {
  private typed = 0;
  private draft = "";
  /** What must arrive, in the order in which it was sent. */
  private kept: string[] = [];
  /** What was deleted: it may have arrived all the same. */
  private readonly deleted = new Set<string>();
  /** What was refused at some time has lost its place in the order. */
  private readonly moved = new Set<string>();
  private readonly left = new Map<string, string>();
  private requestsToLose = 0;
  private answersToLose = 0;
  private titles = 0;

  private constructor(
    private readonly world: World,
    private readonly alice: Person,
    private readonly bob: Person,
    private readonly room: Id,
  ) {
    const { server } = world;
    server.drop = (frame) => this.leaves(frame) && this.requestsToLose-- > 0;
    server.dropReply = (frame) => frame["event"] === "message.send" && this.answersToLose-- > 0;
  }

  static async begin(world: World, alice: Person, bob: Person): Promise<Model> {
    const userIds = [alice.id];
    const { roomId } = await bob.ask("room_create_group", { title: "garden", userIds });
    await alice.show(roomId);
    await bob.show(roomId);
    return new Model(world, alice, bob, roomId);
  }

  /** No counter is used for two different envelopes. */
  private leaves(frame: Record<string, unknown>): boolean {
    if (frame["event"] !== "message.send") return false;
    const envelope = frame["envelope"] as string;
    const counter = counterOf(parseEnvelope(decodeBase64url(envelope)).header.pre);
    expect(this.left.get(counter) ?? envelope).toBe(envelope);
    this.left.set(counter, envelope);
    return true;
  }

  private get own(): TimelineItem[] {
    return (this.alice.page.seen.timeline?.items ?? []).filter((item) => item.messageId !== null);
  }

  private pick(number: number, isFit: (item: TimelineItem) => boolean): TimelineItem | null {
    const fit = this.own.filter(isFit);
    return fit[number % fit.length] ?? null;
  }

  // What a person does

  async type(tab: number): Promise<void> {
    this.typed += 1;
    this.alice.page = this.alice.pages[tab % this.alice.pages.length]!;
    await this.alice.show(this.room);
    await this.say(`text ${this.typed}`);
  }

  private async say(text: string): Promise<void> {
    await this.alice.say(this.room, text);
    this.kept.push(text);
    this.draft = "";
    if (this.world.server.refuse !== null) this.moved.add(text);
  }

  async jot(): Promise<void> {
    this.typed += 1;
    this.draft = `draft ${this.typed}`;
    await this.alice.ask("draft_save", { roomId: this.room, text: this.draft });
  }

  async sayDraft(): Promise<void> {
    if (this.draft !== "") await this.say(this.draft);
  }

  async retry(number: number): Promise<void> {
    const failed = this.pick(number, (item) => item.state === "failed");
    if (!failed) return;
    await this.alice.ask("message_retry", { roomId: this.room, messageId: failed.messageId! });
  }

  async edit(number: number): Promise<void> {
    const item = this.pick(number, ({ isChangeable }) => isChangeable);
    if (!item) return;
    const asked = { roomId: this.room, messageId: item.messageId! };
    const text = await this.alice.ask("message_take_back", asked).then(
      (taken) => taken.text,
      () => null, // it left meanwhile
    );
    if (text === null) return;
    expect(text).toBe(item.text);
    this.kept = this.kept.filter((one) => one !== text);
    this.draft = this.draft === "" ? text : `${text}\n${this.draft}`;
  }

  async remove(number: number): Promise<void> {
    const item = this.pick(number, ({ state }) => state === "failed" || state === "waiting");
    if (!item) return;
    const asked = { roomId: this.room, messageId: item.messageId! };
    const isDone = await this.alice.ask("message_discard", asked).then(
      () => true,
      () => false,
    );
    if (!isDone) return;
    this.kept = this.kept.filter((one) => one !== item.text);
    this.deleted.add(item.text);
  }

  async openTab(): Promise<void> {
    if (this.alice.pages.length >= MOST_TABS) return;
    await this.alice.open();
    await this.alice.show(this.room);
  }

  async closeTab(number: number): Promise<void> {
    const { pages } = this.alice;
    if (pages.length === 1) return this.reload();
    await this.alice.close(pages[number % pages.length]);
    this.alice.page = pages[0]!;
    await this.alice.show(this.room);
  }

  async reload(): Promise<void> {
    await this.alice.reload();
    await this.alice.show(this.room);
  }

  // What happens to them

  async cut(): Promise<void> {
    this.world.server.isUp = false;
    this.alice.socket?.lose(1006);
    await settled();
  }

  async mend(): Promise<void> {
    this.world.server.isUp = true;
    await this.world.clock.advance(31_000);
  }

  async loseRequest(): Promise<void> {
    this.requestsToLose = 1;
    await settled();
  }

  async loseAnswer(): Promise<void> {
    this.answersToLose = 1;
    await settled();
  }

  async refuse(number: number): Promise<void> {
    this.world.server.refuse = number % 3 === 0 ? "busy" : "forbidden";
    for (const { text, state } of this.own) if (state !== "stored") this.moved.add(text);
    await settled();
  }

  async takeAgain(): Promise<void> {
    this.world.server.refuse = null;
    await settled();
  }

  /** The server has a message and its sender never hears so; asked again, it refuses. */
  async doubt(): Promise<void> {
    await this.hold();
    await this.loseAnswer();
    this.typed += 1;
    const text = `text ${this.typed}`;
    await this.say(text);
    for (let tries = 0; tries < 9 && this.answersToLose > 0; tries += 1) await this.wait(1);
    await this.refuse(1);
    const isOver = () => this.own.some((item) => item.text === text && item.state === "failed");
    for (let tries = 0; tries < 9 && !isOver(); tries += 1) await this.wait(1);
  }

  async hold(): Promise<void> {
    this.world.server.isArchiving = false;
    await settled();
  }

  async archive(): Promise<void> {
    this.world.server.isArchiving = true;
    this.world.server.archive(this.world.server.room(this.room));
    await settled();
  }

  async commit(): Promise<void> {
    if (!this.world.server.isUp) return;
    this.titles += 1;
    await this.bob.ask("room_rename", { roomId: this.room, title: `garden ${this.titles}` });
  }

  async wait(number: number): Promise<void> {
    await this.world.clock.advance(number * 3_000);
    await settled();
  }

  // What must hold

  /** Everything that was typed and not deleted is on screen, once, or in the draft. */
  async check(): Promise<void> {
    await until(
      () => this.isWhole(this.alice.page.texts),
      `alice sees ${JSON.stringify(this.alice.page.texts)}, not ${JSON.stringify(this.kept)}`,
    );
    const { text } = await this.alice.ask("draft_load", { roomId: this.room });
    expect(text).toBe(this.draft);
  }

  private isWhole(texts: readonly string[]): boolean {
    const isOnce = new Set(texts).size === texts.length;
    const isAll = this.kept.every((text) => texts.includes(text));
    return isOnce && isAll && texts.every((text) => this.kept.includes(text) || this.deleted.has(text));
  }

  /** Let all trouble end; then everything is in the log once and in its order, with no hole. */
  async finish(): Promise<void> {
    const { server, clock } = this.world;
    [this.requestsToLose, this.answersToLose] = [0, 0];
    [server.isUp, server.refuse] = [true, null];
    await this.archive();
    await this.until(() => this.own.every((item) => item.state === "stored"));
    await this.say("the end");
    await this.until(() => this.own.at(-1)?.state === "stored" && this.own.at(-1)?.text === "the end");
    await until(() => this.bob.page.texts.length === this.own.length, "bob sees more or less");
    await clock.advance(1_000);
    const texts = this.bob.page.texts;
    expect(texts).toEqual(this.alice.page.texts);
    expect(this.isWhole(texts), JSON.stringify([texts, this.kept])).toBe(true);
    const steady = (text: string) => this.kept.includes(text) && !this.moved.has(text);
    expect(texts.filter(steady)).toEqual(this.kept.filter(steady));
    await this.checkCounters();
  }

  /** Wait for it, time passing, and send again what failed. */
  private async until(isTrue: () => boolean): Promise<void> {
    await until(async () => {
      await this.world.clock.advance(11_000);
      for (let at = 0; this.pick(at, ({ state }) => state === "failed") && at < 20; at += 1) {
        await this.retry(at);
      }
      return isTrue();
    }, `not all were stored: ${JSON.stringify(this.own.map(({ text, state }) => [text, state]))}`);
  }

  /** A counter that left is in the log, or declared void, or of a deleted message; never two of them. */
  private async checkCounters(): Promise<void> {
    const store = await Store.open(this.bob.id, () => undefined);
    const rows = await store.tables.getAll("items", IDBKeyRange.bound([this.room], [this.room, []]));
    const messages = rows.filter((row) => row.kind === "message" && row.seq > 0);
    const bodies = await Promise.all(messages.map((row) => bodyOfItem(store, row)));
    store.close();
    const stored = new Set(messages.map(counterOf));
    const voids = bodies.flatMap((body) => (body?.void ?? []).map(([epoch, n]) => counterOf({ epoch, n })));
    expect(voids.filter((counter) => stored.has(counter))).toEqual([]);
    const open = [...this.left.keys()].filter((counter) => !stored.has(counter) && !voids.includes(counter));
    if (this.deleted.size === 0) expect(open).toEqual([]);
  }
}
