// What real bridges and services publish below homeassistant/: names and values are ours, the shapes theirs.

/** zigbee2mqtt: a lamp, a contact sensor, an update, and things that are for Home Assistant alone. */
const zigbeeLamp = {
  identifiers: ["zigbee2mqtt_0x90fd9ffffe6494fc"],
  manufacturer: "IKEA",
  model: "TRADFRI bulb E14/E26/E27, color (LED1624G9)",
  name: "living room/lamp",
  sw_version: "1.3.009",
  via_device: "zigbee2mqtt_bridge_0x00124b00120144ae",
};
const zigbeeAvailability = {
  availability: [
    { topic: "zigbee2mqtt/bridge/state", value_template: "{{ value_json.state }}" },
    { topic: "zigbee2mqtt/living room/lamp/availability", value_template: "{{ value_json.state }}" },
  ],
  availability_mode: "all",
};
export const zigbee2mqttLamp = {
  "homeassistant/light/0x90fd9ffffe6494fc/light/config": {
    ...zigbeeAvailability,
    brightness: true,
    brightness_scale: 254,
    command_topic: "zigbee2mqtt/living room/lamp/set",
    device: zigbeeLamp,
    effect: true,
    effect_list: ["blink", "breathe", "okay"],
    name: null,
    object_id: "living_room_lamp",
    origin: { name: "Zigbee2MQTT", sw: "1.35.1", url: "https://www.zigbee2mqtt.io" },
    schema: "json",
    state_topic: "zigbee2mqtt/living room/lamp",
    supported_color_modes: ["xy", "color_temp"],
    max_mireds: 454,
    min_mireds: 250,
    unique_id: "0x90fd9ffffe6494fc_light_zigbee2mqtt",
  },
  "homeassistant/sensor/0x90fd9ffffe6494fc/linkquality/config": {
    ...zigbeeAvailability,
    device: zigbeeLamp,
    enabled_by_default: false,
    entity_category: "diagnostic",
    state_class: "measurement",
    state_topic: "zigbee2mqtt/living room/lamp",
    unit_of_measurement: "lqi",
    unique_id: "0x90fd9ffffe6494fc_linkquality_zigbee2mqtt",
    value_template: "{{ value_json.linkquality }}",
  },
  "homeassistant/update/0x90fd9ffffe6494fc/update/config": {
    ...zigbeeAvailability,
    command_topic: "zigbee2mqtt/bridge/request/device/ota_update/update",
    device: { ...zigbeeLamp, sw_version: undefined },
    device_class: "firmware",
    latest_version_template: "{{ value_json['update']['latest_version'] }}",
    latest_version_topic: "zigbee2mqtt/living room/lamp",
    payload_install: '{"id": "0x90fd9ffffe6494fc"}',
    state_topic: "zigbee2mqtt/living room/lamp",
    unique_id: "0x90fd9ffffe6494fc_update_zigbee2mqtt",
    value_template: "{{ value_json['update']['installed_version'] }}",
  },
  "homeassistant/device_automation/0x90fd9ffffe6494fc/action_on/config": {
    automation_type: "trigger",
    device: zigbeeLamp,
    payload: "on",
    subtype: "on",
    topic: "zigbee2mqtt/living room/lamp/action",
    type: "action",
  },
};
export const zigbee2mqttWindow = {
  "homeassistant/binary_sensor/0x00158d0001a2b3c4/contact/config": {
    availability: [{ topic: "zigbee2mqtt/bridge/state", value_template: "{{ value_json.state }}" }],
    device: {
      identifiers: ["zigbee2mqtt_0x00158d0001a2b3c4"],
      manufacturer: "Aqara",
      model: "MCCGQ11LM",
      name: "kitchen window",
    },
    device_class: "door",
    payload_off: true,
    payload_on: false,
    state_topic: "zigbee2mqtt/kitchen window",
    unique_id: "0x00158d0001a2b3c4_contact_zigbee2mqtt",
    value_template: "{{ value_json.contact }}",
  },
};

/** Z-Wave JS UI. */
const zwaveDevice = {
  identifiers: ["zwavejs2mqtt_0xd1b2c3d4_node5"],
  manufacturer: "Aeotec Ltd.",
  model: "Smart Switch 7 (ZW175)",
  name: "Dryer",
  sw_version: "1.5",
};
const zwaveAvailability = {
  availability: [
    {
      payload_available: "true",
      payload_not_available: "false",
      topic: "zwave/Cellar/Dryer/status",
      value_template: "{{'true' if value_json.value else 'false'}}",
    },
    {
      topic: "zwave/_CLIENTS/ZWAVE_GATEWAY-zui/status",
      value_template: "{{'online' if value_json.value else 'offline'}}",
    },
    { payload_available: "true", payload_not_available: "false", topic: "zwave/driver/status" },
  ],
  availability_mode: "all",
};
export const zwaveJsUi = {
  "homeassistant/switch/Dryer/switch/config": {
    ...zwaveAvailability,
    payload_off: false,
    payload_on: true,
    value_template: "{{ value_json.value }}",
    command_topic: "zwave/Cellar/Dryer/37/0/targetValue/set",
    state_topic: "zwave/Cellar/Dryer/37/0/currentValue",
    json_attributes_topic: "zwave/Cellar/Dryer/37/0/currentValue",
    device: zwaveDevice,
    name: "Dryer_switch",
    unique_id: "zwavejs2mqtt_0xd1b2c3d4_5-37-0-currentValue",
  },
  "homeassistant/sensor/Dryer/electric_w_value/config": {
    ...zwaveAvailability,
    state_topic: "zwave/Cellar/Dryer/50/0/value/66049",
    value_template: "{{ value_json.value }}",
    device_class: "power",
    state_class: "measurement",
    unit_of_measurement: "W",
    device: zwaveDevice,
    name: "Dryer_electric_w_value",
    unique_id: "zwavejs2mqtt_0xd1b2c3d4_5-50-0-value-66049",
  },
  "homeassistant/sensor/Dryer/nodeinfo_status/config": {
    ...zwaveAvailability,
    state_topic: "zwave/Cellar/Dryer/nodeinfo",
    value_template: "{% if value_json.value %}{{ value_json.value.status }}{% endif %}",
    device: zwaveDevice,
    name: "Dryer_status",
    unique_id: "zwavejs2mqtt_0xd1b2c3d4_5-status",
  },
};

/** room-assistant: who is in which room. */
export const roomAssistant = {
  "homeassistant/sensor/room-assistant/ble-phone-1/config": {
    name: "Phone Room",
    unique_id: "room-assistant-ble-phone-1",
    state_topic: "room-assistant/sensor/ble-phone-1/state",
    json_attributes_topic: "room-assistant/sensor/ble-phone-1/attributes",
    availability_topic: "room-assistant/status/living",
    payload_available: "online",
    payload_not_available: "offline",
    device: { identifiers: ["phone-1"], name: "Phone", connections: [["bluetooth", "77:50:FB:4D:AB:70"]] },
  },
  "homeassistant/device_tracker/room-assistant/ble-phone-1-tracker/config": {
    name: "Phone Tracker",
    unique_id: "room-assistant-ble-phone-1-tracker",
    state_topic: "room-assistant/device_tracker/ble-phone-1-tracker/state",
    payload_home: "true",
    payload_not_home: "false",
    availability_topic: "room-assistant/status/living",
    device: { identifiers: ["phone-1"], name: "Phone" },
  },
};

/** Valetudo: a robot. */
export const valetudo = {
  "homeassistant/vacuum/BrazenSquid/BrazenSquid_vacuum/config": {
    name: "Robot",
    unique_id: "BrazenSquid_vacuum",
    schema: "state",
    supported_features: ["start", "pause", "stop", "return_home", "locate", "fan_speed", "send_command"],
    state_topic: "valetudo/BrazenSquid/hass/BrazenSquid_vacuum/state",
    command_topic: "valetudo/BrazenSquid/hass/BrazenSquid_vacuum/command",
    set_fan_speed_topic: "valetudo/BrazenSquid/FanSpeedControlCapability/preset/set",
    send_command_topic: "valetudo/BrazenSquid/hass/BrazenSquid_vacuum/send_command",
    fan_speed_list: ["low", "medium", "high", "max"],
    json_attributes_topic: "valetudo/BrazenSquid/hass/BrazenSquid_vacuum/attributes",
    availability_topic: "valetudo/BrazenSquid/$state",
    payload_available: "ready",
    payload_not_available: "lost",
    device: {
      manufacturer: "Roborock",
      model: "S5",
      name: "Valetudo BrazenSquid",
      identifiers: ["BrazenSquid"],
      sw_version: "Valetudo 2023.12.0",
      configuration_url: "http://192.168.1.77",
    },
  },
};
