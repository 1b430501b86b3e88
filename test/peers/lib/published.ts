// What mosquitto_pub publishes to be a device.

/** A lamp of Homie 4, all but its `$state`. */
export const lamp = {
  "homie/hall-lamp/$homie": "4.0.0",
  "homie/hall-lamp/$name": "Hall lamp",
  "homie/hall-lamp/$nodes": "light",
  "homie/hall-lamp/light/$name": "Light",
  "homie/hall-lamp/light/$properties": "power,brightness",
  "homie/hall-lamp/light/power/$datatype": "boolean",
  "homie/hall-lamp/light/power/$settable": "true",
  "homie/hall-lamp/light/power": "false",
  "homie/hall-lamp/light/brightness/$datatype": "integer",
  "homie/hall-lamp/light/brightness/$unit": "%",
  "homie/hall-lamp/light/brightness": "40",
};

/** `zigbee2mqtt/bridge/devices`: a plug with a meter, "kitchen plug". */
export const plugs = JSON.stringify([
  {
    ieee_address: "0x00158d00018255df",
    type: "Router",
    friendly_name: "kitchen plug",
    interview_completed: true,
    definition: {
      vendor: "Xiaomi",
      model: "ZNCZ02LM",
      exposes: [
        {
          type: "switch",
          features: [{ type: "binary", name: "state", property: "state", value_on: "ON", value_off: "OFF", access: 7 }],
        },
        { type: "numeric", name: "power", property: "power", unit: "W", access: 1 },
      ],
    },
  },
]);
