import type { Face } from "../../adapter.ts";
import { textIn } from "./metrics.ts";
import type { Payload } from "./payload.ts";

type Clue = Face["clues"][number];
type Fact = keyof Face["facts"];

/** Levels above a name that say only that it is about the device itself. */
const groups = /^(properties|(node|device)[ _]?(info|properties))\//i;

/** What makers call what we want to know, without blanks and signs; the first that a birth has counts. */
const names: readonly (readonly [fact: Fact, names: readonly string[]])[] = [
  ["name", ["friendlyname", "displayname", "devicename", "nodename"]],
  ["maker", ["hardwaremake", "hwmake", "manufacturer", "make", "vendor"]],
  ["model", ["hardwaremodel", "hwmodel", "model", "modelname", "productname"]],
  ["serial", ["serialnumber", "serial", "serialno", "sn", "hardwareserial", "hardwareserialnumber"]],
  [
    "firmware",
    ["fw", "fwversion", "firmware", "firmwareversion", "swversion", "softwareversion", "version", "osversion", "os"],
  ],
  ["hardware", ["hw", "hwversion", "hardwareversion", "hardwarerevision"]],
];
const macNames: readonly string[] = ["mac", "macaddress", "ethernetmac", "wifimac", "hwaddress", "hardwareaddress"];
const mac = /^[0-9a-f]{2}([:-]?)(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}$/i;

/** For the inventory: what a birth says of its sender. `ids`: group, edge node, and device where it is one. */
export function faceOf(ids: readonly string[], { metrics }: Payload): Pick<Face, "clues" | "addresses" | "facts"> {
  const said = new Map<string, string>();
  for (const metric of metrics) {
    const text = groups.test(metric.name ?? "") ? textIn(metric) : undefined;
    const plain = (metric.name ?? "")
      .replace(groups, "")
      .toLowerCase()
      .replace(/[^a-z0-9]/g, "");
    if (text !== undefined && !said.has(plain)) said.set(plain, text);
  }
  const first = (wanted: readonly string[]) => wanted.map((name) => said.get(name)).find((text) => text !== undefined);
  const facts = new Map<Fact, string | undefined>(names.map(([fact, wanted]) => [fact, first(wanted)]));
  const clues: Clue[] = [{ kind: "protocol-id", value: `sparkplug:${ids.map(encodeURIComponent).join("/")}` }];
  const [address, serial] = [first(macNames), facts.get("serial")];
  if (address !== undefined && mac.test(address)) clues.push({ kind: "mac", value: address });
  if (serial !== undefined) clues.push({ kind: "serial", value: serial });
  facts.set("name", facts.get("name") ?? ids.at(-1));
  return {
    clues,
    addresses: [],
    facts: Object.fromEntries([...facts].filter(([, text]) => text !== undefined)),
  };
}
