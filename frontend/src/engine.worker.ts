/** The Worker of the page: holds the keys, the store and the socket (engine/contract.ts). */
import type { FromEngine, ToEngine } from "./engine/contract";
import { browserPlatform } from "./engine/platform";
import { Tab } from "./engine/tab";

const scope = self as unknown as DedicatedWorkerGlobalScope;
let tab: Tab | null = null;

scope.onmessage = ({ data }: MessageEvent<ToEngine>) => {
  if (data.type !== "boot") {
    tab?.handle(data);
    return;
  }
  if (tab) return;
  tab = new Tab(browserPlatform, data.boot, (message: FromEngine) => scope.postMessage(message));
  void tab.start();
};
