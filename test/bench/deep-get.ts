import { isInterior } from "../../tree/value.ts";
import type { Snapshot } from "../../tree/value.ts";
import { parsePath } from "../../tree/path.ts";
import { home } from "./home.ts";
import { median } from "./measure.ts";
import type { Table } from "./measure.ts";

/** Everything below ./Devices in one Get, each node's rights looked at; and how long a Fingerprint takes before and after one change. */
export async function deepGetBench(): Promise<readonly Table[]> {
  const { tree, call, deviceLeaves, devices, close } = await home({ devices: 50 });
  const at = parsePath("./Devices");
  const nodes = count(await tree.get(at, "deep", call));
  const deep = await median(() => tree.get(at, "deep", call), 15);

  const began = performance.now();
  await tree.property(at, "Fingerprint", call);
  const first = performance.now() - began;
  const again = await median(() => tree.property(at, "Fingerprint", call), 15);
  const leaf = (deviceLeaves[0] ?? at).split("/").slice(4).join("/");
  const changed = await median(async () => {
    devices[0]?.changed([leaf as Parameters<(typeof devices)[number]["changed"]>[0][number]]);
    await tree.property(at, "Fingerprint", call);
  }, 15);
  close();
  return [
    {
      caption: `./Devices with ${nodes} nodes`,
      columns: ["what", "ms"],
      rows: [
        ["deep Get", deep.toFixed(2)],
        ["Fingerprint, the first time", first.toFixed(2)],
        ["Fingerprint, nothing changed", again.toFixed(3)],
        ["Fingerprint after one change", changed.toFixed(3)],
      ],
    },
  ];
}

function count(snapshot: Snapshot | undefined): number {
  if (snapshot === undefined || !isInterior(snapshot)) return 1;
  return [...snapshot.children.values()].reduce((sum, child) => sum + count(child), 1);
}
