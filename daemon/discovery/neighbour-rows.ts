import { isIP } from "node:net";

/** One row of the kernel's neighbour table: who answers for an address on a link. */
export interface NeighbourRow {
  /** Without zone. */
  readonly address: string;
  readonly interface: string;
  /** Lower case with colons; only of six octets. */
  readonly mac?: string;
  /** As the kernel calls it: "REACHABLE", "STALE", "FAILED" …; "COMPLETE" where it does not say more. */
  readonly state: string;
  /** Seconds since the kernel last knew for sure that the neighbour is there. Absent where it does not say. */
  readonly confirmedAgo?: number;
}

const longestRow = 512;
const macForm = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;
const states: ReadonlySet<string> = new Set(
  "REACHABLE STALE DELAY PROBE FAILED INCOMPLETE NOARP PERMANENT NONE".split(" "),
);

/**
 * A line of `ip [-s] neigh` or `ip monitor neigh`, of iproute2 or busybox. `timed`: it was asked for times (`-s`); busybox prints zeros without being
 * asked. undefined: it is none, or one that proxies for somebody else.
 */
export function parseRow(line: string, timed: boolean): NeighbourRow | undefined {
  if (line.length > longestRow) return undefined;
  const words = line.trim().split(/\s+/);
  const [address = "", dev, name, ...more] = words;
  const state = words.at(-1) ?? "";
  if (isIP(address) === 0 || dev !== "dev" || name === undefined || !states.has(state)) return undefined;
  if (more.includes("proxy")) return undefined;
  const mac = more[0] === "lladdr" ? macOf(more[1]) : undefined;
  // Some versions write "used 4/64/0probes 6", without a space.
  const [, seconds] = timed ? (/ used \d{1,10}\/(\d{1,10})\/\d{1,10} ?probes/.exec(line) ?? []) : [];
  return {
    address: address.split("%", 1)[0] ?? "",
    interface: name,
    state,
    ...(mac !== undefined && { mac }),
    ...(seconds !== undefined && { confirmedAgo: Number(seconds) }),
  };
}

const complete = 0x02;
const permanent = 0x04;

/** The text of /proc/net/arp: IPv4 only, and without a word on when a row was last confirmed. */
export function parseArpTable(text: string): NeighbourRow[] {
  return text.split("\n").flatMap((line) => {
    const [address = "", , flags = "", hardware, , name] = line.trim().split(/\s+/);
    if (isIP(address) !== 4 || name === undefined || !/^0x[0-9a-f]{1,4}$/.test(flags)) return [];
    const mac = macOf(hardware);
    const bits = Number(flags);
    let state = "INCOMPLETE";
    if ((bits & permanent) !== 0) state = "PERMANENT";
    else if ((bits & complete) !== 0) state = "COMPLETE";
    return [{ address, interface: name, state, ...(mac !== undefined && { mac }) }];
  });
}

function macOf(text: string | undefined): string | undefined {
  const mac = text?.toLowerCase() ?? "";
  return macForm.test(mac) ? mac : undefined;
}
