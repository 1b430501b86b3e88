import type { AnnouncedModel } from "./home-assistant-device.ts";

/** A boiler that announces each of its entities. */
export const boiler: AnnouncedModel = {
  id: "boiler-a4cf12",
  form: "entities",
  device: {
    name: "Boiler",
    mf: "Lab Heating",
    mdl: "LH-20",
    sw: "1.8.2",
    hw: "B",
    sn: "LH20-004711",
    cns: [["mac", "A4:CF:12:00:47:11"]],
  },
  entities: {
    heating: {
      component: "climate",
      config: { name: null, modes: ["off", "heat", "auto"], min_temp: 5, max_temp: 30, temp_step: 0.5, temp_unit: "C" },
      values: {
        mode: { value: "auto", topic: "mode_stat_t", command: "mode_cmd_t" },
        temperature: { value: "21.0", topic: "temp_stat_t", command: "temp_cmd_t" },
        current: { value: "20.4", topic: "curr_temp_t" },
      },
    },
    pump: {
      component: "switch",
      config: { name: "Pump" },
      values: { state: { value: "ON", topic: "stat_t", command: "cmd_t" } },
    },
    pressure: {
      component: "sensor",
      config: { name: "Pressure", dev_cla: "pressure", unit_of_meas: "bar", stat_cla: "measurement" },
      values: { state: { value: "1.6", topic: "stat_t" } },
    },
  },
};

/** A blind that announces itself whole. */
export const blind: AnnouncedModel = {
  id: "blind-7c9ebd",
  form: "device",
  device: { name: "Kitchen blind", mf: "Lab Shade", mdl: "Roller 2", sw: "0.9.0" },
  entities: {
    blind: {
      component: "cover",
      config: { name: null, dev_cla: "blind" },
      values: {
        state: { value: "open", topic: "stat_t" },
        position: { value: "100", topic: "pos_t", command: "set_pos_t" },
      },
    },
    speed: {
      component: "select",
      config: { name: "Speed", ops: ["silent", "slow", "fast"], ent_cat: "config" },
      values: { state: { value: "silent", topic: "stat_t", command: "cmd_t" } },
    },
    rssi: {
      component: "sensor",
      config: { name: "Signal", dev_cla: "signal_strength", unit_of_meas: "dBm", ent_cat: "diagnostic" },
      values: { state: { value: "-61", topic: "stat_t" } },
    },
  },
};
