/** Whether a chat keeps its past: asked when it is made, and said in the chat. */

import type { Catalogue } from "./index.ts";

export const history: Catalogue["history"] = {
  title: "Past messages",
  keep: "Keep past messages",
  kept: "A new device of yours shows everything since you joined, and somebody invited later sees what comes after they joined.",
  unkept: "A new device shows nothing from before it was added, and somebody invited later sees what comes after they joined.",
  unkeptSince: "A new device shows nothing that was written since they are not kept, and somebody invited later sees what comes after they joined.",
  oneWay: "Once it is off it cannot be switched on again in this chat.",
  head: "Keeps no past messages",
  beginning: "This chat keeps no past messages. The recovery key does not bring them back either.",
  end: "Stop keeping them",
  endTitle: "Stop keeping past messages?",
  endText: "A device that you add later does not show what was written between now and then, and no recovery key brings it back. What was written so far stays as it is. It cannot be switched on again.",
  ended: "Past messages are not kept from now on",
};
