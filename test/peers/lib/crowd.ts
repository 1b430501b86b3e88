import type { DeviceReport } from "../../../daemon/gateway.ts";
import { openLocalApi } from "./local-api.ts";
import type { LocalApi } from "./local-api.ts";
import { seeded } from "./random.ts";
import { sharedLeaf } from "./shared-leaf.ts";
import { ask, readTree } from "./tree-image.ts";
import type { Image, Node } from "./tree-image.ts";
import { nameOf, within } from "./tree-ops.ts";
import { treeWriter } from "./tree-writer.ts";
import type { Since } from "./tree-writer.ts";

/** Writers of one gateway, over any number of its lives. */
export interface Crowd {
  /** So far. */
  counts(): { readonly acknowledged: number; readonly refused: number; readonly cut: number; readonly strays: number };
  /** DM statuses that writes were refused with. */
  statuses(): ReadonlySet<number>;
  /** All write at once, each on a connection of its own, until told to stop or until the gateway is gone. */
  write(socket: string, goOn: () => boolean): Promise<void>;
  /** Compares the gateway with what everybody was told. Empty: all is as it has to be; see TreeWriter.check. */
  check(socket: string, since: Since): Promise<readonly string[]>;
}

/** Where the gateway keeps what is added. Each writer has a node of its own in each. */
const areas = ["DevInfo/Ext", "DevDetail/Ext", "DMAcc/1/Ext"];
/** What everybody writes, and how often. */
const shared = ["DevInfo/Ext/shared/a", "DevDetail/Ext/shared/b"];
const sharing = 0.15;
/** The account's own. */
const account = "DMAcc/1/Ext/dmgw";

/** `count` writers, each with a device to name: the gateway must have as many, and an account. */
export async function openCrowd(socket: string, count: number, seed: number): Promise<Crowd> {
  const api = openLocalApi(socket);
  for (const at of shared) await api.send("POST", `/v1/tree/${at}`, { value: "first" });
  const devices = await readDevices(api);
  api.close();
  const leaves = shared.map((at) => sharedLeaf(at, "first"));
  const writers = Array.from({ length: count }, (_, n) => {
    const ground = { areas: areas.map((area) => `${area}/w${n}`), device: `d${n + 1}` };
    return treeWriter(seeded(seed + n), ground, part(devices, [nameOf(ground.device)]));
  });
  const dice = seeded(seed - 1);
  const sum = (counts: readonly number[]) => counts.reduce((total, one) => total + one, 0);

  return {
    counts: () => ({
      acknowledged: sum([...writers.map((writer) => writer.counts.acknowledged), ...leaves.map((l) => l.acknowledged)]),
      refused: sum(writers.map((writer) => writer.counts.refused)),
      cut: sum(writers.map((writer) => writer.counts.cut)),
      strays: sum(writers.map((writer) => writer.strays)),
    }),
    statuses: () => new Set(writers.flatMap((writer) => [...writer.statuses])),
    async write(path, goOn) {
      const work = writers.map(async (writer) => {
        const own = openLocalApi(path);
        let there = true;
        while (there && goOn()) there = await (dice.chance(sharing) ? dice.one(leaves) : writer).write(own);
        own.close();
      });
      await Promise.all(work);
    },
    async check(path, since) {
      const all = await readAll(path);
      const owned = [...shared, account];
      const wrong: string[] = [];
      for (const writer of writers) {
        const places = [...writer.ground.areas, nameOf(writer.ground.device)];
        wrong.push(...writer.check(part(all, places), since));
        owned.push(...places);
      }
      for (const leaf of leaves) wrong.push(...leaf.check(all.get(leaf.at)?.value, since));
      const strange = [...all.keys()].filter((at) => !owned.some((own) => within(at, own) || within(own, at)));
      return [...wrong, ...strange.map((at) => `${at} was written by nobody`)];
    },
  };
}

async function readAll(path: string): Promise<Image> {
  const read = async (area: string) => {
    const api = openLocalApi(path);
    const image = area === "" ? await readDevices(api) : await readTree(api, area);
    api.close();
    return [...image];
  };
  const parts = await Promise.all([...areas, ""].map(read));
  return new Map(parts.flat());
}

async function readDevices(api: LocalApi): Promise<Image> {
  const devices = (await ask(api, "/v1/devices")) as readonly DeviceReport[];
  return new Map(
    devices.map(({ id, name }): [string, Node] => [nameOf(id), { format: "name", value: name, acl: "", title: "" }]),
  );
}

function part(all: Image, places: readonly string[]): Image {
  return new Map([...all].filter(([at]) => places.some((place) => within(at, place))));
}
