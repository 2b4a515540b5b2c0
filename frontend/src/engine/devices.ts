/** The own devices: which there are, taking one off, and bringing the list into the rooms. */
import {
  type DeviceList,
  entryOf,
  listWithout,
  parseDeviceList,
} from "../crypto/device_list";
import { encodeBase64url } from "../crypto/encoding";
import { ProtocolError } from "../crypto/errors";
import { isDeviceName } from "../crypto/own_room";
import { findMember } from "../crypto/roster";
import { DUE, commitRoom } from "./commits";
import type { Device, Id } from "./contract";
import type { Core } from "./core";
import { idBytes, idOf } from "./ids";
import { readNotes } from "./notes";
import { noteDown } from "./noting";
import type { Outbox } from "./outbox";
import type { People } from "./people";
import { type RecoveryBox, wipeRecovered } from "./recovery";
import { readRoom } from "./records";
import { refuse } from "./refusal";
import type { DeviceJson, MeJson } from "./wire";

/** Give the newest list of the own account that this device has verified. */
async function ownList(people: People, userId: Id): Promise<DeviceList> {
  return parseDeviceList((await people.newestList(idBytes(userId))).data);
}

/** Say whether the own list, the newest that the server tells of, still names a device. */
export async function isOnList(people: People, me: MeJson, device: Uint8Array): Promise<boolean> {
  const user = idBytes(me.user_id);
  const known = (await people.account(user))?.version ?? 0;
  if (me.list_version > known) await refreshOwn(people, me.user_id);
  return entryOf(await ownList(people, me.user_id), device) !== null;
}

/** Say whether the account was started again, so that the keys here are those of before. */
export async function isReplaced(people: People, userId: Id): Promise<boolean> {
  try {
    return (await people.renewedKey(userId)) !== null;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

/** Learn newer own lists; what contradicts those that were verified changes nothing. */
async function refreshOwn(people: People, userId: Id): Promise<void> {
  try {
    await people.refresh(userId);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
}

/** Give the own devices as the signed list names them; only when they were used is the server's word. */
export async function listDevices(core: Core): Promise<Device[]> {
  await core.people.refresh(core.userId);
  const { entries } = await ownList(core.people, core.userId);
  const { devices } = await core.api.get<{ devices: DeviceJson[] }>("/api/devices");
  const used = new Map(devices.map((row) => [row.device_id, row.last_used_ms]));
  const notes = await readNotes(core.store);
  return entries.map(({ device, created }) => {
    const deviceId = idOf(device);
    const isThis = deviceId === core.keyring.deviceId;
    const [name, lastUsedMs] = [notes.deviceName(device), used.get(deviceId) ?? null];
    return { deviceId, name, createdMs: created, lastUsedMs, isThis };
  });
}

/** Name an own device; `not_found` for one that is not listed, `invalid` for a name out of bounds. */
export async function renameDevice(
  core: Core,
  outbox: Outbox,
  { deviceId, name }: { deviceId: Id; name: string },
): Promise<void> {
  const device = idBytes(deviceId);
  if (!entryOf(await ownList(core.people, core.userId), device)) throw refuse("not_found");
  if (!isDeviceName(name)) throw refuse("invalid");
  await noteDown(core, outbox, { about: "device", device, name });
}

/**
 * Take a device off the own list with the recovery key, and give every room a secret that it does
 * not get. Refuses what `RecoveryBox.open` refuses, and `not_found` for one that is not listed.
 */
export async function revokeDevice(
  core: Core,
  box: RecoveryBox,
  { deviceId, secret }: { deviceId: Id; secret: string },
): Promise<void> {
  const { people, userId, keyring } = core;
  if (deviceId === keyring.deviceId) throw refuse("invalid");
  await people.refresh(userId);
  const before = await people.newestList(idBytes(userId));
  const device = idBytes(deviceId);
  if (!entryOf(parseDeviceList(before.data), device)) throw refuse("not_found");
  const recovered = await box.open(secret, keyring.device.amkPub);
  const list = listWithout(recovered.account, before, device, { time: core.platform.now() });
  wipeRecovered(recovered);
  await core.api.post("/api/me/device-lists", {
    device_list: encodeBase64url(list.data),
    list_sig: encodeBase64url(list.sig),
    prekeys: [],
  });
  await people.refresh(userId);
  core.changed({ me: true });
}

/**
 * Commit the own newest device list where a room's roster names an older one: a new device comes
 * in by it, a dropped one goes. In the room's lane.
 */
export async function bringOwnList(core: Core, roomId: Id): Promise<void> {
  const record = (await readRoom(core.store, roomId))?.record;
  const user = idBytes(core.userId);
  const row = record?.view ? findMember(record.view.roster, user) : null;
  if (!record || !row || record.left !== null || record.leaveSent) return;
  if (record.trouble !== "none" && record.trouble !== "getting_keys") return;
  const version = (await core.people.account(user))?.version ?? 0;
  if (version > row.listVersion) await commitRoom(core, roomId, DUE);
}
