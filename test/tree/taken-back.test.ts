import { expect, it } from "vitest";
import { local } from "../../tree/acl.ts";
import { DmError, Status } from "../../tree/errors.ts";
import { chr } from "../../tree/value.ts";
import { fakeStore } from "../fakes/store.ts";
import type { FakeStore } from "../fakes/store.ts";
import { call, path, smallHome } from "./small-home.ts";

/** Once `failing()`, it refuses what comes in one turn of the event loop together, the newest first, as the real one does. */
function diskThatFails(): FakeStore & { failing(): void } {
  const store = fakeStore();
  const waiting: ((error: DmError) => void)[] = [];
  let fails = false;
  return {
    ...store,
    failing: () => void (fails = true),
    async commit(batch) {
      if (!fails) return store.commit(batch);
      if (waiting.length === 0) {
        setImmediate(() => {
          for (const refuse of waiting.splice(0).reverse()) refuse(new DmError(Status.storeFailed, "the disk failed"));
        });
      }
      await new Promise((_, reject) => waiting.push(reject));
    },
  };
}

it("takes back writes that went over each other when the disk refuses them together", async () => {
  const store = diskThatFails();
  const { tree } = smallHome(store);
  const a = path("./DevInfo/Ext/a");
  const b = path("./DevInfo/Ext/a/b");
  const power = path("./Devices/d1/MQTT/power");
  await tree.change([{ verb: "Add", at: b, value: chr("kept") }], call(local));
  await tree.setProperty(b, "Title", "kept", call(local));
  const before = await tree.property(path("."), "Fingerprint", call(local));

  store.failing();
  const refused: Promise<number>[] = [];
  for (const changes of [
    [{ verb: "Replace", at: b, value: chr("refused") }],
    [
      { verb: "Replace", at: b, value: chr("refused too") },
      { verb: "Replace", at: power, value: chr("on") },
      { verb: "Add", at: path(`${a}/x`), value: chr("refused") },
    ],
    [{ verb: "Property", at: b, name: "Title", value: "refused" }],
    [{ verb: "Property", at: b, name: "Title", value: "refused too" }],
    [{ verb: "Replace", at: b, value: chr("refused as well") }],
    [{ verb: "Delete", at: a }],
    [{ verb: "Add", at: a, value: chr("refused") }],
  ] as const) {
    const ended = tree.change(changes, call(local)).then(
      () => 200,
      (error: unknown) => (error as DmError).status,
    );
    refused.push(ended);
    // Each finds the one before it done, and none has been answered yet.
    await new Promise(process.nextTick);
  }
  expect(await Promise.all(refused)).toEqual(Array(7).fill(510));
  expect(await tree.get(b, "one", call(local))).toEqual(chr("kept"));
  expect(await tree.property(b, "Title", call(local))).toBe("kept");
  expect([tree.has(path(`${a}/x`)), await tree.get(power, "one", call(local))]).toEqual([false, chr("off")]);
  expect(await tree.property(path("."), "Fingerprint", call(local))).toBe(before);
});
