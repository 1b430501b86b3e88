import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startAnnounced } from "./lib/announced.ts";
import type { Announced } from "./lib/announced.ts";
import { startAvahi } from "./lib/avahi.ts";
import type { Avahi } from "./lib/avahi.ts";
import { bundle } from "./lib/bundle.ts";
import { startDiscovered } from "./lib/discovered.ts";
import { openHome } from "./lib/namespaces.ts";
import type { Device, Home } from "./lib/namespaces.ts";
import { startPeer, until } from "./lib/process.ts";

const id = "urn:uuid:5a3e9f0c-6a0b-4b8e-9a53-0c1d2e3f4a5b";
let announcer: Awaited<ReturnType<typeof bundle>>;
let printer: Awaited<ReturnType<typeof bundle>>;
let home: Home;
let first: Device;
let second: Device;
let gateway: Announced;
let avahi: Avahi;

beforeAll(async () => {
  announcer = await bundle("test/peers/lib/announcer-printer.ts");
  printer = await bundle("test/peers/lib/discovery-printer.ts");
  home = openHome(2);
  [first, second] = home.devices as [Device, Device];
  avahi = await startAvahi(first.namespace, "laptop");
  gateway = await startAnnounced(announcer.file, home.gateway, { id });
});
afterAll(async () => {
  await gateway.stop();
  await avahi.stop();
  home.close();
  announcer.remove();
  printer.remove();
});

/** Lines of avahi-browse about one type, as `-p` prints them. */
async function browse(by: Avahi = avahi): Promise<readonly (readonly string[])[]> {
  const text = await by.run("avahi-browse", "--resolve", "--parsable", "--terminate", "_dmgw._tcp");
  return text
    .split("\n")
    .filter((line) => line.startsWith("="))
    .map((line) => line.split(";"));
}

const named = (name: string) => (line: readonly string[]) => line[3] === name;

describe("avahi", () => {
  it("finds the gateway by IPv4 and IPv6, with its host, addresses and id", async () => {
    const lines = await until("both", async () => {
      const found = (await browse()).filter(named("dmgw\\032on\\032router"));
      return found.length >= 2 ? found : undefined;
    });
    expect(new Set(lines.map((line) => line[2]))).toEqual(new Set(["IPv4", "IPv6"]));
    for (const line of lines) {
      expect(line[6]).toMatch(/^dmgw-[0-9a-f]{8}\.local$/);
      expect(line[8]).toBe("0");
      expect(line[9]).toContain(`"id=${id}"`);
      expect(line[9]).toContain('"ver=1.2.3"');
    }
    expect(lines.map((line) => line[7])).toContain("10.77.0.1");
  });

  it("finds the type among all types, and resolves the host", async () => {
    await until("the type", async () => (await avahi.browse()).includes("_dmgw._tcp") || undefined);
    const [line] = await browse();
    const host = line?.[6] ?? "";
    expect(await avahi.run("avahi-resolve", "-4", "-n", host)).toContain("10.77.0.1");
    expect(await avahi.run("avahi-resolve", "-6", "-n", host)).toContain("fd77::1");
  });

  it("may run on the gateway's own machine: both have the port, neither takes the other's name", async () => {
    const own = await startAvahi(home.gateway, "router", { interfaces: ["br-lan"] });
    const peer = await own.publish("Router Page", "_http._tcp", 80);
    await until("both from the LAN", async () => {
      const all = await avahi.browse();
      return (all.includes("Router\\032Page") && all.includes("dmgw\\032on\\032router")) || undefined;
    });
    await until("the gateway from its own machine", async () => (await browse(own)).length > 0 || undefined);
    expect((await gateway.status()).detail).toContain('as "dmgw on router"');
    await peer.stop();
    await own.stop();
  });

  it("holds a name first, and the gateway takes another", async () => {
    const peer = await avahi.publish("dmgw on router (2)", "_dmgw._tcp", 9, "id=other");
    const late = await startAnnounced(announcer.file, second.namespace, { id: "com.example:late" });
    await until("its name", async () => (await late.status()).detail.includes('"dmgw on router (3)"') || undefined);
    await late.stop();
    await peer.stop();
  });

  it("sees it go at a clean stop, within two seconds", async () => {
    const late = await startAnnounced(announcer.file, second.namespace, { id: "com.example:late" });
    const there = async () => (await browse()).some(named("dmgw\\032on\\032router\\032\\0402\\041"));
    await until("it", async () => (await there()) || undefined);
    await late.stop();
    await until("its end", async () => !(await there()) || undefined, 2000);
  });
});

describe("gssdp", () => {
  it("finds the target, when it asks and when it listens", async () => {
    const target = "urn:dmgw:service:gateway:1";
    const finder = await startPeer("gssdp-discover", ["-i", "eth0", "-t", target, "-n", "6"], {
      namespace: first.namespace,
    });
    await new Promise((resolve) => finder.process.once("close", resolve));
    expect(finder.output()).toContain(`uuid:5a3e9f0c-6a0b-4b8e-9a53-0c1d2e3f4a5b::${target}`);
  });
});

describe("two gateways on one LAN", () => {
  it("see each other, and not themselves", async () => {
    const other = await startAnnounced(announcer.file, first.namespace, { id: "com.example:2" });
    const ours = await startDiscovered(printer.file, home.gateway, { id });
    const theirs = await startDiscovered(printer.file, first.namespace, { id: "com.example:2" });
    for (const source of ["mdns", "ssdp"]) {
      const seen = await ours.find("seen", (s) => s.source === source && s.text["id"] === "com.example:2");
      expect(seen.addresses).toContain(first.address);
      await theirs.find("seen", (s) => s.source === source && s.text["id"] === id);
    }
    const selves = (events: ReturnType<typeof ours.events>, own: string) =>
      events.filter((e) => e.event === "seen" && e.text["id"] === own);
    expect(selves(ours.events(), id)).toEqual([]);
    expect(selves(theirs.events(), "com.example:2")).toEqual([]);
    await other.stop();
    await ours.find("gone", (g) => g.key.includes("_dmgw._tcp") && g.why === "goodbye");
    await ours.find("gone", (g) => g.key.startsWith("uuid:") && g.why === "goodbye");
    await ours.stop();
    await theirs.stop();
  });
});

describe("a flood of questions", () => {
  it("gets a bounded number of answers, and costs bounded time", async () => {
    const seconds = 4;
    const flood = `import socket, struct, time
def name(n): return b"".join(bytes([len(p)]) + p for p in n.split(b".")) + b"\\0"
q = struct.pack(">HHHHHH", 0, 0, 1, 0, 0, 0) + name(b"_dmgw._tcp.local") + struct.pack(">HH", 12, 1)
m = b"M-SEARCH * HTTP/1.1\\r\\nHOST: 239.255.255.250:1900\\r\\nMAN: \\"ssdp:discover\\"\\r\\nMX: 1\\r\\nST: ssdp:all\\r\\n\\r\\n"
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("${second.address}", 5353))
l = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
l.bind(("${second.address}", 0))
end = time.time() + ${seconds}
sent = 0
while time.time() < end:
    for _ in range(10):
        s.sendto(q, ("224.0.0.251", 5353)); l.sendto(q, ("224.0.0.251", 5353)); l.sendto(m, ("239.255.255.250", 1900)); sent += 3
    time.sleep(0.001)
print("sent", sent, flush=True)`;
    const dump = await startPeer(
      "tcpdump",
      ["-l", "-n", "-i", "br-lan", "-Q", "out", "udp and src host 10.77.0.1 and (src port 5353 or dst host 10.77.0.3)"],
      { namespace: home.gateway, ready: /listening on/ },
    );
    const before = (await gateway.status()).cpu;
    const flooder = await startPeer("python3", ["-c", flood], { namespace: second.namespace });
    await new Promise((resolve) => flooder.process.once("close", resolve));
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const { cpu } = await gateway.status();
    await dump.stop("SIGINT");
    const packets = dump
      .output()
      .split("\n")
      .filter((line) => /IP6? /.test(line));
    const toGroup = packets.filter((line) => line.includes("224.0.0.251"));
    const alone = packets.filter((line) => line.includes(`> ${second.address}.`));
    console.log(
      `${flooder.output().trim()} questions in ${seconds} s; answers to the group ${toGroup.length}, to the asker ${alone.length}; ` +
        `CPU ${Math.round((cpu.user + cpu.system - before.user - before.system) / 1000)} ms`,
    );
    expect(toGroup.length).toBeGreaterThan(0);
    expect(toGroup.length).toBeLessThanOrEqual(seconds + 3);
    // Four in a second by each of the two ways, and one second begins and one ends in between.
    expect(alone.length).toBeLessThanOrEqual(2 * 4 * (seconds + 2));
  });
});
