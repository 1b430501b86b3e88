import { expect, onTestFinished, test } from "vitest";
import { bin, chr, float, int } from "../../../../tree/value.ts";
import { sparkplugEdge } from "../../../fakes/mqtt/sparkplug-edge.ts";
import type { SparkplugModel } from "../../../fakes/mqtt/sparkplug-edge.ts";
import { smallHome } from "../small-home.ts";

test("every scalar type has its format, limits and way back", async () => {
  const home = await smallHome();
  onTestFinished(() => home.stop());
  const octets = Uint8Array.of(1, 2, 255);
  const model: SparkplugModel = {
    group: "G",
    id: "types",
    metrics: {
      i8: { type: "Int8", value: 0 },
      u8: { type: "UInt8", value: 0 },
      u16: { type: "UInt16", value: 0 },
      i32: { type: "Int32", value: 0 },
      u32: { type: "UInt32", value: 0 },
      i64: { type: "Int64", value: 0 },
      u64: { type: "UInt64", value: 0 },
      d: { type: "Double", value: 0 },
      s: { type: "String", value: "" },
      t: { type: "Text", value: "" },
      x: { type: "Bytes", value: Uint8Array.of(0) },
      file: { type: "File", value: Uint8Array.of(0) },
    },
    devices: {},
  };
  const edge = await sparkplugEdge(home.broker.url, model);
  onTestFinished(() => edge.client.endAsync(true));
  const id = "mqtt:sparkplug:G/types";
  await home.appears(id);
  expect(await home.leaves(id)).not.toContain("file");
  const rows = [
    ["i8", int(-128), int(128)],
    ["u8", int(255), int(-1)],
    ["u16", int(65_535), int(65_536)],
    ["i32", int(-2147483648), chr("2147483648")],
    ["u32", chr("2147483647"), chr("4294967296")],
    ["i64", chr("-9007199254740992"), chr("9223372036854775808")],
    ["u64", chr("9007199254740992"), chr("18446744073709551616")],
    ["d", float(21.3), chr("x")],
    ["s", chr("ünï ☃"), bin(octets)],
    ["x", bin(octets), chr("x")],
  ] as const;
  for (const [rel, good, bad] of rows) {
    expect(await home.replace(id, rel, good), rel).toEqual({ state: "done" });
    await home.shows(id, rel, good);
    await expect(home.replace(id, rel, bad), rel).rejects.toMatchObject({ status: 400 });
  }
});
