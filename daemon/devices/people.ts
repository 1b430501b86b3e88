import { DmError, Status } from "../../tree/errors.ts";
import type { Clock } from "../../tree/ports.ts";
import type { Decision, Device, Member, StoredDevice } from "./device.ts";
import { displayName } from "./device.ts";
import type { Faces } from "./faces.ts";
import { isStrong, keyOf } from "../identity/clues.ts";
import type { Joining } from "./joining.ts";
import type { Registry } from "./registry.ts";

const decisionsAtMost = 16;

export interface PeoplePorts {
  readonly registry: Registry;
  readonly joining: Joining;
  readonly faces: Faces;
  readonly clock: Clock;
}

/** What a person decides about who is who. It is kept, and always goes before what is discovered. */
export class People {
  readonly #ports: PeoplePorts;

  constructor(ports: PeoplePorts) {
    this.#ports = ports;
  }

  /** @throws DmError 404, 409 (the same device), 420, 510 */
  async merge(id: string, otherId: string): Promise<Device> {
    const { registry, joining, clock } = this.#ports;
    const [into, from] = [registry.get(id), registry.get(otherId)];
    if (into === from) throw new DmError(Status.conflict, `${id} and ${otherId} are the same device already`);
    const given = [...namesOf(into.kept.members), ...namesOf(from.kept.members)];
    const merged = {
      id: from.id,
      identities: from.kept.members.map(({ identity }) => identity),
      ...(from.kept.name === undefined ? {} : { name: from.kept.name }),
    };
    const what = `${from.id} (${displayName(from)}) is ${into.id} (${displayName(into)})`;
    joining.members.absorb(into, from);
    const apart = (into.kept.apart ?? []).filter((one) => one !== from.id && one !== into.id);
    this.#decide(into, { given: union(into.kept.given, given), apart }, { at: clock.now(), what, merged });
    await registry.commit([into]);
    return into;
  }

  /** @throws DmError 404, 412, 420, 510 */
  async split(id: string, identities: readonly string[]): Promise<readonly [Device, Device]> {
    const { registry, joining, clock } = this.#ports;
    const device = registry.get(id);
    const { members } = device.kept;
    const last = [...(device.kept.decisions ?? [])].reverse().find(({ merged }) => merged !== undefined)?.merged;
    const takesBack = identities.length === 0 && last !== undefined && registry.resolve(last.id) === device.id;
    const wanted = this.#toPart(device, identities, takesBack ? last.identities : undefined);
    if (wanted.size === members.length) {
      throw new DmError(Status.incomplete, `these are all identities of ${device.id}: something must stay`);
    }
    const parted = takesBack ? registry.revive(last.id) : registry.create();
    joining.members.moveMembers(device, parted, wanted);
    // It was heard as part of the other one.
    const heard = [...parted.live.values()].filter(({ trace }) => trace.presence).map(({ heardAt }) => heardAt);
    if (heard.length > 0) parted.lastSeen = clock.now() - (clock.monotonic() - Math.max(...heard));
    const [mine, its] = [namesOf(device.kept.members), namesOf(parted.kept.members)];
    const at = clock.now();
    const formerIds = (device.kept.formerIds ?? []).filter((one) => one !== parted.id);
    const decisions = takesBack
      ? (device.kept.decisions ?? []).map((one) => (one.merged === last ? { at: one.at, what: one.what } : one))
      : (device.kept.decisions ?? []);
    registry.keep(device, { ...device.kept, decisions, formerIds });
    this.#decide(
      device,
      { given: mine.filter((name) => !its.includes(name)), apart: union(device.kept.apart, [parted.id]) },
      { at, what: `${parted.id} is another device` },
    );
    const name = takesBack && last.name !== undefined ? { name: last.name } : {};
    this.#decide(
      parted,
      { ...name, given: its.filter((one) => !mine.includes(one)), apart: [device.id] },
      { at, what: `it is another device than ${device.id}` },
    );
    await this.#carryOut([device, parted], "parted by a person");
    return [device, parted];
  }

  /** @throws DmError 404, 420, 510 */
  async ignore(id: string, ignored: boolean): Promise<Device> {
    const { registry, clock } = this.#ports;
    const device = registry.get(id);
    if ((device.kept.ignored === true) === ignored) return this.#saidAgain(device);
    const next: { -readonly [Key in keyof StoredDevice]: StoredDevice[Key] } = { ...device.kept };
    delete next.ignored;
    registry.keep(device, ignored ? { ...next, ignored: true } : next);
    this.#decide(device, {}, { at: clock.now(), what: ignored ? "it is ignored" : "it is not ignored any more" });
    await this.#carryOut([device], ignored ? "a person does not want to see it" : "not ignored any more");
    return device;
  }

  /** @throws DmError 404; 405: nobody speaks its protocol; 420, 510 */
  async approve(id: string): Promise<Device> {
    const { registry, clock } = this.#ports;
    const device = registry.get(id);
    if (device.kept.approved === true) return this.#saidAgain(device);
    if (device.kept.faces.length === 0) {
      throw new DmError(Status.notAllowed, `${id} is only seen: no adapter that is enabled speaks its protocol`);
    }
    registry.keep(device, { ...device.kept, approved: true });
    this.#decide(device, {}, { at: clock.now(), what: "it is managed" });
    await this.#carryOut([device], "approved by a person");
    return device;
  }

  /**
   * It holds from now on. If it cannot be written now, that is said, and it is written later: the tree must not show anything else until then.
   * `why`: the reason of the state that it brings.
   */
  async #carryOut(devices: readonly Device[], why?: string): Promise<void> {
    for (const device of devices) device.cause = why ?? device.cause;
    try {
      await this.#ports.registry.commit(devices);
    } finally {
      for (const device of devices) this.#ports.faces.settle(device);
    }
  }

  /** Perhaps because it could not be written the first time. */
  async #saidAgain(device: Device): Promise<Device> {
    await this.#carryOut([device]);
    return device;
  }

  #decide(device: Device, more: Partial<StoredDevice>, decision: Decision): void {
    const { registry } = this.#ports;
    const decisions = [...(device.kept.decisions ?? []), decision].slice(-decisionsAtMost);
    registry.keep(device, { ...device.kept, ...more, decisions });
    registry.setMembers(device, device.kept.members);
  }

  /** @throws DmError 412 */
  #toPart(device: Device, identities: readonly string[], merged: readonly string[] | undefined): ReadonlySet<string> {
    const { members } = device.kept;
    const unknown = identities.find((one) => !members.some(({ identity }) => identity === one));
    const list = members.map(({ identity }) => `"${identity}"`).join(", ");
    if (unknown !== undefined) {
      throw new DmError(Status.incomplete, `"${unknown}" is no identity of ${device.id}; it has ${list}`);
    }
    const named = new Set(
      identities.length > 0
        ? identities
        : members.map(({ identity }) => identity).filter((one) => merged?.includes(one)),
    );
    const groups = named.size > 0 ? [] : byMac(members);
    const [, second] = groups;
    if (named.size === 0 && (groups.length !== 2 || second === undefined)) {
      throw new DmError(
        Status.incomplete,
        `it is not clear what to part from ${device.id}: name what goes, of ${list}`,
      );
    }
    for (const { identity } of second ?? []) named.add(identity);
    // What the network knows of the same hardware address goes with it.
    const going = new Set(members.filter(({ identity }) => named.has(identity)).flatMap(macsOf));
    const staying = new Set(
      members.filter(({ identity }) => !named.has(identity) && !isOfNetwork(identity)).flatMap(macsOf),
    );
    for (const member of members) {
      if (isOfNetwork(member.identity) && macsOf(member).every((mac) => going.has(mac) && !staying.has(mac)))
        named.add(member.identity);
    }
    return named;
  }
}

/** The members by hardware address, in the order in which they came. */
function byMac(members: readonly Member[]): (readonly Member[])[] {
  const groups = new Map<string, Member[]>();
  for (const member of members) {
    const mac = macsOf(member).at(-1);
    if (mac === undefined) continue;
    const group = groups.get(mac) ?? [];
    groups.set(mac, group);
    group.push(member);
  }
  return [...groups.values()];
}

function macsOf({ clues }: Member): string[] {
  return clues.filter(({ kind }) => kind === "mac").map(({ value }) => value);
}

function isOfNetwork(identity: string): boolean {
  return /^(neighbours|leases) /.test(identity);
}

/** The identities, and the clues that decide alone. */
function namesOf(members: readonly Member[]): string[] {
  return [...new Set(members.flatMap(({ identity, clues }) => [identity, ...clues.filter(isStrong).map(keyOf)]))];
}

function union(a: readonly string[] = [], b: readonly string[]): readonly string[] {
  return [...new Set([...a, ...b])];
}
