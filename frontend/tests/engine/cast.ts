/** People with browsers, for tests: real engines over one in-memory server. */
import "fake-indexeddb/auto";
import { vi } from "vitest";
import type { Args, CommandName, FromEngine, Id, Result, Snapshot } from "../../src/engine/contract";
import { LINK_POLL_MS } from "../../src/engine/link_here";
import type { Channel, Platform } from "../../src/engine/platform";
import { Refusal } from "../../src/engine/refusal";
import { databaseName } from "../../src/engine/store/schema";
import { Tab } from "../../src/engine/tab";
import { Clock, turn, until } from "./clock";
import { Server } from "./server";
import type { Session } from "./server_asked";
import { ServerSocket } from "./server_socket";

// Making an account runs Argon2id with 64 MiB, and a test has up to three of them.
vi.setConfig({ testTimeout: 40_000, hookTimeout: 40_000 });

/** What the tabs of one browser share besides the store: locks and channels. */
class Browser {
  private readonly holders = new Map<string, Promise<void>>();
  private readonly channels = new Set<BrowserChannel>();

  channel = (name: string): Channel => {
    const channel = new BrowserChannel(name, this.channels);
    this.channels.add(channel);
    return channel;
  };

  lock = async (name: string, signal: AbortSignal, work: () => Promise<void>): Promise<void> => {
    const before = this.holders.get(name) ?? Promise.resolve();
    const held = before.then(() => {
      if (signal.aborted) throw new DOMException("given up", "AbortError");
      return work();
    });
    this.holders.set(
      name,
      held.catch(() => undefined),
    );
    await held;
  };
}

class BrowserChannel implements Channel {
  onmessage: ((event: { data: unknown }) => void) | null = null;

  constructor(
    private readonly name: string,
    private readonly all: Set<BrowserChannel>,
  ) {}

  postMessage(message: unknown): void {
    const data: unknown = structuredClone(message);
    for (const other of this.all) {
      if (other === this || other.name !== this.name) continue;
      setImmediate(() => {
        if (this.all.has(other)) other.onmessage?.({ data });
      });
    }
  }

  close(): void {
    this.all.delete(this);
  }
}

export class World {
  readonly clock = new Clock();
  readonly server = new Server(this.clock);
  private readonly people: Person[] = [];

  /** Add a person with one open tab, enrolled and online. */
  async person(name: string): Promise<Person> {
    const person = this.newcomer(name);
    await person.open();
    await person.online();
    return person;
  }

  /** Add a person who has not opened the page yet. */
  newcomer(name: string): Person {
    const person = new Person(this, this.server.addAccount(name), name);
    this.people.push(person);
    return person;
  }

  /** The same person in front of a browser that has nothing of theirs. */
  elsewhere(person: Person): Person {
    const other = new Person(this, person.id, `${person.name} elsewhere`, new IDBFactory());
    this.people.push(other);
    return other;
  }

  /** Add people who are all friends of the first. */
  async friends(...names: string[]): Promise<Person[]> {
    const people = await Promise.all(names.map((name) => this.person(name)));
    for (const other of people.slice(1)) this.server.befriend(people[0]!.id, other.id);
    return people;
  }

  async end(): Promise<void> {
    await Promise.all(this.people.map((person) => person.closeAll()));
  }
}

/** A page with its engine. */
export class Page {
  seen: Snapshot = {};
  readonly tab: Tab;
  private commands = 0;
  private readonly asked = new Map<number, PromiseWithResolversLike>();

  constructor(platform: Platform, userId: Id) {
    const boot = { origin: "https://chat.example", csrfToken: "t", userId, language: "en" as const };
    this.tab = new Tab(platform, boot, (message) => this.hear(structuredClone(message)));
  }

  private hear(message: FromEngine): void {
    if (message.type === "snapshot") this.seen = { ...this.seen, ...message.snapshot };
    else if (message.type === "done") this.asked.get(message.id)?.resolve(message.result);
    else this.asked.get(message.id)?.reject(new Refusal(message.failure));
  }

  ask<C extends CommandName>(name: C, args: Args<C>): Promise<Result<C>> {
    this.commands += 1;
    const id = this.commands;
    return new Promise<Result<C>>((resolve, reject) => {
      this.asked.set(id, { resolve: (value) => resolve(value as Result<C>), reject });
      this.tab.handle({ type: "command", id, name, args } as never);
    });
  }

  get texts(): string[] {
    return (this.seen.timeline?.items ?? [])
      .filter((item) => item.messageId !== null)
      .map((item) => item.text);
  }

  get states(): (string | null)[] {
    return (this.seen.timeline?.items ?? [])
      .filter((item) => item.messageId !== null && item.mine)
      .map((item) => item.state);
  }

  get kinds(): string[] {
    return (this.seen.timeline?.items ?? []).map((item) => item.kind);
  }
}

interface PromiseWithResolversLike {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export class Person {
  session: Session;
  page!: Page;
  readonly pages: Page[] = [];
  private browser = new Browser();
  socket: ServerSocket | null = null;

  constructor(
    readonly world: World,
    readonly id: Id,
    readonly name: string,
    /** What this browser keeps; people on their first browser share one store. */
    private readonly stores: IDBFactory | null = null,
  ) {
    this.session = { user: id, device: null };
  }

  private platform(): Platform {
    const { clock, server } = this.world;
    return {
      now: () => clock.now(),
      random: () => 0,
      after: (ms, work) => clock.after(ms, work),
      fetch: server.fetchFor(this.session),
      openSocket: () => {
        this.socket = new ServerSocket(server, this.session);
        return this.socket;
      },
      channel: this.browser.channel,
      lock: this.browser.lock,
    };
  }

  /** Open another tab; it becomes the one that `ask` and `show` talk to. */
  async open(): Promise<Page> {
    const page = new Page(this.platform(), this.id);
    this.page = page;
    this.pages.push(page);
    await this.withStores(() => page.tab.start());
    return page;
  }

  /** Stores are opened by their global name: no other browser may open one meanwhile. */
  private async withStores<T>(work: () => Promise<T>): Promise<T> {
    const before = globalThis.indexedDB;
    if (this.stores) globalThis.indexedDB = this.stores;
    try {
      return await work();
    } finally {
      globalThis.indexedDB = before;
    }
  }

  /** Sign in again, after the server ended the login. */
  signIn(): void {
    this.session = { user: this.id, device: null };
  }

  /** Write the recovery key down, as the screen shows it. */
  async words(): Promise<string> {
    return (await this.ask("recovery_show", {})).words;
  }

  /** Open the page and give the recovery key; resolves when this browser is online. */
  async restore(secret: string): Promise<void> {
    await this.open();
    await until(() => this.page.seen.phase === "no_keys_here", `${this.name} is not asked for it`);
    await this.ask("restore", { secret });
    await this.online();
  }

  /** What a browser that waits to be linked hears next, the clock moving on meanwhile. */
  async linkNews(): Promise<string> {
    let news = "";
    void this.ask("link_wait", {}).then(
      ({ state }) => (news = state),
      (refusal: unknown) => (news = (refusal as { code: string }).code),
    );
    await until(async () => {
      await this.world.clock.advance(LINK_POLL_MS);
      await turn();
      return news !== "";
    }, `${this.name} hears nothing`);
    return news;
  }

  async online(): Promise<void> {
    await until(
      () => this.page.seen.phase === "ready" && this.page.seen.connection?.state === "online",
      `${this.name} does not come online: ${JSON.stringify(this.page.seen.phase)}`,
    );
    await until(() => this.page.seen.friends !== undefined, "friends never came");
  }

  async close(page: Page = this.page): Promise<void> {
    this.pages.splice(this.pages.indexOf(page), 1);
    await page.tab.close();
  }

  async closeAll(): Promise<void> {
    for (const page of [...this.pages]) await this.close(page);
  }

  /** Close everything and open the page again: only what is stored is left. */
  async reload(): Promise<void> {
    await this.closeAll();
    this.browser = new Browser();
    await this.open();
  }

  ask<C extends CommandName>(name: C, args: Args<C>): Promise<Result<C>> {
    return this.page.ask(name, args);
  }

  /** Open the direct room with somebody and show it. */
  async talkTo(other: Person): Promise<Id> {
    const { roomId } = await this.ask("room_open_direct", { userId: other.id });
    await this.show(roomId);
    return roomId;
  }

  async show(roomId: Id): Promise<void> {
    await until(() => this.room(roomId) !== undefined, `${this.name} never got the room`);
    await this.ask("room_show", { roomId });
  }

  room(roomId: Id) {
    return this.page.seen.rooms?.find((room) => room.roomId === roomId);
  }

  async say(roomId: Id, text: string): Promise<Id> {
    return (await this.ask("message_send", { roomId, text })).messageId;
  }

  /** Wait until these texts, and no others, are on screen. */
  async sees(...texts: string[]): Promise<void> {
    await until(
      () => JSON.stringify(this.page.texts) === JSON.stringify(texts),
      `${this.name} sees other texts`,
    ).catch((error: unknown) => {
      const seen = JSON.stringify(this.page.seen.timeline?.items.map((item) => [item.kind, item.text, item.state, item.failure, item.unreadable]));
      throw new Error(`${String(error)}: ${seen}, not ${JSON.stringify(texts)}`);
    });
  }

  /** Wait until the newest own message on screen has this state. */
  async lastIs(state: string): Promise<void> {
    await until(() => this.page.states.at(-1) === state, `${this.name}'s last is not ${state}`);
  }

  /** Wait until all own messages on screen have this state. */
  async allAre(state: string): Promise<void> {
    await until(
      () => this.page.states.length > 0 && this.page.states.every((own) => own === state),
      `${this.name} has messages that are not ${state}`,
    );
  }

  get database(): string {
    return databaseName(this.id);
  }
}
