import { describe, expect, it } from "vitest";
import { whyLines } from "../../../daemon/cli/device-why.ts";
import { runCli } from "../../../daemon/cli/index.ts";
import type { DeviceStory } from "../../../daemon/gateway.ts";
import { lampReport } from "../small-inventory.ts";
import { dmgw, listening, smallCli } from "./cli.ts";

const json = (text: string): unknown => JSON.parse(text);

describe("devices", () => {
  it("are filtered by words and by rules, all of which must fit", async () => {
    await using home = await smallCli();
    const ids = async (...words: string[]) => {
      const { out } = await home.dmgw("devices", ...words, "--json");
      return (json(out) as { id: string }[]).map(({ id }) => id);
    };
    expect(await ids("maker=acme", "protocol=MQTT")).toEqual(["d1", "d2"]);
    expect(await ids("maker=acme*", "state!=managed", "evil")).toEqual(["d2"]);
    expect(await ids("192.168", "seen")).toEqual(["d3"]);
    expect(await ids("name=tv | name=lamp*")).toEqual(["d1", "d3"]);
    await home.dmgw("groups", "set", "night", "--members", "d3");
    expect(await ids("night")).toEqual(["d3"]);
    expect((await home.dmgw("devices", "maker=nobody", "tv")).err).toBe("no device fits maker=nobody tv\n");
    const wrong = await home.dmgw("devices", "color=red");
    expect([wrong.code, wrong.err]).toEqual([
      1,
      'dmgw devices: 400 bad request: the rule is wrong at character 1: "color" is not known: expected one of maker, model, firmware, name, protocol, state\n' +
        "  next: how a rule is written: dmgw groups --help\n",
    ]);
  });

  it("that are ignored are listed with --ignored only", async () => {
    await using home = await smallCli();
    const ignored = await home.dmgw("device", "d3", "ignore");
    expect(ignored.out).toBe("d3 is ignored: not listed, not in the tree; take it back: dmgw device d3 ignore off\n");
    expect((await home.dmgw("devices")).out).not.toContain("d3");
    expect((await home.dmgw("devices", "--ignored")).out).toMatch(/d3 .*ignored/);
    expect((await home.dmgw("device", "d3")).err).toBe("ignored: dmgw device d3 ignore off\n");
    expect((await home.dmgw("device", "d3", "ignore", "off")).out).toBe("d3 is not ignored any more: it is seen\n");
    expect((await home.dmgw("devices")).out).toContain("d3");
  });

  it("--watch on a terminal draws anew what is different, and nothing else", async () => {
    await using home = await smallCli();
    const { io, said } = listening();
    const frames = () => said().out.split("\u001b[H").slice(1);
    const stop = new AbortController();
    const screen = { ...io, tty: true, columns: 120, rows: 8, signal: stop.signal };
    const watching = runCli([...home.place, "devices", "lamp", "--watch"], screen);
    await expect.poll(() => frames().length).toBeGreaterThan(0);
    expect(said().out.startsWith("\u001b[2J\u001b[HID")).toBe(true);
    home.devices.set("d4", lampReport("d4", { name: "Lamp \u001b[2J\u202e" }));
    await expect.poll(() => frames().at(-1), { timeout: 4000 }).toContain("Lamp \\x1b[2J\\u202e");
    for (let n = 5; n < 20; n++) home.devices.set(`d${n}`, lampReport(`d${n}`));
    await expect.poll(() => frames().at(-1), { timeout: 4000 }).toContain("… 13 more lines");
    for (const frame of frames()) {
      expect(frame.split("\n").length).toBeLessThanOrEqual(8);
      expect(frame).toMatch(/^(?:[^\u001b]*\u001b\[K\n)+\u001b\[J(?:\u001b\[2J)?$/);
    }
    expect(frames().every((frame, n) => frame !== frames()[n - 1])).toBe(true);
    stop.abort();
    expect(await watching).toBe(130);
  });

  it("--watch says what is not listed any more, and ends when the daemon goes", async () => {
    await using home = await smallCli();
    const { io, said } = listening();
    const watching = runCli([...home.place, "devices", "--watch"], io);
    await expect.poll(() => said().out).toContain("d3");
    home.devices.delete("d3");
    await expect.poll(() => said().out, { timeout: 4000 }).toContain("d3 is not listed any more\n");
    await home.control.close();
    expect(await watching).toBe(69);
  });
});

describe("device", () => {
  it("shows its state with the reason, when it is looked after next, its groups and former numbers", async () => {
    await using home = await smallCli();
    await home.dmgw("groups", "set", "lamps", "--rule", "name=lamp*");
    await home.dmgw("device", "d1", "merge", "d3");
    const nextProbe = new Date(Date.now() + 300_500).toISOString();
    home.devices.set("d1", lampReport("d1", { nextProbe, gateway: true, reason: "mDNS says \u001bhello" }));
    const { out, err, code } = await home.dmgw("device", "d1");
    expect(out).toMatch(/^device +d1 Lamp d1\nkind +another dmgw gateway\n/);
    expect(out).toMatch(/\nstate +managed, reachable: mDNS says \\x1bhello\nsince +\d.* ago\n/);
    expect(out).toMatch(/\nnext look +in 5 min\n/);
    expect(out).toMatch(/\ngroups +lamps\nwas also +d3\nin the tree +\.\/Devices\/d1\n$/);
    expect([code, err]).toEqual([0, ""]);
    expect((await home.dmgw("device", "d2")).out).not.toContain("next look");
  });

  it("is merged and split, and each says how to take it back", async () => {
    await using home = await smallCli();
    expect((await home.dmgw("device", "d1", "merge", "d2")).out).toBe(
      "d2 is part of d1 now; take it back: dmgw device d1 split\n",
    );
    expect((await home.dmgw("device", "d2", "--json")).out).toContain('"id": "d1"');
    const twice = await home.dmgw("device", "d1", "merge", "d2");
    expect([twice.code, twice.err]).toEqual([1, "dmgw device: 409 conflict: d1 and d2 are one device already\n"]);
    expect((await home.dmgw("device", "d1", "split")).out).toBe(
      "d1 and d4 are two devices now; take it back: dmgw device d1 merge d4\n",
    );
    const unclear = await home.dmgw("device", "d1", "split");
    expect([unclear.code, unclear.err]).toEqual([
      1,
      "dmgw device: 412 incomplete: nothing was merged into d1; name what is another device: mqtt:homie:d1\n",
    ]);
    const both = json((await home.dmgw("device", "d1", "split", "mqtt:homie:d1", "--json")).out);
    expect(both).toMatchObject([{ id: "d1", identities: [] }, { identities: ["mqtt:homie:d1"] }]);
    expect((await home.dmgw("device", "d1", "merge", "d77")).err).toContain("see which there are: dmgw devices");
  });

  it("--why tells its story in words, and as JSON", async () => {
    await using home = await smallCli();
    await home.dmgw("device", "d1", "merge", "d3");
    const { code, out } = await home.dmgw("device", "d1", "--why");
    expect(code).toBe(0);
    expect(out.replaceAll(/\d+ d( \d+ h)?/g, "AGE")).toBe(
      [
        "What it is",
        '  d1 is "Lamp d1", made by Acme L1, at 192.168.1.20',
        "  It is managed, for AGE: it answers",
        "  Parts of it had numbers of their own before: d3",
        "",
        "What belongs to it, and why",
        "  MQTT (Homie): Lamp d1 (there now, known for AGE)",
        "    - it was the first thing that was seen of this device",
        "    its identity: mqtt:homie:d1",
        "  MQTT (Homie): Lamp d1 (there now, known for AGE)",
        "    - it was the first thing that was seen of this device",
        "    its identity: mqtt:homie:d3",
        "",
        "What it is known by",
        "  hardware address 02:00:00:00:00:01: the network says so; enough by itself",
        "",
        "Other devices that have something in common with it",
        "  nothing",
        "",
        "What people decided",
        "  AGE ago: d3 is part of it",
        "",
        "Not right? Another device is the same:   dmgw device d1 merge ID",
        "           A part of it is another device: dmgw device d1 split IDENTITY…",
        "",
      ].join("\n"),
    );
    expect(json((await home.dmgw("device", "d1", "--why", "--json")).out)).toEqual(
      json(JSON.stringify(home.gateway.why("d1"))),
    );
    expect((await home.dmgw("device", "d77", "--why")).err).toContain("404 not found");
  });

  it("--why keeps a hostile story harmless and short", () => {
    const evil = `\u001b[2J\u202e${"x".repeat(10_000)}\n`;
    const story: DeviceStory = {
      id: "d1",
      name: evil,
      formerIds: [evil],
      members: [{ identity: evil, what: evil, live: false, since: "", because: [evil] }],
      clues: [
        { kind: "serial", value: evil, said: "device", weight: "junk" },
        { kind: evil, value: "1", said: "person", weight: "shared" },
        { kind: "host-name", value: "tv", said: "network", weight: "weak" },
      ],
      others: [{ id: "d2", name: evil, because: [evil, "both have addresses of their own"] }],
      decisions: [{ at: "", what: evil }],
    };
    const lines = [...whyLines(lampReport("d1", { name: evil, manufacturer: evil, reason: evil }), story)];
    for (const line of lines) {
      expect(line).not.toMatch(/[\u0000-\u001f\u202e]/);
      expect(line.length).toBeLessThan(800);
    }
    expect(lines).toContain("    - both have addresses of their own");
    expect(lines).toContain("  host name tv: the network says so; not enough by itself");
    expect(lines.join("\n")).toContain("counts for nothing: many devices have the same");
  });
});

describe("groups", () => {
  it("are set, listed, shown with their devices, and removed", async () => {
    await using home = await smallCli();
    expect((await home.dmgw("groups")).err).toContain("no group yet: dmgw groups set");
    const set = await home.dmgw("groups", "set", "lamps", "--rule", "name=lamp* | state=seen", "--name", "All lamps");
    expect(set.code).toBe(0);
    expect(set.out).toMatch(
      /^group +lamps All lamps\nrule +name=lamp\* \| state=seen\nin the tree +\.\/GwMO\/DeviceInventory\/Groups\/lamps\ndevices +2\n\nID .*\nd1 .*\nd3 .*\n$/,
    );
    expect((await home.dmgw("groups", "show", "lamps")).out).toBe(set.out);
    await home.dmgw("groups", "set", "mine", "--members", "d2, d1");
    expect((await home.dmgw("groups")).out).toMatch(
      /^ID +NAME +DEVICES +RULE\nlamps +All lamps +2 +name=lamp\* \| state=seen\nmine +mine +2 +\(a list\)\n$/,
    );
    expect(json((await home.dmgw("groups", "show", "mine", "--json")).out)).toEqual({
      id: "mine",
      name: "mine",
      rule: "",
      members: ["d1", "d2"],
    });
    expect((await home.dmgw("get", "./GwMO/DeviceInventory/Groups/mine", "--deep")).out).toContain("Members/d2 => d2");
    expect((await home.dmgw("groups", "rm", "mine")).out).toBe("mine removed\n");
    expect((await home.dmgw("groups", "rm", "mine")).err).toBe(
      'dmgw groups: 404 not found: there is no group "mine"\n  next: see which there are: dmgw groups\n',
    );
    expect((await home.dmgw("groups", "set", "x", "--members", "d77")).err).toContain("dmgw devices");
    expect((await home.dmgw("groups", "set", "x", "--rule", "room=a")).err).toMatch(
      /400 .*"room" is not known.*\n {2}next: how a rule is written: dmgw groups --help\n$/,
    );
    expect((await dmgw(["groups", "--help"])).out).toContain("& binds closer");
  });
});
