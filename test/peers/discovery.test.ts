import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startAvahi } from "./lib/avahi.ts";
import type { Avahi } from "./lib/avahi.ts";
import { bundle } from "./lib/bundle.ts";
import { startDiscovered } from "./lib/discovered.ts";
import type { Discovered } from "./lib/discovered.ts";
import { openHome } from "./lib/namespaces.ts";
import type { Device, Home } from "./lib/namespaces.ts";
import { startPeer, until } from "./lib/process.ts";
import type { Peer } from "./lib/process.ts";
import { discoverWithGssdp, startMinidlna, startRenderer } from "./lib/upnp.ts";

const announced = 2000;
let printer: Awaited<ReturnType<typeof bundle>>;
let home: Home;
let first: Device;
let second: Device;
let gateway: Discovered;
const measured: string[] = [];

beforeAll(async () => {
  printer = await bundle("test/peers/lib/discovery-printer.ts");
  home = openHome(2);
  [first, second] = home.devices as [Device, Device];
  gateway = await startDiscovered(printer.file, home.gateway);
});
afterAll(async () => {
  await gateway.stop();
  home.close();
  printer.remove();
  console.log(measured.join("\n"));
});

function inTime(what: string, from: number, at: number): void {
  measured.push(`${what}: ${at - from} ms`);
  expect(at - from).toBeLessThan(announced);
}

describe("services that avahi publishes", () => {
  let avahi: Avahi;
  let printing: Peer;
  beforeAll(async () => {
    avahi = await startAvahi(first.namespace, "kitchen");
  });
  afterAll(() => avahi.stop());

  it("are seen within 2 s of their announcement, with name, port, addresses and text", async () => {
    const from = Date.now();
    printing = await avahi.publish("Kitchen Printer 2.0", "_ipp._tcp", 631, "ty=LaserThing 9", "rp=ipp/print");
    // avahi probes for some 750 ms before it announces (RFC 6762 8.1), and says "established" when it does.
    const seen = await gateway.find(
      "seen",
      (s) => s.key === "kitchen printer 2.0._ipp._tcp.local" && s.port !== undefined,
    );
    inTime("avahi: service started -> seen", from, seen.at);
    expect(seen).toMatchObject({
      source: "mdns",
      name: "Kitchen Printer 2.0",
      service: "_ipp._tcp",
      port: 631,
      interface: "br-lan",
      text: { ty: "LaserThing 9", rp: "ipp/print" },
    });
    expect(seen.addresses[0]).toBe(first.address);
    expect(seen.addresses).toContain("fd77::2");
  });

  it("are found by asking as well, when they were there before and by a type of their own", async () => {
    const own = await avahi.publish("Weather", "_dmgwtest._udp", 9999);
    const late = await startDiscovered(printer.file, home.gateway, { interfaces: ["br-lan"] });
    const ready = await late.find("ready", () => true);
    for (const key of ["weather._dmgwtest._udp.local", "kitchen printer 2.0._ipp._tcp.local"]) {
      const seen = await late.find("seen", (s) => s.key === key && s.port !== undefined);
      inTime(`avahi: start of discovery -> ${key}`, ready.at, seen.at);
    }
    await late.stop();
    await own.stop();
  });

  it("are gone after their goodbye, and others stay", async () => {
    const stays = await avahi.publish("Stays", "_http._tcp", 80, "path=/");
    await gateway.find("seen", (s) => s.key === "stays._http._tcp.local");
    const from = Date.now();
    await printing.stop();
    const gone = await gateway.find("gone", (g) => g.key === "kitchen printer 2.0._ipp._tcp.local");
    expect(gone.why).toBe("goodbye");
    inTime("avahi: unpublished -> gone", from, gone.at);
    expect(gateway.events().some((e) => e.event === "gone" && e.key === "stays._http._tcp.local")).toBe(false);
    await stays.stop();
    await gateway.find("gone", (g) => g.key === "stays._http._tcp.local");
  });

  it("stay visible to others while we ask", async () => {
    const peer = await avahi.publish("Still There", "_http._tcp", 8080);
    const other = await startAvahi(second.namespace, "other");
    const browsed = await until("avahi to see it", async () => {
      const text = await other.browse();
      return text.includes("Still\\032There") && text.includes(first.address) ? text : undefined;
    });
    expect(browsed).toContain("8080");
    await other.stop();
    await peer.stop();
  });
});

describe("UPnP devices", () => {
  const media = "4d696e69-444c-164e-9d41-0123456789ab";
  const renderer = "12345678-1234-1234-1234-0123456789ab";

  it("minidlna is seen within 2 s of its announcement, and gone after its byebye", async () => {
    const from = Date.now();
    const peer = await startMinidlna(first.namespace, { name: "Lab Media", uuid: media, serial: "12345678" });
    const seen = await gateway.find("seen", (s) => s.key === `uuid:${media}`);
    inTime("minidlna: started -> seen", from, seen.at);
    const whole = await gateway.find(
      "seen",
      (s) => s.key === `uuid:${media}` && s.text["NT"]?.includes("ContentDirectory") === true,
    );
    expect(whole).toMatchObject({
      source: "ssdp",
      service: "urn:schemas-upnp-org:device:MediaServer:1",
      addresses: [first.address],
      port: 8200,
      interface: "br-lan",
    });
    expect(whole.name).toMatch(/^MiniDLNA /);
    expect(whole.text["LOCATION"]).toBe(`http://${first.address}:8200/rootDesc.xml`);
    expect(whole.text["SERVER"]).toContain("MiniDLNA");
    const stopping = Date.now();
    await peer.stop();
    const gone = await gateway.find("gone", (g) => g.key === `uuid:${media}`);
    expect(gone.why).toBe("goodbye");
    inTime("minidlna: stopped -> gone", stopping, gone.at);
  });

  it("gmediarender is seen, found by a search of a later gateway, and gone after its byebye", async () => {
    const from = Date.now();
    const peer = await startRenderer(second.namespace, { name: "Lab Renderer", uuid: renderer });
    const isRenderer = (service: string) => service === "urn:schemas-upnp-org:device:MediaRenderer:1";
    const seen = await gateway.find("seen", (s) => s.key === `uuid:${renderer}` && isRenderer(s.service));
    inTime("gmediarender: started -> seen", from, seen.at);
    const late = await startDiscovered(printer.file, home.gateway, { interfaces: ["br-lan"] });
    await late.find("seen", (s) => s.key === `uuid:${renderer}` && isRenderer(s.service));
    await late.stop();
    const stopping = Date.now();
    await peer.stop();
    const gone = await gateway.find("gone", (g) => g.key === `uuid:${renderer}`);
    inTime("gmediarender: stopped -> gone", stopping, gone.at);
  });

  it("are found by gssdp-discover from the same LAN while we listen and search", async () => {
    const peer = await startMinidlna(first.namespace, { name: "Lab Media", uuid: media, serial: "12345678" });
    await gateway.find("seen", (s) => s.key === `uuid:${media}`, { since: Date.now() - 100 });
    const found = await discoverWithGssdp(second.namespace, 4);
    expect(found).toContain(`uuid:${media}::urn:schemas-upnp-org:device:MediaServer:1`);
    // It lists whatever answers or announces: the gateway is no UPnP device and must not look like one.
    expect(found).not.toContain("10.77.0.1");
    await peer.stop();
  });
});

describe("interfaces", () => {
  it("one that comes later is picked up, and what hangs on it is seen there", async () => {
    const device = home.addLan("lan9");
    await until("the new interface to be listened on", async () => {
      const { mdns, ssdp } = await gateway.status();
      return mdns.detail?.includes("lan9") === true && ssdp.detail?.includes("lan9") === true ? true : undefined;
    });
    const avahi = await startAvahi(device.namespace, "shed");
    const peer = await avahi.publish("Shed Camera", "_rtsp._tcp", 554);
    const seen = await gateway.find("seen", (s) => s.key === "shed camera._rtsp._tcp.local" && s.port === 554);
    expect(seen).toMatchObject({ interface: "lan9" });
    expect(seen.addresses[0]).toBe("10.78.0.2");
    await peer.stop();
    await gateway.find("gone", (g) => g.key === "shed camera._rtsp._tcp.local");
    await avahi.stop();
  });

  it("one that is made anew, with nothing changed but what the kernel keeps of it, is listened on again", async () => {
    // Real time is the peers'; ours runs 30 times faster, so that the questions of the first minutes fall into seconds.
    const quick = await startDiscovered(printer.file, home.gateway, { interfaces: ["br-lan"], speed: 30 });
    home.renewBridge();
    const joined = () => home.run(home.gateway, "ip", "maddress", "show", "dev", "br-lan");
    await until("both groups to be joined again", () =>
      joined().includes("224.0.0.251") && joined().includes("239.255.255.250") ? true : undefined,
    );
    const avahi = await startAvahi(first.namespace, "attic");
    const peer = await avahi.publish("Attic Light", "_hap._tcp", 51826);
    await quick.find("seen", (s) => s.key === "attic light._hap._tcp.local");
    await peer.stop();
    await avahi.stop();
    await quick.stop();
  });

  it("whose ports a program holds for itself are told on status, and heard as soon as it lets go", async () => {
    const hold = `import socket, time
held = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in (5353, 1900)]
for s, port in zip(held, (5353, 1900)): s.bind(("0.0.0.0", port))
print("held", flush=True)
time.sleep(60)`;
    const alone = home.devices[1] as Device;
    const holder = await startPeer("python3", ["-c", hold], { namespace: alone.namespace, ready: /held/ });
    const late = await startDiscovered(printer.file, alone.namespace, { interfaces: ["eth0"] });
    const { mdns, ssdp } = await late.status();
    // What holds IPv4's port does not hold that of IPv6: the link runs with it alone.
    const detail = expect.stringMatching(/without IPv4 on eth0: .*5353 is taken/) as string;
    expect(mdns).toMatchObject({ state: "listening", detail });
    expect(ssdp).toMatchObject({ state: "error", error: expect.stringContaining("1900 is taken") as string });
    await holder.stop();
    await until("both to listen", async () => {
      const now = await late.status();
      return (now.mdns.detail?.includes("without") === false && now.ssdp.state === "listening") || undefined;
    });
    await late.stop();
  });
});
