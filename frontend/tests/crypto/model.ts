/**
 * Three people with two devices each in one room: whatever is drawn happens, and is written down.
 * The twin of tests/crypto_client/model.py; numbers pick one of what there is.
 */
import { commitAdd, commitRefresh, commitRemove, commitRotation, createGroup } from "../../src/crypto/committing";
import { textBody } from "../../src/crypto/body";
import { type SignedDeviceList, listHash, listWith, listWithout, parseDeviceList } from "../../src/crypto/device_list";
import { hex } from "../../src/crypto/encoding";
import { parseEnvelope, sealMessage } from "../../src/crypto/envelope";
import { deviceEntry } from "../../src/crypto/identity";
import { parseOps } from "../../src/crypto/ops";
import { encodeRoster, roomOf } from "../../src/crypto/roster";
import { makeLeave } from "../../src/crypto/statements";
import { NOW, World } from "./cast";
import { nameOf } from "./model_reader";
import { type Device, ModelRoom, NAMES, type Name, isNeededBy, pick, written } from "./model_room";

/** A room in which people do what is drawn, over a network that does what is drawn. */
export class Model extends ModelRoom {
  static async begin(): Promise<Model> {
    const cast = await World.of(...NAMES);
    const both = [cast.get("alice").devices, cast.get("bob").devices];
    const first = await createGroup(cast.committer("alice"), both, { title: "model" });
    const [create] = parseOps(first.ops);
    if (create?.op !== "create") throw new RangeError("a room begins with one create");
    const model = new Model(cast, roomOf(create.origin));
    for (const name of NAMES) await model.addDevices(name);
    await model.append(first);
    return model;
  }

  // What people do

  async send(who: number): Promise<void> {
    const device = pick(who, this.present());
    await this.follow(device);
    const state = device.reader.kept.epochs.get(this.newest.epoch)!;
    const number = this.texts.size;
    const msgId = Uint8Array.from({ length: 16 }, (_, at) => (at === 15 ? number : 0));
    const options = { msgId, time: NOW };
    const { envelope } = await sealMessage(state, device.keys, textBody(`number ${number}`), options);
    this.texts.set(nameOf(device.keys.device, msgId), `number ${number}`);
    await this.append(envelope);
    await this.deliverAt(device, device.pending.length - 1);
  }

  async rotate(who: number): Promise<void> {
    const by = await this.by(pick(who, this.present()));
    await this.append(await commitRotation(this.newest, by));
  }

  async add(who: number): Promise<void> {
    const absent = NAMES.filter((name) => !this.rowOf(name));
    if (absent.length === 0) return;
    const list = this.lists.get(pick(who, absent))!;
    await this.append(await commitAdd(this.newest, [list], await this.by(this.admin())));
  }

  async remove(who: number): Promise<void> {
    const members = NAMES.filter((name) => name !== "alice" && this.rowOf(name));
    if (members.length === 0) return;
    const { user } = this.cast.get(pick(who, members)).account;
    await this.append(await commitRemove(this.newest, user, await this.by(this.admin())));
  }

  /** Somebody leaves with a statement, and another person's device commits it. */
  async leave(who: number): Promise<void> {
    const leavers = this.present().filter(({ owner }) => owner !== "alice");
    if (leavers.length === 0) return;
    const leaver = pick(who, leavers);
    const { user, joinedEpoch } = this.rowOf(leaver.owner)!;
    const statement = await makeLeave(leaver.keys, this.room, joinedEpoch);
    const others = this.present().filter(({ owner }) => owner !== leaver.owner);
    const by = await this.by(pick(who, others));
    await this.append(await commitRemove(this.newest, user, by, statement));
  }

  /** A person's second device is listed, and brings itself in where the person is a member. */
  async link(who: number): Promise<void> {
    const single = NAMES.filter((name) => this.versionOf(name) === 1);
    if (single.length === 0) return;
    const name = pick(who, single);
    const [, second] = this.devicesOf(name);
    const { account } = this.cast.get(name);
    const list = listWith(account, this.lists.get(name)!, deviceEntry(second!.keys), { time: NOW });
    await this.publish(name, list, second!);
  }

  /** One of two devices is dropped from the list; the other one commits that. */
  async revoke(who: number): Promise<void> {
    const double = NAMES.filter((name) => this.versionOf(name) === 2);
    if (double.length === 0) return;
    const name = pick(who, double);
    const lost = pick(Math.floor(who / 3), this.devicesOf(name));
    const other = pick(0, this.devicesOf(name).filter((one) => one !== lost));
    const { account } = this.cast.get(name);
    const list = listWithout(account, this.lists.get(name)!, lost.keys.device, { time: NOW });
    await this.publish(name, list, other);
  }

  private versionOf(name: Name): number {
    return parseDeviceList(this.lists.get(name)!.data).version;
  }

  private devicesOf(name: Name): Device[] {
    return this.devices.filter(({ owner }) => owner === name);
  }

  private async publish(name: Name, list: SignedDeviceList, by: Device): Promise<void> {
    this.lists.set(name, list);
    this.knownLists.set(hex(listHash(list)), list);
    if (this.rowOf(name)) await this.append(await commitRefresh(this.newest, [list], await this.by(by)));
  }

  // What the network and the machines do

  /** Two devices commit on one head: one wins, and the loser's commit is shown to somebody. */
  async race(one: number, other: number): Promise<void> {
    const present = this.present();
    const lost = await commitRotation(this.newest, await this.by(pick(other, present)));
    await this.append(await commitRotation(this.newest, await this.by(pick(one, present))));
    const reader = pick(one + other, this.present());
    await this.follow(reader);
    const [outcome] = await this.bring(reader, this.commits.push(written(lost)) - 1);
    if (outcome !== "fork") throw new Error("a second commit for an epoch is no fork");
  }

  async deliver(who: number, at: number): Promise<void> {
    const device = pick(who, this.devices);
    if (device.pending.length > 0) await this.deliverAt(device, at % device.pending.length);
  }

  async repeat(who: number, at: number): Promise<void> {
    await this.bring(pick(who, this.devices), pick(at, this.log));
  }

  /** A message does not get through, for now; a client fetches commits until it has them. */
  drop(who: number, at: number): void {
    const device = pick(who, this.devices);
    const lost = device.pending.filter((index) => !isNeededBy(device, this.log[index]!));
    if (lost.length === 0) return;
    const gone = pick(at, lost);
    device.pending = device.pending.filter((index) => index !== gone);
  }

  keep(who: number): void {
    const device = pick(who, this.devices);
    device.backups.push(device.reader.kept.copy());
    this.steps.push({ device: device.at, keep: true, came: ["kept"] });
  }

  /** A device comes back with an older store, and is given the whole log again. */
  restart(who: number, at: number): void {
    const device = pick(who, this.devices);
    const chosen = at % device.backups.length;
    device.reader.kept = device.backups[chosen]!.copy();
    device.pending = [...this.log.keys()];
    this.steps.push({ device: device.at, back_to: chosen, came: ["back"] });
  }

  // What must hold

  /** Equal chains are equal rosters, no outsider opens an epoch, and words are true. */
  check(): void {
    const rosters = new Map<string, string>();
    for (const { keys, reader } of this.devices) {
      const { view, epochs, shown } = reader.kept;
      if (view) {
        const [head, roster] = [hex(view.head), hex(encodeRoster(view.roster))];
        if ((rosters.get(head) ?? roster) !== roster) throw new Error("one chain, two rosters");
        rosters.set(head, roster);
      }
      for (const { chains } of epochs.values()) {
        if (!chains.has(hex(keys.device))) throw new Error("an outsider has an epoch");
      }
      for (const [name, words] of shown) {
        if (this.texts.get(name) !== words) throw new Error("other words than were written");
      }
    }
  }

  /** Everybody gets the whole log: what was written to a device that was in is readable. */
  async finish(): Promise<void> {
    for (const device of this.devices) {
      device.pending = [...this.log.keys()];
      await this.catchUp(device);
      for (const item of this.log) {
        if (typeof item !== "number" && !isReadable(device, item)) throw new Error("a message is lost");
      }
    }
    this.check();
  }
}

function isReadable({ reader }: Device, item: Uint8Array): boolean {
  const { epoch, device, msgId, n } = parseEnvelope(item).header.pre;
  const state = reader.kept.epochs.get(epoch);
  if (!state) return true;
  const cut = state.chains.get(hex(device))?.cut ?? null;
  return (cut !== null && n >= cut) || reader.kept.shown.has(nameOf(device, msgId));
}
