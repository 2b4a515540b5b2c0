/** An element about somebody, who may become another one while it is open: it follows the engine. */

import { property } from "lit/decorators.js";
import type { Engine, FriendTrust, Person, Snapshot } from "../engine/contract.ts";
import { LightElement } from "./light.ts";

/** A friend, or a fellow member of a room who is none: one can compare with either. */
export interface Known extends Person {
  trust: FriendTrust;
}

function memberIn({ rooms }: Snapshot, userId: string): Partial<Known> | undefined {
  const member = rooms?.flatMap(({ members }) => members).find((one) => one.userId === userId);
  return member?.trust && { nickname: member.nickname, trust: member.trust };
}

export class FriendElement extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @property({ attribute: false }) friend!: Known;
  @property({ attribute: false }) close: () => void = () => undefined;
  private stopWatching: () => void = () => undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.stopWatching = this.engine.watch((snapshot) => {
      const { userId } = this.friend;
      const friend = snapshot.friends?.friends.find((one) => one.userId === userId);
      const news = friend ?? memberIn(snapshot, userId);
      if (news) this.friend = { ...this.friend, ...news };
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stopWatching();
  }
}
