import type { HomieDescription } from "./homie-device.ts";
import type { ZigbeeDevice } from "./zigbee-bridge.ts";

/** A wall thermostat of Homie 4. */
export const thermostat: HomieDescription = {
  version: 4,
  id: "hall-thermostat",
  name: "Hall thermostat",
  legacy: { $localip: "192.168.1.41", $mac: "DE:AD:BE:EF:00:41", "$fw/name": "thermo", "$fw/version": "2.4.1" },
  nodes: {
    thermostat: {
      name: "Thermostat",
      type: "heating",
      properties: {
        "current-temperature": { name: "Temperature", datatype: "float", unit: "°C", value: "20.5" },
        target: { name: "Target", datatype: "float", format: "5:30", unit: "°C", settable: true, value: "21" },
        mode: { name: "Mode", datatype: "enum", format: "off,heat,auto", settable: true, value: "auto" },
      },
    },
    battery: {
      name: "Battery",
      type: "battery",
      properties: { level: { datatype: "integer", format: "0:100", unit: "%", value: "87" } },
    },
  },
};

/** A desk lamp of Homie 4. */
export const deskLamp: HomieDescription = {
  version: 4,
  id: "desk-lamp",
  name: "Desk lamp",
  nodes: {
    light: {
      name: "Light",
      type: "dimmer",
      properties: {
        power: { datatype: "boolean", settable: true, value: "false" },
        brightness: { datatype: "integer", format: "0:100", unit: "%", settable: true, value: "40" },
        color: { datatype: "color", format: "rgb", settable: true, value: "255,200,120" },
        blink: { datatype: "enum", format: "once,twice", settable: true, retained: false },
      },
    },
  },
};

/** A bridge of Homie 5, root of the plug. */
export const hub: HomieDescription = {
  version: 5,
  id: "garage-hub",
  name: "Garage hub",
  nodes: {
    hub: {
      name: "Hub",
      properties: {
        uptime: { datatype: "duration", value: "PT12H5M46S" },
        serial: { datatype: "integer", format: "0:9223372036854775807", value: "9007199254740993" },
        note: { datatype: "string", settable: true, value: "" },
      },
    },
  },
};

/** A plug of Homie 5 behind the hub. */
export const plug: Omit<HomieDescription, "child"> = {
  version: 5,
  id: "garage-plug",
  name: "Garage plug",
  nodes: {
    relay: {
      name: "Relay",
      properties: { on: { datatype: "boolean", format: "off,on", settable: true, value: "true" } },
    },
    meter: {
      name: "Meter",
      properties: {
        power: { datatype: "float", unit: "W", value: "12.5" },
        limit: { datatype: "float", format: "0:3500:0.5", unit: "W", settable: true, value: "2000" },
        schedule: { datatype: "json", settable: true, value: '{"on":["06:30"]}' },
      },
    },
  },
};

const linkquality = {
  type: "numeric",
  name: "linkquality",
  property: "linkquality",
  value_min: 0,
  value_max: 255,
  unit: "lqi",
  access: 1,
};

/** A colour lamp behind zigbee2mqtt. */
export const colorLamp: ZigbeeDevice = {
  address: "0x90fd9ffffe6494fc",
  name: "living room/lamp",
  type: "Router",
  vendor: "IKEA",
  model: "LED1624G9",
  description: "TRADFRI bulb E14/E26/E27, color",
  firmware: "1.3.009",
  exposes: [
    {
      type: "light",
      features: [
        {
          type: "binary",
          name: "state",
          property: "state",
          label: "State",
          value_on: "ON",
          value_off: "OFF",
          value_toggle: "TOGGLE",
          access: 7,
        },
        {
          type: "numeric",
          name: "brightness",
          property: "brightness",
          value_min: 0,
          value_max: 254,
          access: 7,
          description: "Brightness of this light",
        },
        {
          type: "composite",
          name: "color_xy",
          property: "color",
          features: [
            { type: "numeric", name: "x", property: "x", access: 7 },
            { type: "numeric", name: "y", property: "y", access: 7 },
          ],
        },
        {
          type: "composite",
          name: "color_hs",
          property: "color",
          features: [
            { type: "numeric", name: "hue", property: "hue", access: 7 },
            { type: "numeric", name: "saturation", property: "saturation", access: 7 },
          ],
        },
      ],
    },
    { type: "enum", name: "effect", property: "effect", values: ["blink", "breathe", "okay"], access: 2 },
    linkquality,
  ],
  state: {
    state: "ON",
    brightness: 200,
    color: { x: 0.3, y: 0.4, hue: 30, saturation: 80 },
    color_mode: "xy",
    linkquality: 90,
  },
};

/** A plug with a meter behind zigbee2mqtt. */
export const meterPlug: ZigbeeDevice = {
  address: "0x00158d00018255df",
  name: "washing machine",
  type: "Router",
  vendor: "Xiaomi",
  model: "ZNCZ02LM",
  description: "Mi power plug ZigBee",
  exposes: [
    {
      type: "switch",
      features: [{ type: "binary", name: "state", property: "state", value_on: "ON", value_off: "OFF", access: 7 }],
    },
    { type: "numeric", name: "power", property: "power", unit: "W", access: 5 },
    { type: "numeric", name: "energy", property: "energy", unit: "kWh", access: 1 },
    linkquality,
  ],
  state: { state: "OFF", power: 1.5, energy: 45.2, linkquality: 120 },
};

/** A contact sensor behind zigbee2mqtt; it sleeps. */
export const contactSensor: ZigbeeDevice = {
  address: "0x00158d0001a2b3c4",
  name: "kitchen window",
  type: "EndDevice",
  vendor: "Aqara",
  model: "MCCGQ11LM",
  description: "Door and window sensor",
  exposes: [
    { type: "binary", name: "contact", property: "contact", value_on: false, value_off: true, access: 1 },
    { type: "numeric", name: "battery", property: "battery", unit: "%", value_min: 0, value_max: 100, access: 1 },
    linkquality,
  ],
  state: { contact: true, battery: 97, linkquality: 55 },
};

/** A radiator valve behind zigbee2mqtt. */
export const radiatorValve: ZigbeeDevice = {
  address: "0x588e81fffe21b3aa",
  name: "bedroom radiator",
  type: "EndDevice",
  vendor: "Danfoss",
  model: "014G2461",
  description: "Ally thermostat",
  firmware: "01.20",
  exposes: [
    {
      type: "climate",
      features: [
        {
          type: "numeric",
          name: "occupied_heating_setpoint",
          property: "occupied_heating_setpoint",
          value_min: 5,
          value_max: 35,
          value_step: 0.5,
          unit: "°C",
          access: 7,
        },
        { type: "numeric", name: "local_temperature", property: "local_temperature", unit: "°C", access: 5 },
        { type: "enum", name: "system_mode", property: "system_mode", values: ["heat", "off"], access: 7 },
      ],
    },
    {
      type: "list",
      name: "days",
      property: "days",
      access: 3,
      item_type: { type: "enum", name: "day", values: ["monday", "friday"] },
    },
    linkquality,
  ],
  state: {
    occupied_heating_setpoint: 20,
    local_temperature: 19.4,
    system_mode: "heat",
    days: ["monday"],
    linkquality: 70,
  },
};
