/** How the in-memory server lets an account start again. */
import { checkVeto } from "../../src/crypto/account_statements";
import { parseDeviceList } from "../../src/crypto/device_list";
import { decodeBase64url, encodeBase64url } from "../../src/crypto/encoding";
import { ACCOUNT_RESET } from "../../src/crypto/key_log";
import { KEY_WAS_REPLACED, encodeStatement, makeServerRemove } from "../../src/crypto/statements";
import { RESET_WAIT_MS, parseReset, resetId } from "../../src/crypto/succession";
import type { Id } from "../../src/engine/contract";
import { idBytes } from "../../src/engine/ids";
import type { FormerKeyJson, FormerRecoveryJson } from "../../src/engine/wire";
import type { Account } from "./server_accounts";
import { type Asked, Problem } from "./server_asked";
import type { ServerKeyLog } from "./server_key_log";
import type { ServerRoom } from "./server_rooms";

export const PASSWORD = "the password of everybody";

/** What starting again touches of the server. */
export interface Touched {
  readonly clock: { now(): number };
  readonly rooms: ReadonlyMap<Id, ServerRoom>;
  keyLogNow(): ServerKeyLog;
  account(id: Id): Account;
  devicesOf(user: Id): Id[];
  enrol(asked: Asked): unknown;
  listChanged(user: Id, dropped: readonly Id[]): void;
  tellUser(user: Id, frame: Record<string, unknown>): void;
}

interface Waiting {
  reset: string;
  reset_sig: string;
  announced: number;
}

export class ServerResets {
  readonly waiting = new Map<Id, Waiting>();
  readonly former = new Map<Id, FormerKeyJson[]>();
  readonly recoveries = new Map<Id, FormerRecoveryJson[]>();

  constructor(private readonly server: Touched) {}

  private json(user: Id): unknown {
    const found = this.waiting.get(user);
    if (!found) return { reset: null };
    const { reset, reset_sig, announced: announced_ms } = found;
    const due_ms = announced_ms + RESET_WAIT_MS;
    const state = this.server.clock.now() >= due_ms ? "due" : "waiting";
    const reset_id = encodeBase64url(resetId({ data: decodeBase64url(reset), sig: new Uint8Array(0) }));
    return { reset: { reset_id, reset, reset_sig, state, announced_ms, due_ms, lapses_ms: due_ms } };
  }

  /** Let what was announced be 72 hours old. */
  letPass(): void {
    for (const found of this.waiting.values()) found.announced -= RESET_WAIT_MS;
  }

  private open(user: Id): Waiting {
    const found = this.waiting.get(user);
    if (!found) throw new Problem("not_found", 404);
    return found;
  }

  private end(user: Id): null {
    this.open(user);
    this.waiting.delete(user);
    this.server.tellUser(user, { event: "reset.changed" });
    return null;
  }

  private begin({ user, body }: Asked): unknown {
    const { password, reset, reset_sig } = body as Record<"password" | "reset" | "reset_sig", string>;
    if (password !== PASSWORD) throw new Problem("password", 403);
    if (this.waiting.has(user)) throw new Problem("reset_exists", 409);
    this.waiting.set(user, { reset, reset_sig, announced: this.server.clock.now() });
    this.server.tellUser(user, { event: "reset.changed" });
    return this.json(user);
  }

  private veto({ user, body }: Asked): null {
    const signed = { data: decodeBase64url(this.open(user).reset), sig: new Uint8Array(0) };
    const list = this.server.account(user).lists.at(-1)!.device_list;
    const veto = decodeBase64url(body["veto"] as string);
    checkVeto(veto, resetId(signed), parseDeviceList(decodeBase64url(list)));
    return this.end(user);
  }

  private complete(asked: Asked): unknown {
    const { user } = asked;
    const { reset, reset_sig, announced } = this.open(user);
    if (this.server.clock.now() < announced + RESET_WAIT_MS) throw new Problem("reset_waiting", 409);
    const account = this.server.account(user);
    const dropped = this.server.devicesOf(user);
    const former = { account_key: account.accountKey!, reset, reset_sig, lists: account.lists };
    this.former.set(user, [...(this.former.get(user) ?? []), former]);
    const { recovery, carries } = account;
    const blob = { account_key: account.accountKey!, ...recovery!, carries };
    this.recoveries.set(user, [...(this.recoveries.get(user) ?? []), blob]);
    Object.assign(account, { accountKey: null, lists: [], carries: [], recoveryVersion: 1 });
    account.prekeys.clear();
    const id = resetId({ data: decodeBase64url(reset), sig: new Uint8Array(0) });
    this.server.keyLogNow().add(user, id, { kind: ACCOUNT_RESET });
    const answer = this.server.enrol(asked);
    for (const room of this.server.rooms.values()) {
      for (const row of room.records) if (row.user === user) row.isFormer = true;
      this.endStay(room, user, reset);
    }
    this.end(user);
    this.server.listChanged(user, dropped);
    return answer;
  }

  private endStay(room: ServerRoom, user: Id, reset: string): void {
    if (!room.isMember(user)) return;
    const ended = room.kind === "direct" ? room.members : [user];
    const others = room.members.filter((id) => !ended.includes(id));
    const joinedEpoch = room.stays.get(user)!.joined;
    for (const id of ended) {
      const stay = room.stays.get(id)!;
      room.stays.set(id, { ...stay, last: room.head.epoch });
      this.server.tellUser(id, { event: "room.removed", room_id: room.id });
    }
    if (room.kind === "direct") return;
    const { amkOld: amkPub } = parseReset(decodeBase64url(reset));
    const subject = { room: idBytes(room.id), user: idBytes(user), amkPub, joinedEpoch };
    const why = { time: this.server.clock.now(), reason: KEY_WAS_REPLACED };
    const statement = makeServerRemove(this.server.keyLogNow().seed, subject, why);
    const leaving = { joined_epoch: joinedEpoch, statement: encodeBase64url(encodeStatement(statement)) };
    room.leaving.set(user, leaving);
    for (const id of others) {
      this.server.tellUser(id, { event: "member.left", room_id: room.id, user_id: user });
    }
  }

  readonly handlers: Record<string, (asked: Asked) => unknown> = {
    "GET me/former-recovery": ({ user, session }) => {
      if (!session.device) throw new Problem("device_required", 403);
      return { former: this.recoveries.get(user) ?? [] };
    },
    "GET me/reset": ({ user }) => this.json(user),
    "POST me/reset": (asked) => this.begin(asked),
    "DELETE me/reset": ({ user }) => this.end(user),
    "POST me/reset/veto": (asked) => this.veto(asked),
    "POST me/reset/complete": (asked) => this.complete(asked),
  };
}
