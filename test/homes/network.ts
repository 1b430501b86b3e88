import { isHere } from "./physical.ts";
import type { Leg, Physical } from "./physical.ts";
import type { Random } from "./random.ts";

/** What the DHCP server has in its file. It stays for a while when the device has gone. */
export interface Lease {
  readonly owner: Physical;
  readonly leg: Leg;
  readonly mac: string;
  readonly address: string;
  readonly host: string;
  /** Nights until it ends without the device. */
  left: number;
}

/** A row of the neighbour table: the last MAC that answered for this address. */
export interface Row {
  /** Whose MAC it is: of a device behind a repeater, the repeater's. */
  readonly owner: Physical;
  readonly mac: string;
  readonly interface: string;
  readonly address: string;
}

const prefixes: Readonly<Record<string, string>> = { "br-lan": "192.168", iot: "10.10" };

/**
 * Addresses of a home: a DHCP server with a pool that is hardly larger than the home, so that addresses are soon another's, and the gateway's
 * neighbour table, which is right when it was asked last.
 */
export class Network {
  readonly leases = new Map<string, Lease>();
  /** By interface and address: the kernel has one row for each. */
  readonly rows = new Map<string, Row>();
  readonly #size: number;
  readonly #random: Random;

  constructor(devices: number, chance: Random) {
    this.#size = Math.ceil(devices * 2.4) + 5;
    this.#random = chance;
  }

  /** The addresses of a leg now; none without a lease and IPv6. */
  addressesOf(leg: Leg): readonly string[] {
    const v4 = this.leases.get(leg.mac);
    const v6 = leg.v6 || leg.v6Only === true ? v6Of(leg) : [];
    return v4 === undefined || leg.v6Only === true ? v6 : [v4.address, ...v6];
  }

  /** It asks for an address: the one that it has, or any that is free now. */
  lease(owner: Physical, leg: Leg): void {
    const known = this.leases.get(leg.mac);
    if (known !== undefined && onInterface(known.address, leg.interface)) {
      known.left = 1;
      return;
    }
    const host = leg.host ?? "";
    const address = leg.v6Only === true ? (v6Of(leg)[1] ?? "") : this.#free(leg.interface);
    this.leases.set(leg.mac, { owner, leg, mac: leg.mac, address, host, left: 1 });
  }

  release(mac: string): void {
    this.leases.delete(mac);
  }

  /** The gateway talks to this leg: its rows become right. Of a device that it never talks to, only what was there of others goes. */
  resolve(owner: Physical, leg: Leg): void {
    const speaker = owner.behind ?? owner;
    const mac = owner.behind?.active[0]?.mac ?? leg.mac;
    for (const address of this.addressesOf(leg)) {
      const at = `${leg.interface} ${address}`;
      if (owner.unheard.has("neighbours")) this.rows.delete(at);
      else this.rows.set(at, { owner: speaker, mac, interface: leg.interface, address });
    }
  }

  /** Rows that nobody has confirmed for a while go: all that are not true any more, or a share of them. */
  expire(devices: readonly Physical[], goes: () => boolean): void {
    const legs = devices.filter(isHere).flatMap(({ active }) => active);
    const used = new Set(legs.flatMap((leg) => this.addressesOf(leg).map((address) => `${leg.interface} ${address}`)));
    const macs = new Set(legs.map(({ mac }) => mac));
    for (const [at, row] of this.rows) if ((!used.has(at) || !macs.has(row.mac)) && goes()) this.rows.delete(at);
  }

  #free(onto: string): string {
    const taken = new Set([...this.leases.values()].map(({ address }) => address));
    for (;;) {
      const n = 2 + this.#random.below(this.#size);
      const address = `${prefixes[onto] ?? "172.16"}.${n >> 8}.${n & 255}`;
      if (!taken.has(address) && (n & 255) !== 255 && (n & 255) !== 0) return address;
    }
  }
}

function onInterface(address: string, name: string): boolean {
  return address.includes(":") || address.startsWith(`${prefixes[name] ?? "172.16"}.`);
}

/** Link-local and home-wide, both made from the MAC (RFC 4291, appendix A). */
function v6Of({ mac }: Leg): readonly string[] {
  const [a = "", b = "", c = "", d = "", e = "", f = ""] = mac.split(":");
  const first = (parseInt(a, 16) ^ 2).toString(16).padStart(2, "0");
  const half = [`${first}${b}`, `${c}ff`, `fe${d}`, `${e}${f}`].map((part) => part.replace(/^0{1,3}/, "")).join(":");
  return [`fe80::${half}`, `fd12:3456:789a:1:${half}`];
}
