import { expect, test } from "vitest";
import { components } from "../../../../adapters/mqtt/home-assistant/components.ts";
import { parseConfig } from "../../../../adapters/mqtt/home-assistant/config.ts";
import { partsOf, topicRules } from "../../../../adapters/mqtt/home-assistant/points.ts";

const rules = topicRules("homeassistant");
const parts = (component: string, payload: unknown) => {
  const parsed = parseConfig({ component, nodeId: undefined, objectId: "x" }, JSON.stringify(payload));
  return parsed === undefined || parsed === "migrate"
    ? []
    : parsed.entities.flatMap((entity) => partsOf(entity, rules));
};

test("every component makes properties of its topics, with ranges and words of its config", () => {
  const told = (component: string, payload: object) =>
    Object.fromEntries(parts(component, payload).map(({ property }) => [property.name, property.rule]));
  expect(
    told("cover", {
      state_topic: "s",
      command_topic: "c",
      set_position_topic: "p",
      position_open: 0,
      position_closed: 100,
    }),
  ).toEqual({
    state: { kind: "enum", choices: ["open", "opening", "closed", "closing", "stopped"] },
    command: { kind: "enum", choices: ["OPEN", "CLOSE", "STOP"] },
    position: { kind: "number", whole: true, min: 0, max: 100 },
  });
  expect(told("valve", { state_topic: "s", command_topic: "c", reports_position: true })).toEqual({
    position: { kind: "number", whole: true, min: 0, max: 100 },
  });
  expect(told("lock", { state_topic: "s", command_topic: "c", payload_open: "OPEN" })).toMatchObject({
    command: { kind: "enum", choices: ["LOCK", "UNLOCK", "OPEN"] },
  });
  expect(told("number", { command_topic: "c", min: 0, max: 1, step: 0.1 })).toEqual({
    state: { kind: "number", whole: false, min: 0, max: 1, step: 0.1 },
  });
  expect(told("sensor", { state_topic: "s" })).toEqual({ state: { kind: "text", of: "any" } });
  expect(told("sensor", { state_topic: "s", device_class: "timestamp" })).toEqual({
    state: { kind: "text", of: "any" },
  });
  expect(told("sensor", { state_topic: "s", device_class: "enum", options: ["a", 1] })).toEqual({
    state: { kind: "enum", choices: ["a", "1"] },
  });
  expect(
    told("light", { command_topic: "c", brightness_command_topic: "b", brightness_scale: 100, schema: "basic" }),
  ).toEqual({
    state: { kind: "bool", on: "ON", off: "OFF" },
    brightness: { kind: "number", whole: true, min: 0, max: 100 },
  });
  expect(
    parts("light", { state_topic: "s", command_topic: "c", schema: "template", state_template: "{{ value }}" }),
  ).toMatchObject([{ property: { name: "state", settable: false, reported: true } }]);
  expect(
    told("humidifier", {
      command_topic: "c",
      target_humidity_command_topic: "h",
      modes: ["eco"],
      mode_command_topic: "m",
    }),
  ).toEqual({
    state: { kind: "bool", on: "ON", off: "OFF" },
    target_humidity: { kind: "number", whole: false, min: 0, max: 100 },
    mode: { kind: "enum", choices: ["eco"] },
  });
  expect(told("update", { state_topic: "s" })).toEqual({
    installed_version: { kind: "text", of: "any" },
    latest_version: { kind: "text", of: "any" },
  });
  expect(told("event", { state_topic: "s", event_types: ["press"] })).toEqual({
    state: { kind: "enum", choices: ["press"] },
  });
  for (const component of ["camera", "image", "tag", "device_automation", "alarm_control_panel"]) {
    expect(components.has(component)).toBe(false);
  }
});

test("an entity whose template is beyond the simple ones says so, and is not guessed", () => {
  const [only] = parts("switch", {
    state_topic: "s",
    value_template: "{{ value_json.a + 1 }}",
    command_topic: "c",
    command_template: "{{ value * 2 }}",
  });
  expect(only?.property).toMatchObject({ settable: false, reported: false, echoes: false });
  expect(only?.property.title).toContain("cannot be read");
  expect(only?.property.title).toContain("cannot be set");
  expect(parts("sensor", { state_topic: "s", encoding: "" })[0]?.property.reported).toBe(false);
});
