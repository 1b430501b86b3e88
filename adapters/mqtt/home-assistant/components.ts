import { main, orders, pair, percent, power, powerAs, said } from "./aspects.ts";
import type { Aspect, Aspects } from "./aspects.ts";
import { flagIn } from "./config.ts";
import type { Settings } from "./config.ts";
import { light } from "./lights.ts";
import * as shape from "./shapes.ts";

const shutterWords = shape.oneOfWords([
  ["state_open", "open"],
  ["state_opening", "opening"],
  ["state_closed", "closed"],
  ["state_closing", "closing"],
  ["state_stopped", "stopped"],
]);

const valve = (settings: Settings): readonly Aspect[] =>
  flagIn(settings, "reports_position")
    ? [
        main(
          shape.range({ min: "position_closed", max: "position_open", from: 0, to: 100, whole: true }),
          "value_template",
          {
            name: "position",
            key: "position",
            plain: true,
          },
        ),
      ]
    : [
        said("state", "state_topic", ["value_template"], shutterWords),
        orders(["payload_open", "OPEN"], ["payload_close", "CLOSE"], ["payload_stop", undefined]),
      ].map((aspect) => (aspect.state === undefined ? aspect : { ...aspect, key: "state", plain: true }));

const thermostat: readonly Aspect[] = [
  pair("mode", shape.oneOfList("modes")),
  pair("temperature", shape.range({ min: "min_temp", max: "max_temp", step: "temp_step", unit: shape.degrees })),
  pair("temperature_low", shape.range({ min: "min_temp", max: "max_temp", step: "temp_step", unit: shape.degrees })),
  pair("temperature_high", shape.range({ min: "min_temp", max: "max_temp", step: "temp_step", unit: shape.degrees })),
  pair("target_humidity", shape.range({ min: "min_humidity", max: "max_humidity", from: 0, to: 100, unit: "%" })),
  pair("fan_mode", shape.oneOfList("fan_modes")),
  pair("swing_mode", shape.oneOfList("swing_modes")),
  pair("swing_horizontal_mode", shape.oneOfList("swing_horizontal_modes")),
  pair("preset_mode", shape.oneOfList("preset_modes", "none"), "preset_mode_value"),
  pair("power", power),
  said("action", "action_topic", ["action_template"], shape.anyText),
  said(
    "current_temperature",
    "current_temperature_topic",
    ["current_temperature_template"],
    shape.range({ unit: shape.degrees }),
  ),
  said("current_humidity", "current_humidity_topic", ["current_humidity_template"], shape.range({ unit: "%" })),
].map((aspect) => ({ ...aspect, template: [...(aspect.template ?? []), "value_template"] }));

/** What the convention's components have. One that is not here is left out: pictures, triggers, tags, alarms, scenes … */
export const components: ReadonlyMap<string, Aspects> = new Map<string, Aspects>([
  ["sensor", [said("state", "state_topic", ["value_template"], shape.reading)]],
  ["binary_sensor", [said("state", "state_topic", ["value_template"], power)]],
  ["switch", [main(powerAs)]],
  ["light", light],
  [
    "cover",
    [
      said("state", "state_topic", ["value_template"], shutterWords),
      orders(["payload_open", "OPEN"], ["payload_close", "CLOSE"], ["payload_stop", "STOP"]),
      {
        name: "position",
        state: "position_topic",
        template: ["position_template"],
        command: "set_position_topic",
        commandTemplate: "set_position_template",
        called: "position",
        shape: shape.range({ min: "position_closed", max: "position_open", from: 0, to: 100, whole: true }),
      },
      {
        name: "tilt",
        state: "tilt_status_topic",
        template: ["tilt_status_template"],
        command: "tilt_command_topic",
        commandTemplate: "tilt_command_template",
        called: "tilt_position",
        assumed: "tilt_optimistic",
        shape: shape.range({ min: "tilt_min", max: "tilt_max", from: 0, to: 100, whole: true }),
      },
    ],
  ],
  ["climate", thermostat],
  [
    "fan",
    [
      main(power, "state_value_template"),
      pair("percentage", shape.range({ max: "speed_range_max", from: 0, to: 100, whole: true }), "percentage_value"),
      pair("preset_mode", shape.oneOfList("preset_modes"), "preset_mode_value"),
      pair(
        "oscillation",
        shape.onOff(["payload_oscillation_on", "oscillate_on"], ["payload_oscillation_off", "oscillate_off"]),
        "oscillation_value",
      ),
      pair("direction", () => ({ rule: { kind: "enum", choices: ["forward", "reverse"] } }), "direction_value"),
    ],
  ],
  [
    "lock",
    [
      said(
        "state",
        "state_topic",
        ["value_template"],
        shape.oneOfWords([
          ["state_locked", "LOCKED"],
          ["state_unlocked", "UNLOCKED"],
          ["state_locking", "LOCKING"],
          ["state_unlocking", "UNLOCKING"],
          ["state_jammed", "JAMMED"],
        ]),
      ),
      orders(["payload_lock", "LOCK"], ["payload_unlock", "UNLOCK"], ["payload_open", undefined]),
    ],
  ],
  [
    "number",
    [
      main(
        shape.range({ min: "min", max: "max", step: "step", from: 1, to: 100, whole: true, unit: shape.unitOfConfig }),
      ),
    ],
  ],
  ["select", [main(shape.oneOfList("options"))]],
  ["text", [main(shape.anyText)]],
  ["button", [orders(["payload_press", "PRESS"])]],
  [
    "siren",
    [main(powerAs, "state_value_template", { key: "state", plain: true, json: { keys: ["state"], group: "" } })],
  ],
  ["valve", valve],
  [
    "humidifier",
    [
      main(power, "state_value_template"),
      pair("target_humidity", shape.range({ min: "min_humidity", max: "max_humidity", from: 0, to: 100, unit: "%" })),
      pair("mode", shape.oneOfList("modes")),
      said("current_humidity", "current_humidity_topic", ["current_humidity_template"], shape.range({ unit: "%" })),
      said("action", "action_topic", ["action_template"], shape.anyText),
    ],
  ],
  [
    "vacuum",
    [
      { name: "state", state: "state_topic", template: ["value_template"], key: "state", shape: shape.anyText },
      {
        name: "fan_speed",
        state: "state_topic",
        key: "fan_speed",
        command: "set_fan_speed_topic",
        shape: shape.oneOfList("fan_speed_list"),
      },
      { name: "battery_level", state: "state_topic", key: "battery_level", shape: percent },
      orders(
        ["payload_start", "start"],
        ["payload_pause", "pause"],
        ["payload_stop", "stop"],
        ["payload_return_to_base", "return_to_base"],
        ["payload_clean_spot", "clean_spot"],
        ["payload_locate", "locate"],
      ),
      { name: "send_command", command: "send_command_topic", shape: shape.anyText },
    ],
  ],
  [
    "update",
    // Its command installs a firmware: nothing to be done in passing.
    [
      {
        name: "installed_version",
        state: "state_topic",
        template: ["value_template"],
        key: "installed_version",
        plain: true,
        shape: shape.anyText,
      },
      {
        name: "latest_version",
        state: "latest_version_topic",
        template: ["latest_version_template"],
        shape: shape.anyText,
      },
      { name: "latest_version", state: "state_topic", key: "latest_version", shape: shape.anyText },
    ],
  ],
  ["device_tracker", [said("state", "state_topic", ["value_template"], shape.anyText)]],
  [
    "event",
    [
      {
        name: "state",
        state: "state_topic",
        template: ["value_template"],
        key: "event_type",
        shape: shape.oneOfList("event_types"),
      },
    ],
  ],
]);

/** undefined: the component is left out. */
export function aspectsOf(component: string, settings: Settings): readonly Aspect[] | undefined {
  const found = components.get(component);
  return typeof found === "function" ? found(settings) : found;
}
