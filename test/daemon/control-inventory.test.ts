import { describe, expect, it } from "vitest";
import { lampReport } from "./small-inventory.ts";
import { smallControl } from "./small-gateway.ts";

describe("devices", () => {
  it("are listed with those that are gone and without those that are ignored, unless it is asked for otherwise", async () => {
    await using home = await smallControl();
    home.devices.set("d4", lampReport("d4", { state: "gone" }));
    home.devices.set("d5", lampReport("d5", { state: "ignored" }));
    const ids = async (query: string) =>
      ((await home.ask("GET", `/v1/devices${query}`)).json as unknown as { id: string }[]).map(({ id }) => id);
    expect(await ids("")).toEqual(["d1", "d2", "d3", "d4"]);
    expect(await ids("?gone=no&ignored=yes")).toEqual(["d1", "d2", "d3", "d5"]);
    expect(await ids("?rule=maker%3Dacme%20%26%20state%21%3Dmanaged")).toEqual(["d2", "d3", "d4"]);
    expect((await home.ask("GET", "/v1/devices?rule=maker")).json).toMatchObject({
      status: 400,
      detail: 'the rule is wrong at character 6: expected = or != behind "maker"',
    });
    expect((await home.ask("GET", "/v1/devices?ignored=maybe")).status).toBe(400);
    expect((await home.ask("GET", "/v1/devices?color=red")).status).toBe(400);
  });

  it("tell why they are what they are", async () => {
    await using home = await smallControl();
    expect((await home.ask("GET", "/v1/devices/d1/why")).json).toMatchObject({ id: "d1", members: [{ live: true }] });
    expect((await home.ask("GET", "/v1/devices/d7/why")).json).toMatchObject({ status: 404 });
    expect((await home.ask("POST", "/v1/devices/d1/why")).status).toBe(405);
  });

  it("are merged and parted again; a former number leads to the device", async () => {
    await using home = await smallControl();
    const merged = await home.ask("POST", "/v1/devices/d1/merge", { other: "d2" });
    expect(merged.json).toMatchObject({ id: "d1", identities: ["mqtt:homie:d1", "mqtt:homie:d2"] });
    expect((await home.ask("GET", "/v1/devices/d2")).json).toMatchObject({ id: "d1" });
    expect((await home.ask("POST", "/v1/devices/d1/merge", { other: "d2" })).json).toMatchObject({
      status: 409,
      title: "conflict",
    });
    const parted = await home.ask("POST", "/v1/devices/d1/split");
    expect(parted.json).toMatchObject([{ id: "d1" }, { identities: ["mqtt:homie:d2"] }]);
    const named = await home.ask("POST", "/v1/devices/d3/split", { identities: ["mqtt:homie:d3"] });
    expect(named.json).toMatchObject([{ id: "d3", identities: [] }, { identities: ["mqtt:homie:d3"] }]);
    expect((await home.ask("POST", "/v1/devices/d1/split")).json).toMatchObject({ status: 412 });
  });

  it("are ignored, and seen again", async () => {
    await using home = await smallControl();
    expect((await home.ask("POST", "/v1/devices/d1/ignore", { ignored: true })).json["state"]).toBe("ignored");
    expect((await home.ask("GET", "/v1/devices")).text).not.toContain('"d1"');
    expect((await home.ask("POST", "/v1/devices/d1/ignore", { ignored: false })).json["state"]).toBe("seen");
  });

  it.each([
    ["merge", {}, 412],
    ["merge", { other: 1 }, 400],
    ["merge", { other: "x".repeat(65) }, 413],
    ["merge", { other: "d1", also: "d2" }, 400],
    ["merge", { other: "d77" }, 404],
    ["split", { identities: "a" }, 400],
    ["split", { identities: [1] }, 400],
    ["split", { identities: ["x".repeat(1025)] }, 413],
    ["split", { identities: Array(1001).fill("x") }, 413],
    ["ignore", {}, 412],
    ["ignore", { ignored: "yes" }, 400],
    ["forget", { now: true }, 400],
    ["approve", { now: true }, 400],
    ["name", { name: "a\u001b" }, 400],
    ["name", {}, 412],
  ])("refuse to %s with %j: %d", async (what, body, status) => {
    await using home = await smallControl();
    const answer = await home.ask("POST", `/v1/devices/d1/${what}`, body);
    expect([answer.type, answer.json["status"]]).toEqual(["application/problem+json", status]);
  });
});

describe("groups", () => {
  it("are set by rule or by hand, shown, and removed; their members are told to who watches the tree", async () => {
    await using home = await smallControl();
    const rule = { name: "All lamps", rule: "name=lamp*" };
    const lamps = { id: "lamps", ...rule, members: ["d1"] };
    expect(await home.ask("PUT", "/v1/groups/lamps", rule)).toMatchObject({ status: 200, json: lamps });
    await home.ask("PUT", "/v1/groups/mine", { members: ["d3", "d1"] });
    const mine = { id: "mine", name: "mine", rule: "", members: ["d1", "d3"] };
    expect((await home.ask("GET", "/v1/groups")).json).toEqual([lamps, mine]);
    expect((await home.ask("GET", "/v1/devices/d1")).json["groups"]).toEqual(["lamps", "mine"]);
    home.devices.set("d4", lampReport("d4"));
    expect((await home.ask("GET", "/v1/groups/lamps")).json["members"]).toEqual(["d1", "d4"]);
    expect((await home.ask("GET", "/v1/tree/GwMO/DeviceInventory/Groups/lamps/Members")).json["children"]).toEqual([
      "d1",
      "d4",
    ]);
    expect((await home.ask("DELETE", "/v1/groups/lamps")).json).toEqual({ state: "done" });
    expect((await home.ask("DELETE", "/v1/groups/lamps")).json).toMatchObject({ status: 404 });
    expect((await home.ask("GET", "/v1/groups/lamps")).json).toMatchObject({ status: 404 });
  });

  it.each([
    [{}, 412],
    [{ rule: "maker" }, 400],
    [{ rule: "x".repeat(513) }, 413],
    [{ rule: "maker=a", members: [] }, 400],
    [{ members: ["d77"] }, 404],
    [{ members: "d1" }, 400],
    [{ name: "x".repeat(256), rule: "maker=a" }, 413],
    [{ colour: "red" }, 400],
  ])("are refused with %j: %d", async (body, status) => {
    await using home = await smallControl();
    expect((await home.ask("PUT", "/v1/groups/x", body)).json).toMatchObject({ status });
    expect((await home.ask("GET", "/v1/groups")).json).toEqual([]);
  });
});
