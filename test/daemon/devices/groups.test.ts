import { describe, expect, it } from "vitest";
import type { RuledDevice } from "../../../daemon/devices/group-rules.ts";
import { groupLimits, openGroups } from "../../../daemon/devices/groups.ts";
import { local } from "../../../tree/acl.ts";
import { deviceInventory } from "../../../tree/mos/inventory.ts";
import { Tree } from "../../../tree/tree.ts";
import type { Snapshot } from "../../../tree/value.ts";
import { chr, textOf } from "../../../tree/value.ts";
import { fakeClock } from "../../fakes/clock.ts";
import { fakeStore } from "../../fakes/store.ts";
import { alpha, beta, call, path } from "../../tree/small-home.ts";

const at = (rel: string) => path(`./GwMO/DeviceInventory/${rel}`);

function lamp(id: string, more: Partial<RuledDevice> = {}): RuledDevice {
  const rest = { name: `Lamp ${id}`, manufacturer: "Acme", model: "L1", firmware: "1", protocols: ["MQTT"] };
  return { id, ...rest, state: "managed", ...more };
}

/** A tree with the inventory, over devices that tests change; d9 was merged into d1. */
function home(store = fakeStore()) {
  const clock = fakeClock();
  const tree = new Tree({ store, clock });
  const devices = new Map([
    ["d1", lamp("d1")],
    ["d2", lamp("d2", { manufacturer: "Other" })],
    ["d3", lamp("d3", { state: "seen", protocols: [] })],
  ]);
  const former = new Map([["d9", "d1"]]);
  const groups = openGroups({
    tree,
    store,
    devices: () => devices.values(),
    device: (id) => devices.get(id),
    resolve: (number) => (devices.has(number) ? number : former.get(number)),
    tell: (rels) => mounted.changed(rels),
  });
  const inventory = { ids: () => [], record: () => undefined, rename: () => () => undefined };
  const mounted = tree.mount(
    path("./GwMO/DeviceInventory"),
    deviceInventory(inventory, { gatewayId: "urn:uuid:1", groups: groups.nodes }),
  );
  groups.start();
  const told: string[] = [];
  tree.watch((changes) => told.push(...changes.map(({ verb, at: uri }) => `${verb} ${uri.slice(23)}`)));
  return { tree, store, groups, devices, former, told };
}

type Home = ReturnType<typeof home>;
const change = ({ tree }: Home, ...changes: Parameters<Tree["change"]>[0]) => tree.change(changes, call(local));
const put = (one: Home, rel: string, text: string, verb: "Add" | "Replace" = "Add") =>
  change(one, { verb, at: at(`Groups/${rel}`), value: chr(text) });
const remove = (one: Home, rel: string) => change(one, { verb: "Delete", at: at(`Groups/${rel}`) });

/** A group as the tree shows it, leaves by name. */
async function shown({ tree }: Home, id: string): Promise<unknown> {
  const plain = (node: Snapshot | undefined): unknown => {
    if (node === undefined) return undefined;
    if (node.format !== "node") return textOf(node);
    return Object.fromEntries([...node.children].map(([name, child]) => [name, plain(child)]));
  };
  return plain(await tree.get(at(`Groups/${id}`), "deep", call(local)));
}

describe("a group by rule", () => {
  it("has the devices that the rule fits, and follows them", async () => {
    const one = home();
    await put(one, "acme/Rule", "maker=acme & state=managed");
    expect(await shown(one, "acme")).toEqual({ Rule: "maker=acme & state=managed", Members: { d1: "d1" } });
    one.told.length = 0;
    one.devices.set("d3", lamp("d3"));
    one.groups.changed("d3");
    expect(one.told).toEqual(["Replace Groups/acme/Members/d3"]);
    expect(await shown(one, "acme")).toMatchObject({ Members: { d1: "d1", d3: "d3" } });
    one.groups.changed("d3");
    one.devices.delete("d1");
    one.groups.changed("d1");
    expect(one.told.slice(1)).toEqual(["Delete Groups/acme/Members/d1"]);
    expect(one.groups.list()).toEqual([
      { id: "acme", name: "acme", rule: "maker=acme & state=managed", members: ["d3"] },
    ]);
    expect([one.groups.of("d3"), one.groups.of("d1")]).toEqual([["acme"], []]);
  });

  it("leaves ignored devices out", async () => {
    const one = home();
    await one.groups.set("all", { rule: "name=*" });
    one.devices.set("d2", lamp("d2", { state: "ignored" }));
    one.groups.changed("d2");
    expect(one.groups.list()[0]?.members).toEqual(["d1", "d3"]);
  });

  it("is refused when it cannot be read, and its members are not for writing", async () => {
    const one = home();
    await expect(put(one, "x/Rule", "room=kitchen")).rejects.toMatchObject({ status: 400 });
    expect(one.tree.has(at("Groups/x"))).toBe(false);
    await put(one, "x/Rule", "maker=acme");
    await expect(put(one, "x/Members/d2", "d2")).rejects.toMatchObject({ status: 405 });
    await expect(remove(one, "x/Members/d1")).rejects.toMatchObject({ status: 405 });
    await expect(put(one, "x/Members/d1", "d2", "Replace")).rejects.toMatchObject({ status: 405 });
    await expect(put(one, "x/Rule", "maker", "Replace")).rejects.toMatchObject({ status: 400 });
    expect(await shown(one, "x")).toMatchObject({ Rule: "maker=acme" });
  });

  it("changes its fingerprint and tells watchers when another rule has other members", async () => {
    const one = home();
    await put(one, "x/Rule", "maker=acme");
    const print = () => one.tree.property(at("Groups/x/Members"), "Fingerprint", call(local));
    const before = await print();
    one.told.length = 0;
    await put(one, "x/Rule", "maker=other", "Replace");
    expect(one.told).toEqual(["Replace Groups/x/Members", "Replace Groups/x/Rule"]);
    expect(await print()).not.toBe(before);
    one.devices.set("d1", lamp("d1", { manufacturer: "Other" }));
    const then = await print();
    one.groups.changed("d1");
    expect(await print()).not.toBe(then);
  });
});

describe("a group by hand", () => {
  it("takes devices one by one, by number or address, and gives them back", async () => {
    const one = home();
    await put(one, "mine/Members/d1", "");
    await put(one, "mine/Members/d2", "./Devices/d2");
    await put(one, "mine/Name", "My things");
    expect(await shown(one, "mine")).toEqual({ Name: "My things", Members: { d1: "d1", d2: "d2" } });
    await remove(one, "mine/Members/d1");
    expect(one.groups.list()).toEqual([{ id: "mine", name: "My things", rule: "", members: ["d2"] }]);
    await expect(put(one, "mine/Members/d7", "")).rejects.toMatchObject({ status: 404 });
    await expect(put(one, "mine/Members/x", "")).rejects.toMatchObject({ status: 400 });
    await expect(put(one, "mine/Members/d1", "d2")).rejects.toMatchObject({ status: 400 });
    await expect(put(one, "mine/Members/d9", "")).rejects.toMatchObject({ status: 400 });
    await expect(put(one, "mine/Members/d2", "")).rejects.toMatchObject({ status: 418 });
    await expect(put(one, "mine/Colour", "")).rejects.toMatchObject({ status: 405 });
  });

  it("keeps a member through a merge and a split, and loses one that is forgotten or ignored", async () => {
    const one = home();
    await one.groups.set("mine", { members: ["d2", "d3"] });
    one.told.length = 0;
    one.devices.delete("d2");
    one.former.set("d2", "d1");
    one.groups.changed("d2");
    expect(one.told).toEqual(["Delete Groups/mine/Members/d2", "Replace Groups/mine/Members/d1"]);
    expect(await shown(one, "mine")).toEqual({ Members: { d1: "d1", d3: "d3" } });
    one.former.delete("d2");
    one.devices.set("d2", lamp("d2"));
    one.groups.changed("d2");
    expect(one.groups.list()[0]?.members).toEqual(["d2", "d3"]);
    one.devices.set("d3", lamp("d3", { state: "ignored" }));
    one.groups.changed("d3");
    expect(one.groups.list()[0]?.members).toEqual(["d2"]);
    one.devices.delete("d2");
    one.groups.changed("d2");
    expect(one.groups.list()[0]?.members).toEqual([]);
  });

  it("is back when its rule is deleted", async () => {
    const one = home();
    await put(one, "x/Members/d2", "");
    await put(one, "x/Rule", "maker=acme");
    expect(await shown(one, "x")).toEqual({ Rule: "maker=acme", Members: { d1: "d1", d3: "d3" } });
    await remove(one, "x/Rule");
    expect(await shown(one, "x")).toEqual({ Members: { d2: "d2" } });
  });
});

describe("groups", () => {
  it("are there after a restart, one commit for one command", async () => {
    const one = home();
    await one.groups.set("acme", { rule: "maker=acme", name: "Acme" });
    await one.groups.set("mine", { members: ["d9", "d2"] });
    expect(one.store.commits).toBe(2);
    const next = home(one.store);
    expect(next.groups.list()).toEqual([
      { id: "acme", name: "Acme", rule: "maker=acme", members: ["d1", "d3"] },
      { id: "mine", name: "mine", rule: "", members: ["d1", "d2"] },
    ]);
    await next.groups.remove("acme");
    await expect(next.groups.remove("acme")).rejects.toMatchObject({ status: 404 });
    expect(home(one.store).groups.list()).toHaveLength(1);
  });

  it("are as before when the disk fails, whatever was asked", async () => {
    const one = home();
    await one.groups.set("acme", { rule: "maker=acme", name: "Acme" });
    await one.groups.set("mine", { members: ["d1", "d2"] });
    const before = one.groups.list();
    const tries = [
      () => one.groups.set("new", { rule: "maker=x" }),
      () => one.groups.set("acme", { rule: "maker=x", name: "" }),
      () => one.groups.set("acme", { members: ["d2"] }),
      () => one.groups.set("mine", { members: ["d3"] }),
      () => one.groups.remove("acme"),
      () => one.groups.remove("mine"),
      () => put(one, "mine/Members/d3", ""),
      () => remove(one, "mine/Members/d1"),
      () => change(one, { verb: "Rename", at: at("Groups/mine"), name: "yours" }),
    ];
    for (const run of tries) {
      one.store.failNext();
      await expect(run()).rejects.toMatchObject({ status: 510 });
      expect(one.groups.list()).toEqual(before);
    }
    expect(home(one.store).groups.list()).toEqual(before);
  });

  it("can be renamed, and take their rights along; made anew they keep them", async () => {
    const one = home();
    await one.groups.set("a", { rule: "maker=acme" });
    await change(one, { verb: "Property", at: at("Groups/a"), name: "ACL", value: "Get=alpha" });
    await change(one, { verb: "Rename", at: at("Groups/a"), name: "b" });
    expect(one.groups.list().map((group) => group.id)).toEqual(["b"]);
    await one.groups.set("b", { members: ["d2"] });
    expect(await shown(one, "b")).toEqual({ Members: { d2: "d2" } });
    expect(one.tree.decide(at("Groups/b"), "Get", beta)).toMatchObject({ allowed: false, from: at("Groups/b") });
    await one.groups.set("c", { rule: "name=*" });
    await expect(change(one, { verb: "Rename", at: at("Groups/b"), name: "c" })).rejects.toMatchObject({ status: 418 });
    await expect(change(one, { verb: "Rename", at: at("Groups/b/Members/d2"), name: "d3" })).rejects.toMatchObject({
      status: 405,
    });
  });

  it("are written by a server that has the rights, and by no other", async () => {
    const one = home();
    await change(one, { verb: "Property", at: at("Groups"), name: "ACL", value: "Add=alpha&Get=alpha" });
    const value = {
      format: "node",
      children: new Map<string, Snapshot>([
        ["Rule", chr("maker=acme")],
        ["Name", chr("Acme")],
      ]),
    } as const;
    const add = { verb: "Add", at: at("Groups/x"), value } as const;
    await expect(one.tree.change([add], call(beta))).rejects.toMatchObject({ status: 425 });
    await one.tree.change([add], call(alpha));
    await one.tree.change([{ verb: "Replace", at: at("Groups/x/Name"), value: chr("Ours") }], call(alpha));
    expect(await shown(one, "x")).toEqual({ Name: "Ours", Rule: "maker=acme", Members: { d1: "d1", d3: "d3" } });
    await one.tree.change([{ verb: "Delete", at: at("Groups/x") }], call(alpha));
    expect(one.groups.list()).toEqual([]);
  });

  it("are all or nothing in an Atomic", async () => {
    const one = home();
    await one.groups.set("mine", { members: ["d1"] });
    const both = change(
      one,
      { verb: "Add", at: at("Groups/mine/Members/d2"), value: chr("d2") },
      { verb: "Add", at: at("Groups/mine/Members/d8"), value: chr("d8") },
    );
    await expect(both).rejects.toMatchObject({ status: 404, index: 1, undone: true });
    expect(one.groups.list()[0]?.members).toEqual(["d1"]);
  });

  it("have limits", async () => {
    const one = home();
    for (let n = 0; n < groupLimits.groups; n++) await one.groups.set(`g${n}`, { rule: "maker=x" });
    await expect(one.groups.set("more", { rule: "maker=x" })).rejects.toMatchObject({ status: 420 });
    await one.groups.set("g0", { rule: "maker=y" });
    for (let n = 4; n < 1010; n++) one.devices.set(`d${n}`, lamp(`d${n}`));
    const many = [...one.devices.keys()];
    await expect(one.groups.set("g1", { members: many })).rejects.toMatchObject({ status: 420 });
    for (let n = 1; n <= 4; n++) await one.groups.set(`g${n}`, { members: many.slice(0, groupLimits.members) });
    await expect(one.groups.set("g5", { members: ["d1"] })).rejects.toMatchObject({ status: 420 });
    await expect(one.groups.set("x".repeat(65), { rule: "maker=x" })).rejects.toMatchObject({ status: 400 });
    await expect(one.groups.set("g0", { name: "x".repeat(256) })).rejects.toMatchObject({ status: 413 });
    await expect(one.groups.set("g0", { name: "a\u001b" })).rejects.toMatchObject({ status: 400 });
    await expect(one.groups.set("a/b", { rule: "maker=x" })).rejects.toMatchObject({ status: 400 });
    await expect(one.groups.set("", { rule: "maker=x" })).rejects.toMatchObject({ status: 400 });
  });

  it("need a rule or members when they are new, and not both", async () => {
    const one = home();
    await expect(one.groups.set("x", { name: "X" })).rejects.toMatchObject({ status: 412 });
    await expect(one.groups.set("x", { rule: "maker=x", members: [] })).rejects.toMatchObject({ status: 400 });
    await expect(one.groups.set("x", { members: ["d77"] })).rejects.toMatchObject({ status: 404 });
    expect(await one.groups.set("__proto__", { members: [] })).toMatchObject({ id: "__proto__", members: [] });
    expect(await one.groups.set("__proto__", { name: "Y" })).toMatchObject({ name: "Y", members: [] });
  });

  it("are there with the id of the gateway, which tells a server what the devices hang on", async () => {
    const { tree } = home();
    expect(await tree.get(at("GatewayID"), "one", call(local))).toEqual(chr("urn:uuid:1"));
  });
});
