// What real firmwares publish below homeassistant/: names and values are ours, the shapes theirs.

/** ESPHome 2023: a light strip and a sensor. */
export const espHome = {
  "homeassistant/light/bedroom-lamp/strip/config": {
    schema: "json",
    brightness: true,
    sup_clrm: ["rgb"],
    effect: true,
    effect_list: ["None", "Rainbow"],
    name: "Strip",
    stat_t: "bedroom-lamp/light/strip/state",
    cmd_t: "bedroom-lamp/light/strip/command",
    avty_t: "bedroom-lamp/status",
    uniq_id: "ESPlightstrip",
    dev: { ids: "a4cf12fedcba", name: "bedroom-lamp", sw: "2023.12.5 (ESPHome)", mdl: "esp32dev", mf: "Espressif" },
  },
  "homeassistant/sensor/bedroom-lamp/uptime/config": {
    unit_of_meas: "s",
    stat_cla: "total_increasing",
    ent_cat: "diagnostic",
    name: "Uptime",
    stat_t: "bedroom-lamp/sensor/uptime/state",
    avty_t: "bedroom-lamp/status",
    uniq_id: "ESPsensoruptime",
    dev: { ids: "a4cf12fedcba", name: "bedroom-lamp", sw: "2023.12.5 (ESPHome)", mdl: "esp32dev", mf: "Espressif" },
  },
};

/** Tasmota with SetOption19: only one of its configs says more of the device than its id. */
const tasmotaLwt = { avty_t: "tele/socket/LWT", pl_avail: "Online", pl_not_avail: "Offline" };
export const tasmota = {
  "homeassistant/switch/D1E2F3_RL_1/config": {
    ...tasmotaLwt,
    name: "Socket",
    stat_t: "stat/socket/RESULT",
    cmd_t: "cmnd/socket/POWER",
    val_tpl: "{{value_json.POWER}}",
    pl_off: "OFF",
    pl_on: "ON",
    uniq_id: "D1E2F3_RL_1",
    dev: { ids: ["D1E2F3"] },
  },
  "homeassistant/sensor/D1E2F3_ENERGY_Power/config": {
    ...tasmotaLwt,
    name: "Socket ENERGY Power",
    stat_t: "tele/socket/SENSOR",
    uniq_id: "D1E2F3_ENERGY_Power",
    dev: { ids: ["D1E2F3"] },
    unit_of_meas: "W",
    dev_cla: "power",
    frc_upd: true,
    val_tpl: "{{value_json['ENERGY'].Power}}",
  },
  "homeassistant/sensor/D1E2F3_status/config": {
    ...tasmotaLwt,
    name: "Socket status",
    stat_t: "tele/socket/HASS_STATE",
    json_attr_t: "tele/socket/HASS_STATE",
    unit_of_meas: "%",
    val_tpl: "{{value_json['RSSI']}}",
    ic: "mdi:information-outline",
    uniq_id: "D1E2F3_status",
    dev: { ids: ["D1E2F3"], name: "Socket", mdl: "Gosund SP111", sw: "9.5.0(tasmota)", mf: "Tasmota" },
  },
};

/** A script on a Shelly of the second generation. */
const shellyDevice = {
  ids: ["shellyplus1pm-a8032abe54dc"],
  name: "Heater plug",
  mf: "Shelly",
  mdl: "SNSW-001P16EU",
  sw: "1.0.8",
};
const shellyBase = {
  "~": "shellyplus1pm-a8032abe54dc",
  avty: [{ t: "~/online", pl_avail: "true", pl_not_avail: "false" }],
  dev: shellyDevice,
};
export const shelly = {
  "homeassistant/switch/shellyplus1pm-a8032abe54dc/switch_0/config": {
    ...shellyBase,
    name: "Relay",
    uniq_id: "a8032abe54dc_switch_0",
    cmd_t: "~/command/switch:0",
    pl_on: "on",
    pl_off: "off",
    stat_t: "~/status/switch:0",
    val_tpl: "{{ value_json.output }}",
    stat_on: true,
    stat_off: false,
  },
  "homeassistant/sensor/shellyplus1pm-a8032abe54dc/power/config": {
    ...shellyBase,
    name: "Power",
    uniq_id: "a8032abe54dc_power",
    stat_t: "~/status/switch:0",
    val_tpl: "{{ value_json.apower | round(1) }}",
    dev_cla: "power",
    unit_of_meas: "W",
  },
  "homeassistant/sensor/shellyplus1pm-a8032abe54dc/energy/config": {
    ...shellyBase,
    name: "Energy",
    uniq_id: "a8032abe54dc_energy",
    stat_t: "~/status/switch:0",
    val_tpl: "{{ value_json.aenergy.total | float / 1000 }}",
    dev_cla: "energy",
    unit_of_meas: "kWh",
  },
};

/** OpenMQTTGateway: the gateway itself, and a thermometer that it hears; that one's topic has wildcards. */
export const openMqttGateway = {
  "homeassistant/sensor/A4CF12ABCDEF-uptime/config": {
    stat_t: "home/OpenMQTTGateway_ESP32/SYStoMQTT",
    avty_t: "home/OpenMQTTGateway_ESP32/LWT",
    dev_cla: "duration",
    unit_of_meas: "s",
    name: "SYS: Uptime",
    uniq_id: "A4CF12ABCDEF-uptime",
    val_tpl: "{{ value_json.uptime }}",
    pl_avail: "online",
    pl_not_avail: "offline",
    device: { ids: ["A4CF12ABCDEF"], name: "OpenMQTTGateway_ESP32", mdl: '["BT"]', mf: "OMG_community", sw: "v1.7.0" },
  },
  "homeassistant/sensor/A4C138112233-tempc/config": {
    stat_t: "+/+/BTtoMQTT/A4C138112233",
    dev_cla: "temperature",
    unit_of_meas: "°C",
    name: "tempc",
    uniq_id: "A4C138112233-tempc",
    val_tpl: "{{ value_json.tempc | is_defined }}",
    device: {
      ids: ["A4C138112233"],
      cns: [["mac", "A4C138112233"]],
      mf: "Xiaomi",
      mdl: "LYWSD03MMC",
      name: "LYWSD03MMC-112233",
    },
  },
};
