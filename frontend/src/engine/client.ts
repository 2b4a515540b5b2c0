/** The page's side: the engine of the contract over a Worker. */
import workerUrl from "../engine.worker.ts?worker&url";
import { trustedScriptUrl } from "../ui/trusted";
import type { Args, Boot, CommandName, Engine, FromEngine, Phase, Result, Snapshot, ToEngine } from "./contract";
import { Refusal } from "./refusal";

/** The part of Worker that is used. */
export interface WorkerPort {
  onmessage: ((event: MessageEvent<FromEngine>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
  postMessage(message: ToEngine): void;
}

interface Asked {
  resolve(result: unknown): void;
  reject(refusal: Refusal): void;
}

/** What is missing here, or null: no keys without a secure page, no engine in an old browser. */
export function obstacle(scope: typeof globalThis): Phase | null {
  if (!scope.isSecureContext) return "insecure";
  const hasAll =
    "Worker" in scope &&
    "indexedDB" in scope &&
    "WebAssembly" in scope &&
    "BroadcastChannel" in scope &&
    "locks" in scope.navigator;
  return hasAll ? null : "unsupported";
}

/** Talk to an engine over a port; commands are answered once, by result or `Refusal`. */
export class WorkerEngine implements Engine {
  private commands = 0;
  private readonly asked = new Map<number, Asked>();
  private readonly watchers = new Set<(snapshot: Snapshot) => void>();
  private known: Snapshot = {};

  constructor(
    private readonly port: WorkerPort,
    boot: Boot,
  ) {
    port.onmessage = ({ data }) => this.hear(data);
    port.onerror = () => this.show({ phase: "unsupported" });
    port.postMessage({ type: "boot", boot });
  }

  command<C extends CommandName>(name: C, args: Args<C>): Promise<Result<C>> {
    this.commands += 1;
    const id = this.commands;
    return new Promise<Result<C>>((resolve, reject) => {
      this.asked.set(id, { resolve: (result) => resolve(result as Result<C>), reject });
      this.port.postMessage({ type: "command", id, name, args } as ToEngine);
    });
  }

  watch(onSnapshot: (snapshot: Snapshot) => void): () => void {
    this.watchers.add(onSnapshot);
    onSnapshot(this.known);
    return () => this.watchers.delete(onSnapshot);
  }

  /** Say whether somebody looks at the page. */
  visible(visible: boolean): void {
    this.port.postMessage({ type: "visible", visible });
  }

  private hear(message: FromEngine): void {
    if (message.type === "snapshot") {
      this.show(message.snapshot);
      return;
    }
    const asked = this.asked.get(message.id);
    this.asked.delete(message.id);
    if (message.type === "done") asked?.resolve(message.result);
    else asked?.reject(new Refusal(message.failure));
  }

  private show(snapshot: Snapshot): void {
    this.known = { ...this.known, ...snapshot };
    for (const watcher of this.watchers) watcher(snapshot);
  }
}

/** An engine that cannot run here, and says why. */
function standing(phase: Phase): Engine {
  return {
    command: () => Promise.reject(new Refusal({ code: "storage" })),
    watch: (onSnapshot) => {
      onSnapshot({ phase });
      return () => undefined;
    },
  };
}

/** Once there are keys here, ask the browser not to evict them; only a page may ask. */
function askToPersist(engine: Engine): void {
  const stop = engine.watch(({ phase }) => {
    if (phase !== "ready") return;
    queueMicrotask(() => stop());
    navigator.storage.persist().catch(() => undefined);
  });
}

/** Start the engine of this page. */
export function createEngine(boot: Boot): Engine {
  const phase = obstacle(globalThis);
  if (phase) return standing(phase);
  const worker = new Worker(trustedScriptUrl(workerUrl), { type: "module", name: "gamrae" });
  const engine = new WorkerEngine(worker, boot);
  const wake = () => engine.visible(document.visibilityState === "visible");
  document.addEventListener("visibilitychange", wake);
  window.addEventListener("focus", wake);
  window.addEventListener("online", wake);
  window.addEventListener("offline", wake);
  askToPersist(engine);
  return engine;
}
