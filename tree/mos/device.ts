import type { Mo, NodeSchema } from "../mo.ts";
import type { Leaf } from "../table.ts";
import { tableMo } from "../table.ts";
import { deviceInfoUrn, deviceStateUrn } from "../project-names.ts";
import type { Inventory, InventoryRecord } from "./inventory.ts";
import { bool, chr, textOf } from "../value.ts";
import { DmError, Status } from "../errors.ts";

/** ./Devices/<n>/DevInfo: what a device is, in the words of the standard's DevInfo and DevDetail. */
export function deviceInfo(id: string, inventory: Inventory): Mo {
  const leaf = leaves(id, inventory);
  return tableMo(deviceInfoUrn, {
    format: "node",
    description: "what the device is",
    children: {
      DevId: leaf("the device's own id", (r) => chr(r.deviceId)),
      Man: leaf("manufacturer", (r) => chr(r.manufacturer)),
      Mod: leaf("model", (r) => chr(r.model)),
      FwV: leaf("firmware version", (r) => chr(r.firmware)),
      HwV: leaf("hardware version", (r) => chr(r.hardware)),
      Name: {
        ...leaf("name for people", (r) => chr(r.name)),
        set: (value, _names, call) => inventory.rename(id, textOf(value), call),
      },
    },
  });
}

/** ./Devices/<n>/State: how it is doing. */
export function deviceState(id: string, inventory: Inventory, reachable: () => boolean): Mo {
  const leaf = leaves(id, inventory);
  return tableMo(deviceStateUrn, {
    format: "node",
    description: "how the device is doing",
    children: {
      Reachable: { format: "bool", description: "it answers, or speaks within its time", get: () => bool(reachable()) },
      LastSeen: { ...leaf("when it was last heard of", (r) => chr(r.lastSeen)), volatile: true },
      Address: leaf("network address", (r) => chr(r.address)),
      Mac: leaf("hardware address", (r) => chr(r.mac)),
    },
  });
}

function leaves(id: string, inventory: Inventory) {
  return (description: string, read: (record: InventoryRecord) => ReturnType<typeof chr>): Leaf => ({
    format: "chr",
    description,
    get: () => {
      const record = inventory.record(id);
      return record === undefined ? undefined : read(record);
    },
  });
}

/** A face that was there before the restart, and whose adapter has not found it again yet: it says so, instead of "no such node". */
export function absentFace(urn: string): Mo {
  const away = () => new DmError(Status.unavailable, "the device has not been heard of since the gateway started");
  const schema: NodeSchema = { format: "any", access: new Set(["Add", "Delete", "Exec", "Get", "Replace"]) };
  return {
    urn,
    schema: (rel) => (rel === "" ? { ...schema, format: "node", permanent: true } : schema),
    has: () => true,
    read: () => Promise.reject(away()),
    apply: () => Promise.reject(away()),
    exec: () => Promise.reject(away()),
  };
}
