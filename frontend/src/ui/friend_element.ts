/** An element about a friend, who may become another one while it is open: it follows the engine. */

import { property } from "lit/decorators.js";
import type { Engine, Friend } from "../engine/contract.ts";
import { LightElement } from "./light.ts";

export class FriendElement extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @property({ attribute: false }) friend!: Friend;
  @property({ attribute: false }) close: () => void = () => undefined;
  private stopWatching: () => void = () => undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.stopWatching = this.engine.watch(({ friends }) => {
      this.friend = friends?.friends.find(({ userId }) => userId === this.friend.userId) ?? this.friend;
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stopWatching();
  }
}
