import { describe, expect, it } from "vitest";
import { face, home, uuid } from "../identity/home.ts";

const nas = "00:11:32:44:55:66";
const minute = 60_000;
const day = 24 * 60 * minute;
type Home = ReturnType<typeof home>;
const life = (h: Home, id = "d1") => {
  const { state, reason } = h.bridge.device(id);
  return `${state}: ${reason}`;
};

async function seenDevice(): Promise<Home> {
  const h = home();
  await h.neighbour(nas, "192.168.1.30");
  return h;
}

describe("the state of a device", () => {
  it("is seen, away, gone and seen again, each with its reason and since when", async () => {
    const h = await seenDevice();
    expect(life(h)).toBe("seen: heard by the neighbour table");
    await h.clock.advance(29 * minute);
    expect(life(h)).toBe("seen: heard by the neighbour table");
    await h.clock.advance(2 * minute);
    expect(life(h)).toBe("away: not heard for 30 minutes");
    expect(h.bridge.device("d1").since).toMatch(/^2026-01-01T00:3[01]:00/);
    h.clock.jump(30 * day - 32 * minute);
    await h.clock.advance(minute);
    expect(life(h)).toBe("away: not heard for 30 minutes");
    h.clock.jump(5 * minute);
    await h.clock.advance(minute);
    expect(life(h)).toBe("gone: not heard for 30 days");
    h.bridge.heard("neighbours", `${nas}%lan`);
    expect(life(h)).toBe("seen: heard by the neighbour table");
    expect(h.ids()).toEqual(["d1"]);
  });

  it("is away at once when the last thing that showed it said goodbye, not before", async () => {
    const h = home();
    await h.ssdp(uuid(1), "192.168.1.30");
    await h.mdns("Files", "_smb._tcp", "192.168.1.30");
    h.gone("ssdp", `uuid:${uuid(1)}`);
    expect(life(h)).toMatch(/^seen/);
    h.gone("mdns", "files._smb._tcp.local");
    expect(life(h)).toBe("away: it said goodbye by mDNS");
  });

  it.each([
    ["unanswered", "away: it does not answer"],
    ["expired", "away: no more heard by the neighbour table"],
  ] as const)("tells how it ended: %s", async (why, said) => {
    const h = await seenDevice();
    h.bridge.gone("neighbours", `${nas}%lan`, why);
    expect(life(h)).toBe(said);
  });

  it("is not changed by a lease: it only says who has which address", async () => {
    const h = home();
    await h.lease(nas, "192.168.1.30", "files");
    expect(h.bridge.device("d1")).toMatchObject({ state: "away", reachable: false, lastSeen: "" });
    await h.neighbour(nas, "192.168.1.30");
    await h.clock.advance(31 * minute);
    await h.lease(nas, "192.168.1.30", "files");
    h.bridge.heard("leases", nas);
    expect(life(h)).toBe("away: not heard for 30 minutes");
  });

  it("is managed for as long as its adapter hears it, however silent the network is", async () => {
    const h = home();
    const attached = h.host.attach(face("mqtt:lamp"));
    await h.clock.advance(2 * 60 * minute);
    expect(life(h)).toBe("managed: its MQTT adapter has found it");
    attached.reachable(false);
    expect(life(h)).toBe("away: MQTT says that it is away");
    attached.reachable(true);
    expect(life(h)).toBe("managed: heard by MQTT");
    h.bridge.withdraw("mqtt");
    expect(life(h)).toBe("away: the adapter mqtt was stopped");
  });

  it("has the reason of what brought it, also where that takes the device out of the tree or puts it there", async () => {
    const h = home();
    const attached = h.host.attach(face("mqtt:lamp"));
    h.host.attach(face("upnp:tv", { name: "UPnP", access: "approve" }));
    await h.ssdp(uuid(1), "192.168.1.20");
    await h.bridge.ignore("d1", true);
    expect(life(h)).toBe("ignored: a person does not want to see it");
    await h.bridge.ignore("d1", false);
    expect(life(h)).toBe("managed: not ignored any more");
    attached.detach();
    expect(life(h)).toBe("away: it left MQTT");
  });

  it("is ignored whatever is heard, and what it is otherwise when that is over", async () => {
    const h = await seenDevice();
    await h.bridge.ignore("d1", true);
    expect(life(h)).toBe("ignored: a person does not want to see it");
    await h.clock.advance(60 * minute);
    h.bridge.heard("neighbours", `${nas}%lan`);
    expect(h.bridge.device("d1").state).toBe("ignored");
    await h.bridge.ignore("d1", false);
    expect(life(h)).toBe("seen: not ignored any more");
  });

  it("is away after a restart until it is heard, and gone if that is long ago", async () => {
    const h = await seenDevice();
    await h.bridge.stop();
    const later = h.again();
    expect(life(later)).toBe("away: not heard of since the gateway started");
    h.clock.jump(31 * day);
    expect(h.again().bridge.device("d1").state).toBe("gone");
  });

  it("holds where nobody can be asked: without a neighbour table a sighting is there until it ends", async () => {
    const h = home();
    await h.ssdp(uuid(1), "192.168.1.30");
    await h.clock.advance(3 * 60 * minute);
    expect(life(h)).toMatch(/^seen/);
    h.bridge.gone("ssdp", `uuid:${uuid(1)}`);
    expect(life(h)).toBe("away: no more heard by SSDP");
  });
});

describe("what is silent", () => {
  it("is asked for after 20 minutes, then ever less often, six hours at most between", async () => {
    const h = await seenDevice();
    const asked: number[] = [];
    for (let at = 1; at <= 48 * 60; at++) {
      const before = h.probes.length;
      await h.clock.advance(minute);
      if (h.probes.length > before) asked.push(at);
    }
    const gaps = asked.map((at, n) => at - (asked[n - 1] ?? 0));
    expect(gaps.slice(0, 7)).toEqual([20, 5, 10, 20, 40, 80, 160]);
    expect(new Set(gaps.slice(8))).toEqual(new Set([360]));
  });

  it("says when it is asked next, and is asked soon again once it was heard", async () => {
    const h = await seenDevice();
    const next = () => (Date.parse(h.bridge.device("d1").nextProbe ?? "") - h.clock.now()) / minute;
    expect(next()).toBeCloseTo(20, 1);
    await h.clock.advance(61 * minute);
    expect(next()).toBeGreaterThan(20);
    h.bridge.heard("neighbours", `${nas}%lan`);
    await h.clock.advance(0);
    expect(next()).toBeCloseTo(20, 1);
  });

  it("is not asked for where it is not known to be, nor when it is ignored", async () => {
    const h = await seenDevice();
    await h.bridge.ignore("d1", true);
    h.host.attach(face("mqtt:lamp"));
    await h.clock.advance(5 * 60 * minute);
    expect(h.probes).toEqual([]);
    for (const id of ["d1", "d2"]) expect(h.bridge.device(id).nextProbe).toBeUndefined();
  });

  it("all at once is asked for by 32 a minute, and nobody is left out", async () => {
    const h = home();
    for (let n = 0; n < 100; n++) await h.neighbour(`00:1e:2a:00:01:${(16 + n).toString(16)}`, `192.168.1.${n + 1}`);
    const perMinute: number[] = [];
    await h.clock.advance(19 * minute + 500);
    for (let n = 0; n < 5; n++) {
      const before = h.probes.length;
      await h.clock.advance(minute);
      perMinute.push(h.probes.length - before);
    }
    expect(Math.max(...perMinute)).toBe(32);
    expect(new Set(h.probes).size).toBe(100);
  });
});

describe("a gateway that stops", () => {
  it("asks for nobody any more, and leaves no timer", async () => {
    const h = await seenDevice();
    await h.ssdp(uuid(1), "192.168.1.77");
    await h.bridge.stop();
    expect(h.clock.timers).toBe(0);
  });
});
