import { describe, expect, it } from "vitest";
import { path } from "../../tree/small-home.ts";
import { face, home, uuid } from "../identity/home.ts";

const tv = "00:1d:c9:01:02:03";
const nas = "00:11:32:44:55:66";
const minute = 60_000;
const status = (code: number) => expect.objectContaining({ status: code }) as unknown;

async function twoDevices(): Promise<ReturnType<typeof home>> {
  const h = home();
  await h.neighbour(tv, "192.168.1.20");
  await h.neighbour(nas, "192.168.1.30");
  await h.ssdp(uuid(2), "192.168.1.30");
  await h.ssdp(uuid(3), "192.168.1.30");
  return h;
}
const whats = (h: ReturnType<typeof home>, id: string) => h.bridge.why(id).decisions.map(({ what }) => what);

describe("what a person asks for in vain", () => {
  it.each<[string, number, (h: ReturnType<typeof home>) => Promise<unknown>]>([
    ["a merge with one that is not there", 404, (h) => h.bridge.merge("d1", "d77")],
    ["a merge into one that is not there", 404, (h) => h.bridge.merge("d77", "d1")],
    ["a merge with itself", 409, (h) => h.bridge.merge("d1", "d1")],
    ["a split of one that is not there", 404, (h) => h.bridge.split("d77", [])],
    ["a split of an identity that it has not", 412, (h) => h.bridge.split("d2", ["ssdp uuid:other"])],
    [
      "a split of everything",
      412,
      (h) =>
        h.bridge.split(
          "d2",
          [uuid(2), uuid(3)].map((one) => `ssdp uuid:${one}`),
        ),
    ],
    ["a split that does not say of what", 412, (h) => h.bridge.split("d2", [])],
    ["an ignore of one that is not there", 404, (h) => h.bridge.ignore("d77", true)],
    ["an approval of one that is not there", 404, (h) => h.bridge.approve("d77")],
    ["an approval of what nobody speaks the protocol of", 405, (h) => h.bridge.approve("d1")],
    ["a forget of one that is not there", 404, (h) => h.bridge.forget("d77")],
    ["a name of 256 bytes", 413, (h) => h.bridge.name("d1", "é".repeat(128))],
    ["anything of __proto__", 404, (h) => h.bridge.ignore("__proto__", true)],
  ])("%s is answered by %i, and changes nothing", async (_, code, ask) => {
    const h = await twoDevices();
    const before = h.listed();
    await expect(ask(h)).rejects.toEqual(status(code));
    expect(h.listed()).toEqual(before);
    expect([whats(h, "d1"), whats(h, "d2")]).toEqual([[], []]);
  });

  it("says what there is to split", async () => {
    const h = await twoDevices();
    await expect(h.bridge.split("d2", ["x"])).rejects.toThrow(
      `"x" is no identity of d2; it has "neighbours ${nas}%lan", "ssdp uuid:${uuid(2)}", "ssdp uuid:${uuid(3)}"`,
    );
  });

  it("is a second merge, by whichever number", async () => {
    const h = await twoDevices();
    await h.bridge.merge("d1", "d2");
    await expect(h.bridge.merge("d1", "d2")).rejects.toEqual(status(409));
    await expect(h.bridge.merge("d2", "d1")).rejects.toEqual(status(409));
  });
});

describe("what a person decides", () => {
  it("is listed with its time, in words, the last sixteen", async () => {
    const h = await twoDevices();
    await h.bridge.merge("d1", "d2");
    expect(whats(h, "d1")).toEqual([`d2 (${"MediaServer"}) is d1 (d1)`]);
    await h.bridge.split("d1", []);
    expect(whats(h, "d1").at(-1)).toBe("d2 is another device");
    expect(whats(h, "d2")).toEqual(["it is another device than d1"]);
    for (let n = 0; n < 20; n++) await h.bridge.ignore("d1", n % 2 === 0);
    expect(whats(h, "d1")).toHaveLength(16);
    expect(whats(h, "d1").slice(-2)).toEqual(["it is ignored", "it is not ignored any more"]);
    expect(h.bridge.why("d1").decisions.at(-1)?.at).toMatch(/^2026-01-01T00:00:00/);
  });

  it("takes a merge back with the number and the name that it had, also after a restart", async () => {
    const h = await twoDevices();
    await h.bridge.name("d2", "Files");
    await h.bridge.merge("d1", "d2");
    expect([h.bridge.device("d2").id, h.bridge.device("d1").name]).toEqual(["d1", "Files"]);
    const later = h.again();
    expect(later.bridge.device("d2").id).toBe("d1");
    const parted = await later.bridge.split("d2", []);
    expect(parted.map(({ id, name }) => [id, name])).toEqual([
      ["d1", "Files"],
      ["d2", "Files"],
    ]);
    expect(later.listed().get("d2")).toEqual([`neighbours ${nas}%lan`, `ssdp uuid:${uuid(2)}`, `ssdp uuid:${uuid(3)}`]);
    await expect(later.bridge.split("d1", [])).rejects.toEqual(status(412));
  });

  it("parts what it names under a new number, and joins it again when asked", async () => {
    const h = await twoDevices();
    const [, other] = await h.bridge.split("d2", [`ssdp uuid:${uuid(2)}`]);
    expect([other.id, h.listed().get("d3")]).toEqual(["d3", [`ssdp uuid:${uuid(2)}`]]);
    await h.bridge.merge("d2", "d3");
    expect(h.ids()).toEqual(["d1", "d2"]);
    await h.ssdp(uuid(2), "192.168.1.31");
    expect(h.listed().get("d2")).toContain(`ssdp uuid:${uuid(2)}`);
  });

  it("is approved once, and told once", async () => {
    const h = home();
    h.host.attach(face("upnp:tv", { name: "UPnP", access: "approve" }));
    await h.clock.advance(1);
    await h.bridge.approve("d1");
    await h.bridge.approve("d1");
    expect(whats(h, "d1")).toEqual(["it is managed"]);
  });
});

describe("a disk that fails", () => {
  it.each<[string, (h: ReturnType<typeof home>) => Promise<unknown>, (h: ReturnType<typeof home>) => unknown]>([
    ["a merge", (h) => h.bridge.merge("d1", "d2"), (h) => h.ids()],
    ["a split", (h) => h.bridge.split("d2", [`ssdp uuid:${uuid(2)}`]), (h) => [...h.listed()]],
    ["an ignore", (h) => h.bridge.ignore("d2", true), (h) => h.bridge.device("d2").state],
  ])("says so of %s, and loses nothing: it is written later", async (_, ask, seen) => {
    const h = await twoDevices();
    for (let n = 0; n < 3; n++) h.store.failNext();
    await expect(ask(h)).rejects.toEqual(status(510));
    await h.clock.advance(2 * minute);
    const after = seen(h);
    await h.clock.advance(25 * minute);
    expect(seen(h.again())).toEqual(after);
    const numbers = h.again();
    await numbers.neighbour("00:1b:a9:00:00:01", "192.168.1.99");
    expect(new Set(numbers.ids()).size).toBe(numbers.ids().length);
  });

  it("says so of a name, and keeps the old one", async () => {
    const h = await twoDevices();
    await h.bridge.name("d1", "TV");
    h.store.failNext();
    await expect(h.bridge.name("d1", "Screen")).rejects.toEqual(status(510));
    expect(h.bridge.device("d1").name).toBe("TV");
  });

  it("leaves nothing in the tree of what a person does not want to see, and everything that was approved", async () => {
    const h = home();
    h.host.attach(face("mqtt:lamp"));
    h.host.attach(face("upnp:tv", { name: "UPnP", access: "approve" }));
    await h.clock.advance(1);
    h.store.failNext();
    await expect(h.bridge.ignore("d1", true)).rejects.toEqual(status(510));
    expect(h.tree.has(path("./Devices/d1"))).toBe(false);
    await h.clock.advance(1);
    h.store.failNext();
    await expect(h.bridge.approve("d2")).rejects.toEqual(status(510));
    await h.clock.advance(1);
    expect(h.tree.has(path("./Devices/d2/UPnP"))).toBe(true);
  });

  it("that works again keeps what is said again, before it answers", async () => {
    const h = home();
    h.host.attach(face("mqtt:lamp"));
    await h.clock.advance(1);
    h.store.failNext();
    h.store.failNext();
    await expect(h.bridge.ignore("d1", true)).rejects.toEqual(status(510));
    await h.clock.advance(1);
    await h.bridge.ignore("d1", true);
    expect(h.again().bridge.device("d1").state).toBe("ignored");
    expect(whats(h, "d1")).toEqual(["it is ignored"]);
  });
});
