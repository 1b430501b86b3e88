import type { WriteCall, Mo } from "../mo.ts";
import type { Undo } from "../properties.ts";
import type { Leaf, Table } from "../table.ts";
import { tableMo } from "../table.ts";
import { chr, textOf } from "../value.ts";
import { deviceInventoryUrn } from "../project-names.ts";
import type { GroupNodes } from "./groups.ts";
import { groupTable } from "./groups.ts";

/** What the inventory knows of one device; "" where nothing is known. */
export interface InventoryRecord {
  readonly deviceId: string;
  readonly name: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly firmware: string;
  readonly hardware: string;
  readonly protocol: string;
  readonly state: string;
  readonly address: string;
  readonly mac: string;
  /** ISO 8601 basic, or "". */
  readonly lastSeen: string;
  /** Address of the device's subtree; "" while it is seen, but not managed. */
  readonly treeRef: string;
}

export interface Inventory {
  /** Names of the records: "d1" … */
  ids(): Iterable<string>;
  record(id: string): InventoryRecord | undefined;
  /** The operator's name; what it makes durable goes into the call's batch. The answer takes it back. */
  rename(id: string, name: string, call: WriteCall): Undo;
}

/** What the inventory says besides the records. */
export interface InventoryParts {
  /** DevId of the gateway: whoever reads the records learns which gateway the devices hang on (DM 2.0 requirements, DM-HLF-023). */
  readonly gatewayId: string;
  readonly groups: GroupNodes;
}

/** ./GwMO/DeviceInventory: every device that is known, managed or only seen, and groups of them. Node names are project-defined (no GwMO text at hand). */
export function deviceInventory(inventory: Inventory, parts?: InventoryParts): Mo {
  const leaf = (description: string, read: (record: InventoryRecord) => string, more: Partial<Leaf> = {}): Leaf => ({
    format: "chr",
    description,
    get: ([id]) => {
      const record = inventory.record(id ?? "");
      return record === undefined ? undefined : chr(read(record));
    },
    ...more,
  });
  return tableMo(deviceInventoryUrn, {
    format: "node",
    description: "devices of the home",
    children: {
      ...(parts === undefined ? {} : partsTable(parts)),
      Records: {
        format: "node",
        description: "one record a device",
        list: () => inventory.ids(),
        each: {
          format: "node",
          description: "a device",
          children: {
            DeviceID: leaf("the device's own id", (r) => r.deviceId),
            Name: leaf("name for people", (r) => r.name, {
              set: (value, [id], call) => inventory.rename(id ?? "", textOf(value), call),
            }),
            Man: leaf("manufacturer", (r) => r.manufacturer),
            Mod: leaf("model", (r) => r.model),
            FwV: leaf("firmware version", (r) => r.firmware),
            HwV: leaf("hardware version", (r) => r.hardware),
            Protocol: leaf("protocols it speaks, or the ways it was seen", (r) => r.protocol),
            Mode: leaf("how it is managed: adaptation, or none", (r) => (r.treeRef === "" ? "none" : "adaptation")),
            State: leaf("seen, managed, away or gone", (r) => r.state),
            Address: leaf("network address", (r) => r.address),
            AddressType: leaf("IPv4 or IPv6", (r) => addressType(r.address)),
            Mac: leaf("hardware address", (r) => r.mac),
            LastSeen: leaf("when it was last heard of", (r) => r.lastSeen, { volatile: true }),
            TreeRef: leaf("where its nodes are", (r) => r.treeRef),
          },
        },
      },
    },
  });
}

function partsTable({ gatewayId, groups }: InventoryParts): Table {
  return {
    GatewayID: { format: "chr", description: "id of the gateway behind which they are", get: () => chr(gatewayId) },
    Groups: groupTable(groups),
  };
}

function addressType(address: string): string {
  if (address === "") return "";
  return address.includes(":") ? "IPv6" : "IPv4";
}
