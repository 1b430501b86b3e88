import { execFileSync } from "node:child_process";

/**
 * A home in network namespaces: a gateway with the bridge `br-lan` (10.77.0.1/24, fd77::1/64), and devices that hang on it, each with
 * `eth0` (10.77.0.2 and on, fd77::2 and on) and a default route to the gateway. Needs root and iproute2.
 */
export interface Home {
  /** Name of the gateway's namespace. */
  readonly gateway: string;
  readonly devices: readonly Device[];
  /** A second LAN on the gateway: interface `name` with 10.78.0.1/24, and one device on it at 10.78.0.2. */
  addLan(name: string): Device;
  /** The other side of the gateway: interface `wan` with 203.0.113.1/24, and whoever is out there at 203.0.113.2. */
  addWan(): Device;
  /** Takes the bridge away and makes it again, alike. */
  renewBridge(): void;
  /** Runs a command in a namespace to its end; answers what it printed. */
  run(namespace: string, ...command: string[]): string;
  /** Takes it all away; the processes in it must have been stopped. */
  close(): void;
}

export interface Device {
  readonly namespace: string;
  readonly address: string;
}

/** `macs`: hardware addresses of the first devices; those that the kernel makes up look like those of a phone. */
export function openHome(count: number, macs: readonly string[] = []): Home {
  const id = `dmgw${process.pid}`;
  const gateway = `${id}-gw`;
  const made: string[] = [];

  const ip = (...args: string[]) => execFileSync("ip", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  const run = (namespace: string, ...command: string[]) => ip("netns", "exec", namespace, ...command);
  const addNamespace = (name: string) => {
    ip("netns", "add", name);
    made.push(name);
    ip("-n", name, "link", "set", "lo", "up");
    // An IPv6 address that is still being checked for duplicates is none that a responder announces.
    run(name, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0");
  };
  const addDevice = (
    name: string,
    onGateway: string,
    [address, address6]: readonly [string, string],
    router: string,
    mac?: string,
  ): Device => {
    addNamespace(name);
    const own = mac === undefined ? [] : ["address", mac];
    ip("link", "add", "eth0", ...own, "netns", name, "type", "veth", "peer", "name", onGateway, "netns", gateway);
    ip("-n", name, "addr", "add", `${address}/24`, "brd", "+", "dev", "eth0");
    ip("-n", name, "addr", "add", `${address6}/64`, "dev", "eth0", "nodad");
    ip("-n", name, "link", "set", "eth0", "up");
    ip("-n", gateway, "link", "set", onGateway, "up");
    ip("-n", name, "route", "add", "default", "via", router);
    return { namespace: name, address };
  };

  const ports: string[] = [];
  /** In one breath: who looks every now and then sees no difference. */
  const renewBridge = () => {
    const lines = [
      "link add br-lan address 02:00:00:00:77:01 type bridge mcast_snooping 0 forward_delay 0",
      "addr add 10.77.0.1/24 brd + dev br-lan",
      "addr add fd77::1/64 dev br-lan nodad",
      "link set br-lan up",
      ...ports.map((port) => `link set ${port} master br-lan`),
    ];
    if (ports.length > 0) lines.unshift("link del br-lan");
    execFileSync("ip", ["-n", gateway, "-batch", "-"], { input: lines.join("\n") });
  };

  const close = () => {
    for (const name of made.splice(0)) ip("netns", "del", name);
  };

  try {
    addNamespace(gateway);
    renewBridge();
    const devices = Array.from({ length: count }, (_, n) => {
      const addresses = [`10.77.0.${n + 2}`, `fd77::${n + 2}`] as const;
      const device = addDevice(`${id}-d${n + 1}`, `port${n + 1}`, addresses, "10.77.0.1", macs[n]);
      ip("-n", gateway, "link", "set", `port${n + 1}`, "master", "br-lan");
      ports.push(`port${n + 1}`);
      return device;
    });
    return {
      gateway,
      devices,
      addLan(name) {
        const device = addDevice(`${id}-${name}`, name, ["10.78.0.2", "fd78::2"], "10.78.0.2");
        ip("-n", gateway, "addr", "add", "10.78.0.1/24", "brd", "+", "dev", name);
        return device;
      },
      addWan() {
        const device = addDevice(`${id}-wan`, "wan", ["203.0.113.2", "2001:db8::2"], "203.0.113.1");
        ip("-n", gateway, "addr", "add", "203.0.113.1/24", "brd", "+", "dev", "wan");
        return device;
      },
      renewBridge,
      run,
      close,
    };
  } catch (reason) {
    close();
    throw reason;
  }
}
