/** A person's name, signed by one of their devices (docs/protocol.md §3.7). */
import { type DeviceList, entryOf } from "./device_list";
import {
  ID_SIZE,
  KEY_SIZE,
  SUITE_BYTE,
  compareBytes,
  equalBytes,
  lp,
  typedFields,
  u64,
  uint,
  utf8,
} from "./encoding";
import { ProtocolError } from "./errors";
import { type DeviceKeys, signAsDevice } from "./identity";
import { h, verify } from "./primitives";
import { type JsonValue, dumpJson, isJsonObject, parseJson } from "./strict_json";

const MAX_PROFILE = 4096;
const MAX_NAME = 256;
const MAX_STATUS = 1024;
// eslint-disable-next-line no-control-regex -- control characters are what is refused
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** A profile as it travels: the bytes as received, and the signature of one device. */
export interface SignedProfile {
  readonly data: Uint8Array;
  readonly device: Uint8Array;
  readonly sig: Uint8Array;
}

/** The newest profile that this client has verified for an account. */
export interface KnownProfile {
  readonly version: number;
  readonly profileHash: Uint8Array;
}

/** A profile that has been read. */
export interface Profile {
  readonly user: Uint8Array;
  readonly amkPub: Uint8Array;
  readonly version: number;
  readonly time: number;
  readonly name: string;
  readonly status: string;
}

/** What a device says about its owner. */
export interface ProfileWords {
  readonly version: number;
  readonly time: number;
  readonly name: string;
  readonly status?: string;
}

/** Sign a profile as this device; `version` is one more than the newest known. */
export async function makeProfile(
  keys: DeviceKeys,
  { version, time, name, status = "" }: ProfileWords,
): Promise<SignedProfile> {
  const { user, amkPub, device } = keys;
  const body = dumpJson({ name, status });
  const data = lp(utf8("profile"), SUITE_BYTE, user, amkPub, u64(version), u64(time), body);
  parseProfile(data);
  return { data, device, sig: await signAsDevice(keys, "profile", h("profile", data)) };
}

/** Read a profile without believing it; `parse`, `suite` or `body` for another shape. */
export function parseProfile(data: Uint8Array): Profile {
  const sizes = [ID_SIZE, KEY_SIZE, 8, 8, null] as const;
  const [user, amkPub, version, time, body] = typedFields(data, "profile", sizes);
  if (uint(version) === 0 || body.length > MAX_PROFILE) {
    throw new ProtocolError("parse", "a profile has a number and at most 4,096 bytes");
  }
  const members = parseJson(body);
  if (!isJsonObject(members)) throw new ProtocolError("body", "a profile is an object");
  const { name: called, status: says = "" } = members;
  const name = line(called, MAX_NAME);
  const status = line(says, MAX_STATUS);
  if (name === "") throw new ProtocolError("body", "a profile has a name");
  return { user, amkPub, version: uint(version), time: uint(time), name, status };
}

function line(value: JsonValue | undefined, maximum: number): string {
  if (typeof value !== "string" || utf8(value).length > maximum) {
    throw new ProtocolError("body", "a name or status is a string of limited length");
  }
  if (CONTROL.test(value)) throw new ProtocolError("body", "a name or status is one line");
  return value;
}

/** A profile that was accepted, what to remember of it, and whether it is new. */
export interface AcceptedProfile {
  readonly profile: Profile;
  readonly known: KnownProfile;
  readonly changed: boolean;
}

/**
 * Read a profile of the account of `devices`.
 *
 * Refuses `parse`, `suite`, `body`, `pin_mismatch`, `signature` (not by a listed device) and
 * `list_rollback` (older than the known one).
 */
export function acceptProfile(
  signed: SignedProfile,
  devices: DeviceList,
  known: KnownProfile | null,
): AcceptedProfile {
  const profile = parseProfile(signed.data);
  if (!equalBytes(profile.user, devices.user) || !equalBytes(profile.amkPub, devices.amkPub)) {
    throw new ProtocolError("pin_mismatch", "a profile of another account or key");
  }
  const entry = entryOf(devices, signed.device);
  if (!entry) throw new ProtocolError("signature", "a profile by a device that is not listed");
  const profileHash = h("profile", signed.data);
  verify(entry.dskPub, "profile", profileHash, signed.sig);
  const order = known === null ? 1 : orderOf({ version: profile.version, profileHash }, known);
  if (order < 0) throw new ProtocolError("list_rollback", "a profile older than a known one");
  return { profile, known: { version: profile.version, profileHash }, changed: order > 0 };
}

/** Two devices may write one version at once; the greater hash counts, for every reader alike. */
function orderOf(one: KnownProfile, other: KnownProfile): number {
  return one.version - other.version || compareBytes(one.profileHash, other.profileHash);
}
