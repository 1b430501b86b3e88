import { describe, expect, it } from "vitest";
import { whyLines } from "../../../daemon/cli/device-why.ts";
import { local } from "../../../tree/acl.ts";
import { isInterior } from "../../../tree/value.ts";
import { call, path } from "../../tree/small-home.ts";
import { face, home, uuid } from "../identity/home.ts";

/** A home with a lamp (d1), a plug (d2) and something that was only seen (d3), and what the tree says of its groups. */
async function smallStreet() {
  const h = home();
  h.host.attach(face("mqtt:lamp", { facts: { name: "Lamp", maker: "Acme" } }));
  await h.clock.advance(10_000);
  h.host.attach(face("mqtt:plug", { facts: { name: "Plug", maker: "Acme" } }));
  await h.clock.advance(10_000);
  await h.ssdp(uuid(1), "192.168.1.30");
  await h.clock.advance(10_000);
  const told: string[] = [];
  h.tree.watch((changes) => {
    for (const { verb, at: uri } of changes)
      if (uri.includes("/Members")) told.push(`${verb} ${uri.split("Groups/")[1]}`);
  });
  return { ...h, groups: h.bridge.registry.groups, told };
}

const members = (h: { groups: { list(): readonly { id: string; members: readonly string[] }[] } }) =>
  Object.fromEntries(h.groups.list().map((group) => [group.id, group.members]));

describe("groups of the devices of a home", () => {
  it("follow merge, split, ignore and forget, and tell who joins and leaves, once", async () => {
    const h = await smallStreet();
    expect(h.ids()).toEqual(["d1", "d2", "d3"]);
    await h.groups.set("acme", { rule: "maker=acme & state=managed" });
    await h.groups.set("mine", { members: ["d2", "d3"] });
    expect(members(h)).toEqual({ acme: ["d1", "d2"], mine: ["d2", "d3"] });
    expect(h.bridge.devices().map((device) => device.groups)).toEqual([["acme"], ["acme", "mine"], ["mine"]]);

    h.told.length = 0;
    await h.bridge.merge("d1", "d2");
    expect(members(h)).toEqual({ acme: ["d1"], mine: ["d1", "d3"] });
    expect(new Set(h.told)).toEqual(
      new Set(["Delete acme/Members/d2", "Delete mine/Members/d2", "Replace mine/Members/d1"]),
    );
    expect(h.told).toHaveLength(3);

    await h.bridge.split("d1", []);
    await h.clock.advance(1000);
    expect(members(h)).toEqual({ acme: ["d1", "d2"], mine: ["d2", "d3"] });

    await h.bridge.ignore("d3", true);
    expect(members(h)["mine"]).toEqual(["d2"]);
    await h.bridge.ignore("d3", false);
    expect(members(h)["mine"]).toEqual(["d2", "d3"]);

    await h.bridge.forget("d2");
    expect(members(h)).toEqual({ acme: ["d1"], mine: ["d3"] });
  });

  it("find a device by any number that it ever had, through merge after merge, until it is forgotten", async () => {
    const h = await smallStreet();
    await h.groups.set("mine", { members: ["d2"] });
    await h.bridge.merge("d3", "d2");
    await h.bridge.merge("d1", "d3");
    expect([members(h), h.bridge.device("d2").id]).toEqual([{ mine: ["d1"] }, "d1"]);
    expect(members({ groups: h.again().bridge.registry.groups })).toEqual({ mine: ["d1"] });
    await h.bridge.forget("d1");
    expect(members(h)).toEqual({ mine: [] });
    expect(() => h.bridge.device("d2")).toThrow(/no device/);
  });

  it("are the same after a kill and a new start", async () => {
    const h = await smallStreet();
    await h.groups.set("all", { rule: "name=*" });
    await h.groups.set("mine", { members: ["d2"] });
    await h.bridge.merge("d1", "d2");
    const again = h.again();
    expect(members({ groups: again.bridge.registry.groups })).toEqual({ all: ["d1", "d3"], mine: ["d1"] });
  });

  it("stand in the tree with the records that their members name", async () => {
    const h = await smallStreet();
    await h.groups.set("all", { rule: "name=*" });
    const names = async (rel: string) => {
      const node = await h.tree.get(path(`./GwMO/DeviceInventory${rel}`), "one", call(local));
      return isInterior(node) ? [...node.children.keys()] : [];
    };
    expect(await names("/Groups/all/Members")).toEqual(await names("/Records"));
    expect(await names("")).toEqual(["GatewayID", "Groups", "Records"]);
  });

  it("have a story each that a person can read", async () => {
    const h = await smallStreet();
    await h.bridge.merge("d1", "d2");
    const lines = [...whyLines(h.bridge.device("d1"), h.bridge.why("d1"), h.clock.now())];
    expect(lines[1]).toMatch(/^ {2}d1 is "Lamp", made by Acme$/);
    expect(lines.join("\n")).toContain("numbers of their own before: d2");
    expect(lines.join("\n")).toContain("mqtt:plug");
  });
});
