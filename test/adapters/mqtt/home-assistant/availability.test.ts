import { expect, test } from "vitest";
import { Availability, availabilityOf } from "../../../../adapters/mqtt/home-assistant/availability.ts";
import type { AvailabilityRule } from "../../../../adapters/mqtt/home-assistant/availability.ts";
import { parseConfig } from "../../../../adapters/mqtt/home-assistant/config.ts";
import { topicRules } from "../../../../adapters/mqtt/home-assistant/points.ts";
import { heard } from "../../../../adapters/mqtt/home-assistant/templates.ts";

const { reads } = topicRules("homeassistant");
const rule = (config: object): AvailabilityRule => {
  const parsed = parseConfig({ component: "sensor", nodeId: undefined, objectId: "x" }, JSON.stringify(config));
  const [entity] = parsed === undefined || parsed === "migrate" ? [] : parsed.entities;
  const found = entity === undefined ? undefined : availabilityOf(entity.settings, reads);
  if (found === undefined) throw new Error("no availability");
  return found;
};
const voice = (...rules: AvailabilityRule[]) => {
  const availability = new Availability();
  availability.set(rules);
  return { availability, says: (topic: string, text: string) => availability.hear(topic, heard(Buffer.from(text))) };
};
const both = [{ t: "a" }, { t: "b", pl_avail: "up", pl_not_avail: "down" }];

test("a device that declares nothing says nothing; one that was never heard is away", () => {
  expect(voice().availability.says).toBeUndefined();
  expect(voice(rule({ avty_t: "a" })).availability.says).toBe(false);
});

test("words and templates of the config decide; other words change nothing", () => {
  const { availability, says } = voice(
    rule({ avty_t: "a", pl_avail: true, pl_not_avail: false, avty_tpl: "{{ value_json.there }}" }),
  );
  expect(says("a", '{"there":true}')).toBe(true);
  expect(availability.says).toBe(true);
  for (const other of ["", "online", '{"there":"maybe"}', "{}"]) expect(says("a", other)).toBeUndefined();
  expect(says("b", '{"there":false}')).toBeUndefined();
  expect(availability.says).toBe(true);
  expect(says("a", '{"there":false}')).toBe(false);
  expect(availability.says).toBe(false);
});

test("of several topics all, any or the latest one counts", () => {
  const states = (mode?: string) => {
    const { availability, says } = voice(rule({ avty: both, ...(mode === undefined ? {} : { avty_mode: mode }) }));
    return [
      ["a", "online"],
      ["b", "up"],
      ["a", "offline"],
      ["b", "down"],
    ].map(([topic = "", text = ""]) => (says(topic, text), availability.says));
  };
  expect(states("all")).toEqual([false, true, false, false]);
  expect(states("any")).toEqual([true, true, true, false]);
  expect(states("latest")).toEqual([true, true, false, false]);
  expect(states()).toEqual(states("latest"));
});

test("a device is there as long as one of its entities is; what was heard outlasts a new description", () => {
  const [own, other] = [rule({ avty_t: "a" }), rule({ avty_t: "c" })];
  const { availability, says } = voice(own, other);
  says("a", "online");
  says("c", "offline");
  expect(availability.says).toBe(true);
  availability.set([rule({ avty_t: "a" }), rule({ avty_t: "a" })]);
  expect(availability.says).toBe(true);
  expect([...availability.topics]).toEqual(["a"]);
  expect(availability.add(rule({ avty_t: "a" }))).not.toBe(own);
  availability.set([]);
  availability.set([own]);
  expect(availability.says).toBe(false);
});

test("what cannot be read or listened to does not count", () => {
  const config = { avty: [{ t: "a/#" }, { t: "b", val_tpl: "{{ 'online' if value else 'offline' }}" }, 7, { t: "c" }] };
  expect([...voice(rule(config)).availability.topics]).toEqual(["c"]);
  expect(() => rule({ avty: [{ t: "$SYS/x" }] })).toThrow();
  expect(() => rule({ avty_t: "a", pl_avail: "x", pl_not_avail: "x" })).toThrow();
});
