import { expect, test } from "vitest";
import { nearest } from "../../config/suggest.ts";

const words = ["gateway", "state", "lan", "log", "level", "format", "url", "username", "password", "interval"];

test.each([
  ["gatway", "gateway"],
  ["Gateway", "gateway"],
  ["lvel", "level"],
  ["levle", "level"],
  ["ulr", "url"],
  ["uri", "url"],
  ["user_name", "username"],
  ["pasword", "password"],
  ["passwort", "password"],
  ["intervall", "interval"],
  ["lna", "lan"],
])("for %s, %s is suggested", (wrong, meant) => {
  expect(nearest(wrong, words)).toBe(meant);
});

test.each(["", "x", "zigbee", "devices", "x".repeat(100_000)])(
  "for what is like nothing nothing is suggested",
  (wrong) => {
    expect(nearest(wrong, words)).toBeUndefined();
  },
);
