import { local } from "../../tree/acl.ts";
import { DmError, Status } from "../../tree/errors.ts";
import type { Group, GroupNodes } from "../../tree/mos/groups.ts";
import { join, joinRel, parsePath, parseRel } from "../../tree/path.ts";
import type { Path, Rel } from "../../tree/path.ts";
import { bucket } from "../../tree/ports.ts";
import type { Store } from "../../tree/ports.ts";
import type { TreeChange, TreeShape } from "../../tree/shape.ts";
import type { Snapshot } from "../../tree/value.ts";
import { chr } from "../../tree/value.ts";
import type { Gateway, GroupReport } from "../gateway.ts";
import type { Rule, RuledDevice } from "./group-rules.ts";
import { parseRule } from "./group-rules.ts";

export const groupLimits = { groups: 256, members: 1000, allMembers: 4000, id: 64, name: 255 } as const;

const groupsRel = parseRel("Groups");
const groupsAt = parsePath("./GwMO/DeviceInventory/Groups");

const empty: Group = { name: "", rule: "", members: [] };

export interface GroupPorts {
  readonly tree: Pick<TreeShape, "change" | "decide">;
  readonly store: Store;
  /** What is known of every device, ignored ones too. It must not ask for their groups: those come from here. */
  readonly devices: () => Iterable<RuledDevice>;
  /** The device that goes by this very number. */
  readonly device: (id: string) => RuledDevice | undefined;
  /** The number that a device goes by now: of a former number that of the device that it was merged into. */
  readonly resolve: (number: string) => string | undefined;
  /** Tells those who watch the tree that these nodes of ./GwMO/DeviceInventory are different now. */
  readonly tell: (rels: readonly Rel[]) => void;
}

export interface Groups {
  /** For ./GwMO/DeviceInventory. */
  readonly nodes: GroupNodes;
  /** The devices are known from here on: who joins or leaves a group after this is told. */
  start(): void;
  list(): readonly GroupReport[];
  /** @throws DmError 400 the rule, the id; 404 no such device; 412 neither rule nor members of a new group; 413, 420 */
  set: Gateway["setGroup"];
  /** @throws DmError 404 */
  remove: Gateway["removeGroup"];
  /** The groups that a device is in. */
  of(deviceId: string): readonly string[];
  /** Something of this device is different, or it is gone; what `resolve` answers is already true. */
  changed(deviceId: string): void;
}

/**
 * Groups of devices, by rule or by hand. They are written through the tree, by servers as by the CLI: one command, one commit. Ignored devices belong to
 * none; the member of a list who was merged into another device is that device.
 */
export function openGroups(ports: GroupPorts): Groups {
  const kept = bucket<Group>(ports.store, "groups");
  const groups = new Map<string, Group>(kept.entries());
  const rules = new Map<string, Rule>();
  /** Who belongs to which group now, from the start on. */
  const now = new Map<string, Set<string>>();
  let started = false;

  const belongs = (id: string, device: RuledDevice): boolean => {
    if (device.state === "ignored") return false;
    const { rule, members } = groups.get(id) ?? empty;
    if (rule !== "") return rules.get(id)?.matches(device) === true;
    return members.some((number) => ports.resolve(number) === device.id);
  };
  const computed = (id: string, all?: readonly RuledDevice[]): Set<string> => {
    const byHand = groups.get(id)?.rule === "";
    const found = byHand
      ? listed(id).flatMap((number) => ports.device(number) ?? [])
      : [...(all ?? ports.devices())].filter((device) => belongs(id, device));
    const standing = found.filter((device) => device.state !== "ignored");
    return new Set(standing.map((device) => device.id).sort(byNumber));
  };
  const membersOf = (id: string): ReadonlySet<string> => (started ? now.get(id) : undefined) ?? computed(id);

  /** The list made by hand, with the numbers of now, each once. */
  const listed = (id: string): string[] => {
    const numbers = (groups.get(id)?.members ?? []).map(ports.resolve);
    return [...new Set(numbers.filter((number) => number !== undefined))];
  };

  const keep = (id: string, group: Group | undefined): void => {
    rules.delete(id);
    if (group === undefined) groups.delete(id);
    else groups.set(id, group);
    const rule = group === undefined || group.rule === "" ? undefined : ruleOf(group.rule);
    if (rule !== undefined) rules.set(id, rule);
    if (!started) return;
    const before = now.get(id);
    now.delete(id);
    if (group === undefined) return;
    const after = computed(id);
    now.set(id, after);
    if (before === undefined || same(before, after)) return;
    ports.tell([joinRel(groupsRel, `${id}/Members`)]);
  };

  const checked = (id: string, group: Group): Group => {
    if (id.length > groupLimits.id) {
      throw new DmError(Status.badRequest, `the id of a group has at most ${groupLimits.id} characters`);
    }
    if (/\p{Cc}/u.test(group.name)) throw new DmError(Status.badRequest, "a name may not hold control characters");
    if (Buffer.byteLength(group.name) > groupLimits.name)
      throw new DmError(Status.tooLarge, `a name has at most ${groupLimits.name} bytes`);
    if (!groups.has(id) && groups.size >= groupLimits.groups) throw full(`${groupLimits.groups} groups`);
    const members = [...new Set(group.members)];
    if (members.length > groupLimits.members) throw full(`${groupLimits.members} members`);
    const others = [...groups.keys()].filter((one) => one !== id).reduce((sum, one) => sum + listed(one).length, 0);
    if (others + members.length > groupLimits.allMembers) throw full(`${groupLimits.allMembers} members in all lists`);
    const unknown = members.find((number) => ports.resolve(number) === undefined);
    if (unknown !== undefined) throw new DmError(Status.notFound, `there is no device ${unknown}`);
    return { name: group.name, rule: group.rule.trim() === "" ? "" : parseRule(group.rule).text, members };
  };

  for (const [id, group] of groups) keep(id, group);

  const nodes: GroupNodes = {
    ids: () => groups.keys(),
    group(id) {
      const group = groups.get(id);
      return group === undefined ? undefined : { ...group, members: listed(id) };
    },
    members: membersOf,
    resolve: ports.resolve,
    put(id, group, { batch }) {
      const before = groups.get(id);
      const next = group === undefined ? undefined : checked(id, group);
      keep(id, next);
      if (next === undefined) kept.delete(batch, id);
      else kept.put(batch, id, next);
      return () => keep(id, before);
    },
  };

  const reportOf = (id: string): GroupReport => {
    const { name, rule } = demand(id);
    return { id, name: name === "" ? id : name, rule, members: [...membersOf(id)].sort(byNumber) };
  };
  const demand = (id: string): Group => {
    const group = nodes.group(id);
    if (group === undefined) throw new DmError(Status.notFound, `there is no group "${id.slice(0, 64)}"`);
    return group;
  };

  return {
    nodes,
    start() {
      started = true;
      const all = [...ports.devices()];
      for (const id of groups.keys()) now.set(id, computed(id, all));
    },
    list: () => [...groups.keys()].sort().map(reportOf),
    async set(name, given) {
      const id = parseRel(name);
      if (id === "" || id.includes("/")) throw new DmError(Status.badRequest, `"${name.slice(0, 64)}" is no group id`);
      const changes = changesTo(ports, id, nodes.group(id), given);
      if (changes.length > 0) await ports.tree.change(changes, asLocal());
      return reportOf(id);
    },
    async remove(id) {
      demand(id);
      await ports.tree.change([{ verb: "Delete", at: join(groupsAt, id) }], asLocal());
    },
    of: (deviceId) => [...groups.keys()].filter((id) => membersOf(id).has(deviceId)).sort(),
    changed(deviceId) {
      if (!started || groups.size === 0) return;
      const device = ports.device(deviceId);
      const rels: Rel[] = [];
      for (const [id, before] of now) {
        const belongsNow = device !== undefined && belongs(id, device);
        if (before.has(deviceId) === belongsNow) continue;
        // In a list another number may stand for it now, or may not any more.
        const after = groups.get(id)?.rule === "" ? computed(id) : toggled(before, deviceId);
        now.set(id, after);
        const moved = [...new Set([...before, ...after])].filter((one) => before.has(one) !== after.has(one));
        rels.push(...moved.map((one) => joinRel(groupsRel, `${id}/Members/${one}`)));
      }
      if (rels.length > 0) ports.tell(rels);
    },
  };
}

/** What makes the group in the tree what a person says. */
function changesTo(
  ports: GroupPorts,
  id: Rel,
  before: Group | undefined,
  given: { readonly name?: string; readonly rule?: string; readonly members?: readonly string[] },
): TreeChange[] {
  const at = join(groupsAt, id);
  const { name, rule } = given;
  if (rule !== undefined && given.members !== undefined)
    throw new DmError(Status.badRequest, "a group has a rule, or a list of members, not both");
  if (before === undefined && rule === undefined && given.members === undefined)
    throw new DmError(Status.incomplete, `there is no group ${id} yet: a new one needs a rule, or a list of members`);
  if (before !== undefined && given.members === undefined) {
    return [...leafChange(join(at, "Name"), before.name, name), ...leafChange(join(at, "Rule"), before.rule, rule)];
  }
  const members = given.members?.map((number): [string, Snapshot] => {
    const device = ports.resolve(number);
    if (device === undefined) throw new DmError(Status.notFound, `there is no device "${number.slice(0, 64)}"`);
    return [device, chr(device)];
  });
  const parts: [string, Snapshot][] = [
    ["Name", chr(name ?? before?.name ?? "")],
    ["Rule", chr(rule ?? "")],
    ["Members", { format: "node", children: new Map(members) }],
  ];
  const add: TreeChange = { verb: "Add", at, value: { format: "node", children: new Map(parts) } };
  if (before === undefined) return [add];
  // Made anew, because its members may be those of a rule until now; who had rights on it keeps them.
  const { acl, from } = ports.tree.decide(at, "Get", local);
  const rights: TreeChange[] = from === at ? [{ verb: "Property", at, name: "ACL", value: acl }] : [];
  return [{ verb: "Delete", at }, add, ...rights];
}

function leafChange(at: Path, before: string, after: string | undefined): TreeChange[] {
  if (after === undefined || after === before) return [];
  if (after === "") return [{ verb: "Delete", at }];
  return [{ verb: before === "" ? "Add" : "Replace", at, value: chr(after) }];
}

/** A rule that this version cannot read any more has no members; its text stays, for a person to see. */
function ruleOf(text: string): Rule | undefined {
  try {
    return parseRule(text);
  } catch {
    return undefined;
  }
}

function full(what: string): DmError {
  return new DmError(Status.deviceFull, `there is room for ${what}, not for more`);
}

function toggled(all: ReadonlySet<string>, one: string): Set<string> {
  const next = new Set(all);
  if (!next.delete(one)) next.add(one);
  return next;
}

function same(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((one) => b.has(one));
}

const byNumber = (a: string, b: string) => Number(a.slice(1)) - Number(b.slice(1));

function asLocal() {
  return { by: local, signal: new AbortController().signal, correlator: "groups", mayDefer: false };
}
