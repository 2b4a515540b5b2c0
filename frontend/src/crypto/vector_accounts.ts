/** The operations of vectors on what is said about accounts; see vector_runner.ts. */
import {
  type SeenList,
  checkAutomaticRefresh,
  checkDispute,
  checkErase,
  checkSuspend,
  checkVeto,
} from "./account_statements";
import { parseDeviceList } from "./device_list";
import { acceptProfile } from "./profiles";
import { judgeSuccession, resetId, resetState, verifyReset } from "./succession";
import { type Operation, checked } from "./vector_operations";
import { type Bytes, type Of, type SignedIn, raw, readSigned, text } from "./vector_values";

type SeenIn = [SignedIn, number][];

function readLists(pairs: SeenIn): SeenList[] {
  return pairs.map(([signed, seen]) => ({ signed: readSigned(signed), seen }));
}

interface ResetIn extends SignedIn, Of<"user" | "amk_pub" | "device_list"> {
  veto: Bytes | null;
  announced: number;
  now: number;
  has_live_device: boolean;
}

interface ProfileIn extends SignedIn, Of<"device" | "device_list"> {
  known: { version: number; profile_hash: Bytes } | null;
}

export const ACCOUNT_OPERATIONS: Readonly<Record<string, Operation>> = {
  suspend: (v: Of<"data" | "device_list">) => ({
    device: text(checkSuspend(raw(v.data), parseDeviceList(raw(v.device_list)))),
  }),
  dispute: (v: Of<"data"> & { lists: SeenIn; now: number }) => ({
    version: checkDispute(raw(v.data), readLists(v.lists), { now: v.now }),
  }),
  automatic_refresh: (v: { version: number; disputed: number[] }) =>
    checked(() => {
      checkAutomaticRefresh(v.version, v.disputed);
    }),
  erase: (v: Of<"data" | "room" | "device" | "msg_id" | "device_list">) => {
    const named = { room: raw(v.room), device: raw(v.device), msgId: raw(v.msg_id) };
    return checked(() => {
      checkErase(raw(v.data), named, parseDeviceList(raw(v.device_list)));
    });
  },
  reset: (v: ResetIn) => {
    const signed = readSigned(v);
    verifyReset(signed, raw(v.user), raw(v.amk_pub));
    const id = resetId(signed);
    if (v.veto !== null) checkVeto(raw(v.veto), id, parseDeviceList(raw(v.device_list)));
    const { announced, now, has_live_device: hasLiveDevice } = v;
    const state = resetState({ announced, now, hasLiveDevice, vetoed: v.veto !== null });
    return { state, reset_id: text(id) };
  },
  succession: (v: Of<"data" | "user" | "amk_pub"> & { lists: SeenIn; now: number }) => {
    const whose = { user: raw(v.user), amkOld: raw(v.amk_pub), now: v.now };
    return { change: judgeSuccession(raw(v.data), readLists(v.lists), whose) };
  },
  profile: (v: ProfileIn) => {
    const signed = { ...readSigned(v), device: raw(v.device) };
    const before = v.known && {
      version: v.known.version,
      profileHash: raw(v.known.profile_hash),
    };
    const devices = parseDeviceList(raw(v.device_list));
    const { profile, known, changed } = acceptProfile(signed, devices, before);
    const { name, status, version } = profile;
    return { name, status, version, profile_hash: text(known.profileHash), changed };
  },
};
