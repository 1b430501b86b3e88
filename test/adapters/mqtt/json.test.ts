import { expect, test } from "vitest";
import { parse } from "../../../adapters/mqtt/json.ts";
import { until } from "../../fakes/host.ts";
import { radiatorValve } from "../../fakes/mqtt/models.ts";
import { zigbeeBridge } from "../../fakes/mqtt/zigbee-bridge.ts";
import { smallHome } from "./small-home.ts";

test("JSON is read as deep as it makes sense, whatever stands in its texts", () => {
  expect(parse('{"a":[1,{"b":"}]\\""}]}')).toEqual({ a: [1, { b: '}]"' }] });
  expect(parse(`"${"[".repeat(1000)}"`)).toBe("[".repeat(1000));
  const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
  expect(parse(nested(100))).toBeDefined();
  for (const wrong of [nested(101), nested(100_000), "[".repeat(100_000), "{", ""])
    expect(parse(wrong)).toBeUndefined();
});

test("a list that is deeper than the call stack is left out, and the device goes on", async () => {
  const home = await smallHome();
  const bridge = await zigbeeBridge(home.broker.url, [radiatorValve]);
  const id = `mqtt:z2m:${radiatorValve.address}`;
  await home.appears(id);
  const topic = `zigbee2mqtt/${radiatorValve.name}`;
  await home.publish(topic, `{"days":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, false);
  await home.publish(topic, '{"days":["monday"]}', false);
  await home.shows(id, "state/days", { format: "chr", data: '["monday"]', type: "application/json" });
  await until(() => home.host.face(id) !== undefined);
  await bridge.crash();
  await home.stop();
});
