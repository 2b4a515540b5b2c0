/**
 * This browser, which has no keys, is linked by another device of its account (docs/protocol.md
 * §3.8). An attempt lives in memory alone: a closed tab ends it.
 */
import { decodeBase64url, encodeBase64url } from "../crypto/encoding";
import { compareNumber, linkId, newScreenSecret, sealOffer, shortCode } from "../crypto/link_offer";
import { type Waiting, beginLink, finishLink } from "../crypto/linking";
import { type SignedPrekey, newPrekey } from "../crypto/prekeys";
import type { Api } from "./api";
import type { Id, Result } from "./contract";
import { idBytes, idOf } from "./ids";
import { canonicalOrigin } from "./keys";
import { keepLinked } from "./linked";
import { type Platform, pause } from "./platform";
import { Refusal, refuse } from "./refusal";
import type { Store } from "./store/store";
import type { LinkJson, MeJson } from "./wire";

export const LINK_POLL_MS = 2000;

interface Attempt {
  readonly path: string;
  readonly waiting: Waiting;
  readonly prekey: SignedPrekey;
  readonly prekeySeed: Uint8Array;
  readonly untilMs: number;
  isTaken: boolean;
}

/** What linking needs of a browser that has no keys. */
export interface LinkParts {
  readonly store: Store;
  readonly api: Api;
  readonly platform: Platform;
  readonly origin: string;
  /** Run `work` while nothing else makes this browser a device; `forbidden` when it is one. */
  alone(work: () => Promise<void>): Promise<void>;
}

export class LinkHere {
  private attempt: Attempt | null = null;

  constructor(private readonly parts: LinkParts) {}

  /** Begin an attempt; the one before is given up. Refuses `link_busy` (docs/wire.md §2). */
  async show(): Promise<Result<"link_show">> {
    await this.cancel();
    const { store, api, platform, origin } = this.parts;
    const me = await api.get<MeJson>("/api/me");
    if (me.account_key === null) throw refuse("keys_missing");
    const [user, amkPub] = [idBytes(store.userId), decodeBase64url(me.account_key, 32)];
    const now = platform.now();
    const waiting = await beginLink({ user, amkPub, origin: canonicalOrigin(origin) }, { now });
    const { seed: prekeySeed, prekey } = await newPrekey(waiting.keys, { seq: 1, created: now });
    const secret = newScreenSecret();
    const link: Id = idOf(linkId(secret));
    const offer = encodeBase64url(sealOffer(secret, waiting, prekey));
    const { left_ms: leftMs } = await api.post<LinkJson>("/api/me/links", { link_id: link, offer });
    const untilMs = now + leftMs;
    this.attempt = { path: `/api/me/links/${link}`, waiting, prekey, prekeySeed, untilMs, isTaken: false };
    return { code: shortCode(secret), compare: compareNumber(waiting.code), leftMs };
  }

  /**
   * Wait for news of the attempt: `taken` once, then `linked`. Refuses `link_gone` when either
   * side gave up, `link_expired`, and `link_untrue` for an answer by who did not see the screen.
   */
  async wait(): Promise<Result<"link_wait">["state"]> {
    const { attempt } = this;
    if (!attempt) throw refuse("link_gone");
    while (this.attempt === attempt) {
      const box = await this.look(attempt);
      if (box?.answer) {
        await this.finish(attempt, box.answer);
        return "linked";
      }
      if (box?.is_taken && !attempt.isTaken) {
        attempt.isTaken = true;
        return "taken";
      }
      await pause(this.parts.platform, LINK_POLL_MS);
    }
    throw refuse("link_gone");
  }

  /** Look into the box; null when the server could not be asked this time. */
  private async look(attempt: Attempt): Promise<LinkJson | null> {
    const isOver = this.parts.platform.now() > attempt.untilMs;
    try {
      return await this.parts.api.get<LinkJson>(attempt.path);
    } catch (error) {
      const isLost = error instanceof Refusal && error.retryable && !isOver;
      if (isLost) return null;
      if (this.attempt === attempt) this.attempt = null;
      if (!(error instanceof Refusal)) throw error;
      throw error.code === "not_found" || error.retryable
        ? refuse(isOver ? "link_expired" : "link_gone")
        : error;
    }
  }

  /** Take the answer; whatever is wrong with it, there is no second one. */
  private async finish(attempt: Attempt, answer: string): Promise<void> {
    if (this.attempt !== attempt) throw refuse("link_gone");
    this.attempt = null;
    const { store, api, platform } = this.parts;
    const { waiting, prekey, prekeySeed } = attempt;
    try {
      const linked = finishLink(waiting, decodeBase64url(answer), { now: platform.now() });
      if (linked.state !== "linked") throw refuse("link_untrue");
      const first = { prekey, seed: prekeySeed, now: waiting.made };
      await this.parts.alone(() => keepLinked({ store, api }, linked, first));
    } finally {
      await this.close(attempt);
    }
  }

  /** Give the attempt up. */
  async cancel(): Promise<void> {
    const { attempt } = this;
    this.attempt = null;
    if (attempt) await this.close(attempt);
  }

  /** Empty the server's box; it runs out by itself when this is not heard. */
  private async close(attempt: Attempt): Promise<void> {
    try {
      await this.parts.api.delete(attempt.path);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }
}
