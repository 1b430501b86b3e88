import { DmError, Status } from "../errors.ts";
import type { WriteCall } from "../mo.ts";
import { parsePath } from "../path.ts";
import type { Undo } from "../properties.ts";
import type { Branch } from "../table.ts";
import type { Snapshot } from "../value.ts";
import { chr, isInterior, textOf } from "../value.ts";

/** A group of devices as it was written. */
export interface Group {
  /** For people; "" for none. */
  readonly name: string;
  /** Who belongs to it; "" for a list made by hand. */
  readonly rule: string;
  /** Numbers of the devices of the list, which has no effect while there is a rule. */
  readonly members: readonly string[];
}

/** The groups, as the tree needs them. */
export interface GroupNodes {
  ids(): Iterable<string>;
  group(id: string): Group | undefined;
  /** Numbers of the devices that belong to it now, by rule or by hand. */
  members(id: string): ReadonlySet<string>;
  /** The number that a device goes by now; undefined where there is none. */
  resolve(number: string): string | undefined;
  /** Sets a group anew; undefined takes it away. @throws DmError 400 the rule, 404 no such device, 413, 420 */
  put(id: string, group: Group | undefined, call: Pick<WriteCall, "batch">): Undo;
}

const empty: Group = { name: "", rule: "", members: [] };

/**
 * DeviceInventory/Groups: a group has either a Rule, and then its Members are what the rule says, or Members that are added and deleted one by one. A list
 * made by hand is kept below a rule, and is back when the rule is deleted.
 */
export function groupTable(groups: GroupNodes): Branch {
  const group = (id = ""): Group => {
    const found = groups.group(id);
    if (found === undefined) throw new DmError(Status.notFound, `there is no group ${id}`);
    return found;
  };
  const byHand = (id = ""): Group => {
    const found = group(id);
    if (found.rule === "") return found;
    throw new DmError(Status.notAllowed, `the members of ${id} are what its Rule says: change or delete the Rule`);
  };
  const text = (key: "name" | "rule", description: string) =>
    ({
      format: "chr",
      description,
      get: ([id]) => {
        const value = groups.group(id ?? "")?.[key] ?? "";
        return value === "" ? undefined : chr(value);
      },
      set: (value, [id], call) => groups.put(id ?? "", { ...group(id), [key]: textOf(value) }, call),
      unset: ([id], call) => groups.put(id ?? "", { ...group(id), [key]: "" }, call),
    }) as const satisfies Branch["each"];
  return {
    format: "node",
    description: "groups of devices",
    list: () => groups.ids(),
    add: (id, value, _names, call) => groups.put(id, groupOf(value, groups), call),
    remove: (id, _names, call) => groups.put(id, undefined, call),
    rename(id, to, _names, call) {
      const moved = group(id);
      const taken = groups.put(id, undefined, call);
      const given = groups.put(to, moved, call);
      return () => {
        given();
        taken();
      };
    },
    each: {
      format: "node",
      description: "a group",
      children: {
        Name: text("name", "name for people"),
        Rule: text("rule", "which devices belong to it, such as maker=acme* & protocol=MQTT"),
        Members: {
          format: "node",
          description: "the devices that belong to it now",
          list: ([id]) => groups.members(id ?? ""),
          add(number, value, [id], call) {
            const { members, ...rest } = byHand(id);
            return groups.put(id ?? "", { ...rest, members: [...members, memberOf(number, value, groups)] }, call);
          },
          remove(number, [id], call) {
            const { members, ...rest } = byHand(id);
            return groups.put(id ?? "", { ...rest, members: members.filter((one) => one !== number) }, call);
          },
          each: {
            format: "chr",
            description: "the device's number",
            get: ([id, number]) => (groups.members(id ?? "").has(number ?? "") ? chr(number ?? "") : undefined),
          },
        },
      },
    },
  };
}

/** A group that is added at once. Members that came along with a rule are what the rule says anyway. */
function groupOf(value: Snapshot, groups: GroupNodes): Group {
  if (!isInterior(value)) return empty;
  const leaf = (name: string): string => {
    const child = value.children.get(name);
    return child === undefined || isInterior(child) ? "" : textOf(child);
  };
  const rule = leaf("Rule");
  const members = rule === "" ? value.children.get("Members") : undefined;
  const list = members !== undefined && isInterior(members) ? [...members.children] : [];
  return { name: leaf("Name"), rule, members: list.map(([number, one]) => memberOf(number, one, groups)) };
}

/** The number of a device that is added as `Members/<number>`; its value is the number again, its TreeRef, or nothing. */
function memberOf(number: string, value: Snapshot | undefined, groups: GroupNodes): string {
  const text = value === undefined || isInterior(value) ? "" : textOf(value);
  if (!/^d\d{1,15}$/.test(number)) {
    throw new DmError(Status.badRequest, `"${number}" is not the number of a device: expected d1, d2, …`);
  }
  if (text !== "" && text !== number && text !== parsePath(`./Devices/${number}`)) {
    throw new DmError(Status.badRequest, `the value of member ${number} must be ${number}, or ./Devices/${number}`);
  }
  const now = groups.resolve(number);
  if (now === undefined) throw new DmError(Status.notFound, `there is no device ${number}`);
  if (now !== number) throw new DmError(Status.badRequest, `${number} is ${now} by now: add ${now}`);
  return number;
}
