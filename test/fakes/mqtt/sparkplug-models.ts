import type { SparkplugModel } from "./sparkplug-edge.ts";

/** The controller of a heat pump as an edge node, with the buffer tank behind it. */
export const heatPump: SparkplugModel = {
  group: "Home",
  id: "Heat pump",
  metrics: {
    "Node Control/Scan Rate": { type: "Int32", value: 1000 },
    "Properties/Hardware Make": { type: "String", value: "Raspberry Pi", writable: false },
    "Properties/Hardware Model": { type: "String", value: "4 Model B", writable: false },
    "Properties/OS Version": { type: "String", value: "12", writable: false },
    "Properties/Serial": { type: "String", value: "10000000a3f1c2d4", writable: false },
    "Properties/MAC": { type: "String", value: "dc:a6:32:01:02:03", writable: false },
    Uptime: { type: "UInt64", value: 86_400, writable: false },
  },
  devices: {
    Tank: {
      "Inputs/Temperature": { type: "Float", value: 48.5, writable: false },
      "Outputs/Setpoint": { type: "Float", value: 50 },
      "Outputs/Pump": { type: "Boolean", value: false },
      "Outputs/Mode": { type: "Int16", value: 1 },
      "Properties/Serial": { type: "String", value: "TANK-0042", writable: false },
      "Last legionella run": { type: "DateTime", value: 1_767_225_600_000 },
    },
  },
};
