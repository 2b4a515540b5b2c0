/** Envelopes of members who do not keep to the rules, and a server that stores what it likes. */
import { type Counter } from "../../src/crypto/log_hash";
import { type SeenLog, textBody } from "../../src/crypto/body";
import { decodeBase64url, encodeBase64url } from "../../src/crypto/encoding";
import { parseEnvelope, sealMessage } from "../../src/crypto/envelope";
import { systemRandom } from "../../src/crypto/primitives";
import { Api } from "../../src/engine/api";
import type { Id } from "../../src/engine/contract";
import { idBytes } from "../../src/engine/ids";
import { Keyring } from "../../src/engine/keys";
import { browserPlatform } from "../../src/engine/platform";
import { readEpoch } from "../../src/engine/records";
import { Store } from "../../src/engine/store/store";
import type { LogItem } from "../../src/engine/wire";
import type { Person, World } from "./cast";

export interface Forged {
  readonly n: number;
  readonly msgId?: Uint8Array;
  readonly seen?: SeenLog;
  readonly void?: readonly Counter[];
  /** Of another branch than the sender's own. */
  readonly commitHash?: Uint8Array;
}

/** The same header, and a ciphertext that nobody sealed. */
export function garbageLike(envelope: string): string {
  const data = decodeBase64url(envelope);
  data[data.length - 1]! ^= 1;
  return encodeBase64url(data);
}

export class Forgery {
  constructor(
    private readonly world: World,
    private readonly reader: Id,
    private readonly room: Id,
  ) {}

  /** Seal with any counter of epoch 0, straight from the sender's store; nothing is used up. */
  async seal(
    person: Person,
    text: string,
    { n, msgId = systemRandom(16), commitHash, ...body }: Forged,
  ): Promise<string> {
    const store = await Store.open(person.id, () => undefined);
    const api = new Api(browserPlatform, "https://chat.example", "");
    const origin = "https://chat.example";
    const keyring = await Keyring.load(store, { api, platform: browserPlatform, origin });
    let { state } = (await readEpoch(store, this.room, 0))!;
    const device = keyring!.device;
    for (let at = 0; at < n; at += 1) {
      const options = { msgId: systemRandom(16), time: 1 };
      state = (await sealMessage(state, device, textBody("skipped"), options)).epoch;
    }
    if (commitHash) state = { ...state, commitHash };
    const sealed = await sealMessage(state, device, textBody(text, body), { msgId, time: 1 });
    store.close();
    return encodeBase64url(sealed.envelope);
  }

  private get stamp() {
    const stamp = encodeBase64url(idBytes(this.room));
    return { accepted_ms: this.world.clock.now(), key_id: 1, stamp };
  }

  /** Show it to the reader before it is stored. */
  live(envelope: string): void {
    const frame = { event: "message.live", room_id: this.room, envelope, ...this.stamp };
    this.world.server.tellUser(this.reader, frame);
  }

  /** Store it as an honest archiver does. */
  store(envelope: string): void {
    const serverRoom = this.world.server.room(this.room);
    const item = { kind: "message" as const, envelope, ...this.stamp };
    serverRoom.queue.push({ item, envelope: parseEnvelope(decodeBase64url(envelope)) });
    this.world.server.archive(serverRoom);
  }

  /** Put it at the end of the log, whatever stands there already. */
  append(envelope: string): void {
    this.repeat({ kind: "message", seq: 0, envelope, ...this.stamp });
  }

  /** List an item at the end of the log. */
  repeat(item: LogItem): void {
    const { log } = this.world.server.room(this.room);
    const seq = log.length + 1;
    log.push({ ...item, seq });
    const places = { from: seq, to: seq, ids: [] };
    const frame = { event: "message.stored", room_id: this.room, ...places };
    this.world.server.tellUser(this.reader, frame);
  }
}
