import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Sighting } from "../../../adapters/adapter.ts";
import { startLeases } from "../../../daemon/discovery/leases.ts";
import type { LanSource } from "../../../daemon/discovery/source.ts";
import type { LanInterface } from "../../../daemon/lan.ts";
import { fakeClock } from "../../fakes/clock.ts";
import type { FakeClock } from "../../fakes/clock.ts";
import { fakeLog } from "../../fakes/log.ts";
import { until } from "./loopback.ts";

const lan: LanInterface = {
  name: "br-lan",
  address: "192.168.1.1",
  netmask: "255.255.255.0",
  ipv6: [{ address: "fd00::1", prefix: 64 }],
  mac: "02:00:00:00:00:01",
};
const hour = 3_600_000;

let folder: string;
let file: string;
let clock: FakeClock;
let seen: Sighting[];
let left: string[];
let source: LanSource | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dmgw-leases-"));
  file = join(folder, "dhcp.leases");
  clock = fakeClock();
  seen = [];
  left = [];
});
afterEach(async () => {
  await source?.stop();
  rmSync(folder, { recursive: true, force: true });
  expect(clock.timers).toBe(0);
});

async function start(files = [file]): Promise<LanSource> {
  const io = { clock, log: fakeLog(), random: () => 0, admits: () => true };
  source = startLeases({ ...io, seen: (sighting) => seen.push(sighting), left: (key) => left.push(key) }, files);
  await source.update([lan]);
  return source;
}
const ends = (ms: number) => Math.round((clock.now() + ms) / 1000);
const line = (n: number, host = `h${n}`, ms = 12 * hour) =>
  `${ends(ms)} 02:00:00:00:00:${n} 192.168.1.${n} ${host} 01:02:00:00:00:00:${n}\n`;
const keys = () => seen.map(({ key }) => key);
/** Time passes until something is so; what is read meanwhile is real. */
const soon = <T>(what: string, look: () => T | undefined) =>
  until(what, () => {
    void clock.advance(1000);
    return look();
  });

it("a lease is a sighting: who asked, under which name, and no proof that it is there", async () => {
  writeFileSync(file, line(50, "tv") + `${ends(hour)} 7 fd00::50 tv 00:01:00:01:2a:2b:2c:2d:02:00:00:00:00:50\n`);
  await start();
  expect(seen).toEqual([
    {
      source: "leases",
      key: "02:00:00:00:00:50",
      name: "tv",
      host: "tv",
      addresses: ["192.168.1.50"],
      service: "",
      text: new Map([["lease", "1"]]),
      interface: "br-lan",
      mac: "02:00:00:00:00:50",
      expires: clock.monotonic() + 12 * hour,
    },
    {
      source: "leases",
      key: "duid:000100012a2b2c2d020000000050",
      name: "tv",
      host: "tv",
      addresses: ["fd00::50"],
      service: "",
      text: new Map([
        ["lease", "1"],
        ["duidMac", "02:00:00:00:00:50"],
      ]),
      interface: "br-lan",
      dhcpId: "000100012a2b2c2d020000000050",
      expires: clock.monotonic() + hour,
    },
  ]);
  expect(source?.report()).toMatchObject({ state: "listening", detail: `2 leases in ${file}` });
});

it("what a file of options says goes with the lease of the same hardware address", async () => {
  const options = join(folder, "options");
  writeFileSync(file, line(50));
  writeFileSync(options, "125\t02:00:00:00:00:50\t00D09E\tSN-1\tHomeBox\n125\t02:00:00:00:00:51\t00D09E\tSN-2\t\n");
  await start([file, options]);
  expect(keys()).toEqual(["02:00:00:00:00:50"]);
  expect(Object.fromEntries(seen[0]?.text ?? [])).toEqual({
    lease: "1",
    manufacturerOui: "00D09E",
    serialNumber: "SN-1",
    productClass: "HomeBox",
  });
});

it("a lease that does not end is told for a day, and again every hour while it is in the file", async () => {
  writeFileSync(file, "0 02:00:00:00:00:50 192.168.1.50 tv *\n");
  await start();
  expect(seen[0]?.expires).toBe(clock.monotonic() + 24 * hour);
  await soon("a day", () => (clock.monotonic() > 24 * hour ? true : void clock.advance(600_000)));
  expect(seen.length).toBeGreaterThanOrEqual(20);
  expect(seen.length).toBeLessThanOrEqual(26);
});

describe("changes", () => {
  it("of a file that is replaced, appended to, or made later are seen", async () => {
    await start();
    expect(source?.report()).toMatchObject({ state: "waiting", detail: expect.stringContaining(file) as string });
    writeFileSync(file, line(50));
    await soon("a new file", () => keys().includes("02:00:00:00:00:50") || undefined);
    appendFileSync(file, line(51));
    await soon("a new line", () => keys().includes("02:00:00:00:00:51") || undefined);
    writeFileSync(`${file}.new`, line(51) + line(52, "fridge"));
    renameSync(`${file}.new`, file);
    await soon("a new file in its place", () => keys().includes("02:00:00:00:00:52") || undefined);
    await soon("the end of the first", () => left.includes("02:00:00:00:00:50") || undefined);
    expect(left).toEqual(["02:00:00:00:00:50"]);
    expect(keys()).toHaveLength(3);
  });

  it("a renewal is told before the old end comes, another name or address at once", async () => {
    writeFileSync(file, line(50, "tv", 10 * 60_000));
    await start();
    writeFileSync(file, line(50, "tv", 20 * 60_000));
    await soon("the new end", () => seen.length === 2 || undefined);
    writeFileSync(file, line(50, "screen", 20 * 60_000).replace("192.168.1.50", "192.168.1.99"));
    await soon("the new name", () => seen.length === 3 || undefined);
    expect(seen[2]).toMatchObject({ key: "02:00:00:00:00:50", host: "screen", addresses: ["192.168.1.99"] });
    expect(left).toEqual([]);
  });

  it("a file that is emptied and written anew takes nothing away", async () => {
    writeFileSync(file, line(50) + line(51));
    await start();
    truncateSync(file, 0);
    await source?.update([lan]);
    await clock.advance(1500);
    writeFileSync(file, line(50) + line(51));
    await source?.update([lan]);
    for (let n = 0; n < 20; n++) {
      await clock.advance(1000);
      await source?.update([lan]);
    }
    expect(left).toEqual([]);
    expect(seen).toHaveLength(2);
  });

  it("what a file said holds while it is not there, or cannot be read", async () => {
    writeFileSync(file, line(50));
    await start();
    rmSync(file);
    await clock.advance(20_000);
    await source?.update([lan]);
    expect(left).toEqual([]);
  });

  it("leases of the past are none", async () => {
    writeFileSync(file, line(50, "tv", -hour) + line(51));
    await start();
    expect(keys()).toEqual(["02:00:00:00:00:51"]);
  });

  it("a link that comes later brings the leases on it", async () => {
    writeFileSync(file, line(50).replace("192.168.1.50", "10.9.0.50") + line(51));
    await start();
    expect(keys()).toEqual(["02:00:00:00:00:51"]);
    await source?.update([lan, { ...lan, name: "guest", address: "10.9.0.1" }]);
    expect(seen[1]).toMatchObject({ key: "02:00:00:00:00:50", interface: "guest" });
  });
});

describe("what cannot be read", () => {
  it("is an error on status, and the other files are read", async () => {
    const folderOfFiles = join(folder, "odhcpd");
    mkdirSync(folderOfFiles);
    writeFileSync(join(folderOfFiles, "br-lan"), `# br-lan 020000000060 ipv4 cam ${ends(hour)} 1 32 192.168.1.60/32\n`);
    writeFileSync(file, "x".repeat(4 * 1024 * 1024 + 1));
    await start([file, folderOfFiles, "/dev/zero", join(folder, "none")]);
    expect(keys()).toEqual(["02:00:00:00:00:60"]);
    expect(source?.report()).toMatchObject({
      state: "listening",
      error: `${file} has more than 4 MB; /dev/zero is no file`,
      detail: `1 leases in ${folderOfFiles}`,
    });
  });

  it.skipIf(process.getuid?.() === 0)("for want of rights says what to do", async () => {
    writeFileSync(file, line(50));
    chmodSync(file, 0);
    await start();
    expect(source?.report()).toMatchObject({ state: "error", error: expect.stringContaining("group") as string });
  });
});

it("Kea's leases stay while it cleans up its file", async () => {
  const header =
    "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context\n";
  const row = (n: number, lifetime = 3600) =>
    `192.168.1.${n},02:00:00:00:00:${n},,${lifetime},${ends(hour)},1,0,0,h${n},0,\n`;
  const kea = join(folder, "kea-leases4.csv");
  writeFileSync(kea, header + row(50) + row(51));
  await start([kea]);
  renameSync(kea, `${kea}.1`);
  writeFileSync(kea, header + row(52) + row(50, 0));
  for (let n = 0; n < 3; n++) {
    await clock.advance(3000);
    await source?.update([lan]);
  }
  writeFileSync(`${kea}.completed`, header + row(51));
  for (let n = 0; n < 3; n++) {
    await clock.advance(3000);
    await source?.update([lan]);
  }
  expect(keys()).toEqual(["02:00:00:00:00:50", "02:00:00:00:00:51", "02:00:00:00:00:52"]);
  expect(left).toEqual(["02:00:00:00:00:50"]);
});
