import { said, main, pair, power } from "./aspects.ts";
import type { Aspect } from "./aspects.ts";
import { flagIn, listIn, textIn } from "./config.ts";
import type { Settings } from "./config.ts";
import * as shape from "./shapes.ts";
import type { ShapeOf } from "./shapes.ts";

/** A light: with a topic for each property (basic), with one JSON object for all (json), or with templates, of which only the state is read. */
export function light(settings: Settings): readonly Aspect[] {
  const schema = textIn(settings, "schema") ?? "basic";
  if (schema === "json") return jsonLight(settings);
  if (schema === "template") {
    return [said("state", "state_topic", ["state_template"], shape.onOff(["", "on"], ["", "off"]))];
  }
  // Where its brightness turns it on there is no order that only turns it on.
  const state = main(power, "state_value_template");
  const value = (name: string, of: ShapeOf, more?: Partial<Aspect>) => pair(name, of, `${name}_value`, more);
  return [
    textIn(settings, "on_command_type") === "brightness"
      ? said("state", "state_topic", ["state_value_template"], power)
      : state,
    value("brightness", shape.range({ max: "brightness_scale", from: 0, to: 255, whole: true })),
    value("color_temp", shape.colorTemperature),
    said("color_mode", "color_mode_state_topic", ["color_mode_value_template"], shape.anyText),
    value("hs", shape.anyText),
    value("xy", () => ({ rule: { kind: "color", spaces: ["xyz"], named: false } })),
    value("rgb", () => ({ rule: { kind: "color", spaces: ["rgb"], named: false } })),
    value("rgbw", shape.anyText),
    value("rgbww", shape.anyText),
    value("effect", shape.oneOfList("effect_list")),
    {
      name: "white",
      command: "white_command_topic",
      shape: shape.range({ max: "white_scale", from: 0, to: 255, whole: true }),
    },
  ];
}

const byte = shape.range({ from: 0, to: 255, whole: true });
const unit = shape.range({ from: 0, to: 1 });
/** Colors of a JSON light: mode, group, keys. */
const colors: readonly (readonly [
  modes: readonly string[],
  group: string,
  keys: readonly (readonly [string, ShapeOf])[],
])[] = [
  [
    ["hs"],
    "hs",
    [
      ["h", shape.range({ from: 0, to: 360, unit: "°" })],
      ["s", shape.range({ from: 0, to: 100, unit: "%" })],
    ],
  ],
  [
    ["xy"],
    "xy",
    [
      ["x", unit],
      ["y", unit],
    ],
  ],
  [
    ["rgb", "rgbw", "rgbww"],
    "rgb",
    [
      ["r", byte],
      ["g", byte],
      ["b", byte],
    ],
  ],
  [["rgbw"], "rgb", [["w", byte]]],
  [
    ["rgbww"],
    "rgb",
    [
      ["c", byte],
      ["w", byte],
    ],
  ],
];

function jsonLight(settings: Settings): readonly Aspect[] {
  const modes = new Set(listIn(settings, "supported_color_modes"));
  for (const old of ["brightness", "color_temp", "hs", "rgb", "xy"]) if (flagIn(settings, old)) modes.add(old);
  const at = (keys: readonly string[], of: ShapeOf, group = "", more: Partial<Aspect> = {}): Aspect => ({
    name: keys,
    state: "state_topic",
    command: "command_topic",
    json: { keys, group },
    shape: of,
    ...more,
  });
  const only = (says: boolean, aspect: Aspect) => (says ? [aspect] : []);
  const dims = [...modes].some((mode) => mode !== "onoff");
  return [
    at(["state"], shape.onOff(["", "ON"], ["", "OFF"])),
    ...only(dims, at(["brightness"], shape.range({ max: "brightness_scale", from: 0, to: 255, whole: true }))),
    ...only(modes.has("color_temp"), at(["color_temp"], shape.colorTemperature)),
    ...only(modes.size > 0, {
      name: "color_mode",
      state: "state_topic",
      json: { keys: ["color_mode"], group: "" },
      shape: shape.anyText,
    }),
    ...colors.flatMap(([needs, group, keys]) =>
      needs.some((mode) => modes.has(mode)) ? keys.map(([key, of]) => at(["color", key], of, group)) : [],
    ),
    ...only(
      modes.has("white"),
      at(["white"], shape.range({ max: "white_scale", from: 0, to: 255, whole: true }), "", { echoes: false }),
    ),
    // An effect is played, and many lights never speak of it again.
    ...only(
      flagIn(settings, "effect") || listIn(settings, "effect_list").length > 0,
      at(["effect"], shape.oneOfList("effect_list"), "", { echoes: false }),
    ),
  ];
}
