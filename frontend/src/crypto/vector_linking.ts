/** The operations of vectors on linking a device; see vector_runner.ts. */
import { listHash } from "./device_list";
import { EMPTY, hex } from "./encoding";
import { checkFirstPrekey, compareNumber, linkId, openOffer, readShortCode } from "./link_offer";
import {
  type GaveUp,
  type Linked,
  type Waiting,
  codeHash,
  finishLink,
  parseCode,
  scanCode,
} from "./linking";
import type { Operation, Ruled } from "./vector_operations";
import { type Bytes, type Of, raw, text } from "./vector_values";

function scan(v: Of<"code" | "xw_pub" | "user" | "amk_pub"> & { origin: string; used: Bytes[] }): Ruled {
  const whose = { user: raw(v.user), amkPub: raw(v.amk_pub), origin: v.origin, now: 0 };
  const used = new Set(v.used.map((hash) => hex(raw(hash))));
  const state = scanCode(raw(v.code), raw(v.xw_pub), { ...whose, used });
  if (state.state === "gave up") return [state.outcome, {}];
  return ["ok", { device: text(state.code.device), code_hash: text(codeHash(state.code)) }];
}

interface FinishIn extends Of<"code" | "xw_seed"> {
  made: number;
  now: number;
  answers: Bytes[];
}

function finish(v: FinishIn): Ruled {
  const code = parseCode(raw(v.code));
  const { user, amkPub, device, dskPub, accept } = code;
  const signingKey = { kind: "seed", seed: EMPTY, publicHalf: dskPub } as const;
  const keys = { user, amkPub, device, dskPub, accept, signingKey, created: 0 };
  let state: Waiting | Linked | GaveUp = {
    state: "waiting",
    keys,
    code,
    xwSeed: raw(v.xw_seed),
    made: v.made,
  };
  for (const answer of v.answers) state = finishLink(state, raw(answer), { now: v.now });
  if (state.state !== "linked") return [state.state === "gave up" ? state.outcome : "ok", {}];
  const pins = state.pins.map((pin) => [
    text(pin.user),
    text(pin.amkPub),
    pin.version,
    text(pin.listHash),
  ]);
  const { devices, head, backupSeed } = state;
  const told = { head: text(head), pins, backup_seed: text(backupSeed) };
  return ["ok", { list_hash: text(listHash(devices)), ...told }];
}

function short(v: { text: string }): Ruled {
  const secret = readShortCode(v.text);
  return ["ok", { secret: text(secret), link_id: text(linkId(secret)) }];
}

function offer(v: Of<"user" | "offer"> & { short: string; now: number }): Ruled {
  const found = openOffer(readShortCode(v.short), raw(v.offer), raw(v.user));
  const code = parseCode(found.code);
  checkFirstPrekey({ state: "asking", code, xwPub: found.xwPub, read: v.now }, found.prekey);
  const told = { code: text(found.code), xw_pub: text(found.xwPub) };
  return ["ok", { ...told, prekey: text(found.prekey.data), compare: compareNumber(code) }];
}

export const LINK_OPERATIONS: Readonly<Record<string, Operation>> = {
  link_scan: scan,
  link_finish: finish,
  link_short: short,
  link_offer: offer,
};
