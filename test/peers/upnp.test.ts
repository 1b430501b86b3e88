import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Face } from "../../adapters/adapter.ts";
import { bundle } from "./lib/bundle.ts";
import { openHome } from "./lib/namespaces.ts";
import type { Device, Home } from "./lib/namespaces.ts";
import { startPeer, until } from "./lib/process.ts";
import type { Peer } from "./lib/process.ts";
import { startMinidlna, startRenderer } from "./lib/upnp.ts";

// The SSDP source and the UPnP adapter in one process, against the UPnP stacks of minidlna, libupnp and libgupnp.

type Told = Omit<Face, "mo"> & { readonly changed: readonly string[] };
type Nodes = { readonly [name: string]: Nodes | string };
interface Line {
  readonly at: number;
  readonly faces?: readonly Told[];
  readonly status?: string;
  readonly trees?: Readonly<Record<string, Nodes>>;
}

const media = "4d696e69-444c-164e-9d41-0123456789ab";
let printer: Awaited<ReturnType<typeof bundle>>;
let home: Home;
let [first, second, third]: Device[] = [];
let gateway: Peer;
let folder: string;
const measured: string[] = [];

beforeAll(async () => {
  printer = await bundle("test/peers/lib/upnp-printer.ts");
  home = openHome(3);
  [first, second, third] = home.devices;
  folder = mkdtempSync(join(tmpdir(), "dmgw-gupnp-"));
  gateway = await startPeer(process.execPath, [printer.file], { namespace: home.gateway, ready: /"event":"ready"/ });
});
afterAll(async () => {
  await gateway.stop();
  home.close();
  printer.remove();
  rmSync(folder, { recursive: true });
  console.log(measured.join("\n"));
});

const at = (device: Device | undefined) => device?.namespace ?? "";
const lines = () =>
  gateway
    .output()
    .split("\n")
    .filter((line) => line.startsWith("{") && line.endsWith("}"))
    .map((line) => JSON.parse(line) as Line);
const now = () => lines().findLast(({ faces }) => faces !== undefined);
const faceOf = (id: string) => now()?.faces?.find(({ identity }) => identity === `upnp:${id}`);
const comes = (id: string, passes: (face: Told) => boolean) =>
  until(`upnp:${id}; there was: ${gateway.output().slice(-2000)}`, () => {
    const face = faceOf(id);
    return face !== undefined && passes(face) ? face : undefined;
  });
const away = (id: string) => comes(id, ({ reachable }) => !reachable);

/** A device that is stopped while it still announces itself may do so after its farewell: libgupnp takes 120 ms for each message. */
const announced = () => new Promise((resolve) => setTimeout(resolve, 2500));

/** Everything below the face, asked of the device. */
async function nodesOf(id: string): Promise<Nodes> {
  const from = Date.now();
  gateway.process.kill("SIGUSR2");
  const line = await until("the nodes", () => lines().find((one) => one.trees !== undefined && one.at >= from));
  return line.trees?.[`upnp:${id}`] ?? {};
}

describe("minidlna", () => {
  it("is described within 4 s of its start, is in the tree, and away after its byebye; it comes back as itself", async () => {
    const from = Date.now();
    const given = { name: "Lab Media", uuid: media, serial: "12345678" };
    let peer = await startMinidlna(at(first), given);
    const face = await comes(media, ({ reachable }) => reachable);
    measured.push(`minidlna: started -> described: ${Date.now() - from} ms`);
    expect(Date.now() - from).toBeLessThan(4000);
    expect(face).toMatchObject({
      name: "UPnP",
      access: "approve",
      facts: { name: "Lab Media", serial: "12345678" },
      addresses: [first?.address],
      sightings: [{ source: "ssdp", key: `uuid:${media}` }],
    });
    expect(face.facts.maker).toBeTruthy();
    expect(face.facts.model).toBeTruthy();
    const nodes = await nodesOf(media);
    expect(nodes).toMatchObject({
      Device: {
        UDN: `uuid:${media}`,
        DeviceType: "urn:schemas-upnp-org:device:MediaServer:1",
        FriendlyName: "Lab Media",
        Location: `http://${first?.address}:8200/rootDesc.xml`,
      },
      Services: {
        ContentDirectory: { ServiceType: "urn:schemas-upnp-org:service:ContentDirectory:1" },
        ConnectionManager: { ServiceId: "urn:upnp-org:serviceId:ConnectionManager" },
      },
    });

    const stopping = Date.now();
    await peer.stop();
    await away(media);
    measured.push(`minidlna: stopped -> away: ${Date.now() - stopping} ms`);
    expect(await nodesOf(media)).toMatch(/ECONNREFUSED/);
    peer = await startMinidlna(at(first), { ...given, name: "Den" });
    expect((await comes(media, ({ facts }) => facts.name === "Den")).reachable).toBe(true);
    expect(now()?.faces).toHaveLength(1);
    await peer.stop();
    await away(media);
  });

  it("on two hosts under one id is that of the first, whose farewell alone counts; then the second has it", async () => {
    const original = await startMinidlna(at(first), { name: "Original", uuid: media, serial: "12345678" });
    await comes(media, ({ facts, reachable }) => reachable && facts.name === "Original");
    let double = await startMinidlna(at(second), { name: "Double", uuid: media, serial: "12345678" });
    await until("the double to be refused", () => now()?.status?.includes("another host that answers") || undefined);
    expect(faceOf(media)).toMatchObject({ reachable: true, facts: { name: "Original" } });
    await double.stop();
    // A goodbye counts after a second.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(faceOf(media)).toMatchObject({ reachable: true, facts: { name: "Original" } });
    await original.stop("SIGKILL");
    double = await startMinidlna(at(third), { name: "Moved", uuid: media, serial: "12345678" });
    expect(await comes(media, ({ facts }) => facts.name === "Moved")).toMatchObject({ addresses: [third?.address] });
    expect(now()?.faces).toHaveLength(1);
    await double.stop();
    await away(media);
  });
});

it("gmediarender is described, in the tree, and away after its byebye", async () => {
  const renderer = "12345678-1234-1234-1234-0123456789ab";
  const from = Date.now();
  const peer = await startRenderer(at(second), { name: "Lab Renderer", uuid: renderer });
  const face = await comes(renderer, ({ reachable }) => reachable);
  measured.push(`gmediarender: started -> described: ${Date.now() - from} ms`);
  expect(face.facts.name).toBe("Lab Renderer");
  expect(await nodesOf(renderer)).toMatchObject({
    Device: { DeviceType: "urn:schemas-upnp-org:device:MediaRenderer:1" },
    Services: { AVTransport: {}, RenderingControl: {}, ConnectionManager: {} },
  });
  await announced();
  await peer.stop();
  await away(renderer);
});

describe("libgupnp", () => {
  const [id, inner] = ["23b0189c-549f-11dc-a7c7-001641597c49", "23b0189c-549f-11dc-a7c7-001641597c50"];
  const file = () => join(folder, "light.xml");
  const device = (uuid: string, type: string, more: string) =>
    `<device><deviceType>urn:schemas-upnp-org:device:${type}:1</deviceType><friendlyName>${type}</friendlyName>
      <manufacturer>Lab</manufacturer><modelName>Light</modelName><UDN>uuid:${uuid}</UDN>${more}</device>`;
  const write = (number: string) =>
    writeFileSync(
      file(),
      `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>0</minor></specVersion>
        ${device(id, "DimmableLight", `<modelNumber>${number}</modelNumber><deviceList>${device(inner, "BinaryLight", "")}</deviceList>`)}</root>`,
    );
  const startLight = () =>
    startPeer("python3", [join(import.meta.dirname, "lib/gupnp-device.py"), file()], {
      namespace: at(third),
      ready: /available/,
    });

  it("is one device with the one in it, at a new port after each start, and its new description is noticed", async () => {
    write("LT001");
    let light = await startLight();
    const face = await comes(id, ({ reachable }) => reachable);
    expect(face.facts).toMatchObject({ name: "DimmableLight", model: "Light LT001" });
    expect(face.sightings?.map(({ key }) => key)).toEqual([`uuid:${id}`, `uuid:${inner}`]);
    const before = await nodesOf(id);
    expect(before).toMatchObject({ Devices: { BinaryLight: { Device: { UDN: `uuid:${inner}` } } } });
    await announced();
    await light.stop();
    await away(id);

    write("LT002");
    light = await startLight();
    expect(await comes(id, ({ reachable }) => reachable)).toMatchObject({
      facts: { model: "Light LT002" },
      changed: ["Device/Location", "Device/ModelNumber"],
    });
    expect(now()?.faces?.filter(({ identity }) => identity.includes("23b0189c"))).toHaveLength(1);
    await announced();
    await light.stop();
    await away(id);
  });
});
