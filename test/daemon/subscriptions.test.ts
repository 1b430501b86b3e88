import { beforeEach, expect, test } from "vitest";
import { openOutbox } from "../../daemon/outbox.ts";
import type { Outbox } from "../../daemon/outbox.ts";
import { openSubscriptions } from "../../daemon/subscriptions.ts";
import type { Subscriptions } from "../../daemon/subscriptions.ts";
import type { ServerAccount } from "../../daemon/upstream/account.ts";
import { server } from "../../tree/acl.ts";
import { parsePath, parseRel } from "../../tree/path.ts";
import { int } from "../../tree/value.ts";
import { settled } from "../fakes/clock.ts";
import { account, asLocal, home, manage, serverId } from "./dm/scene.ts";
import type { Home } from "./dm/scene.ts";

let at: Home;
let outbox: Outbox;
let subscriptions: Subscriptions;
const reporting = (over: Partial<ServerAccount> = {}): ServerAccount => ({
  ...account(),
  encoding: "xml",
  devices: "manage",
  poll: 0,
  report: { subtrees: ["./Devices"], interval: 5_000 },
  owner: "file",
  refused: undefined,
  ...over,
});
beforeEach(async () => {
  at = home();
  await manage(at);
  outbox = openOutbox(at);
  subscriptions = openSubscriptions({ tree: at.tree, outbox });
  subscriptions.set([reporting()]);
});

const lamp = "./Devices/d1/Lamp";
const uris = (id = serverId) => outbox.pending(id).map((one) => one.uri);
const write = (uri: string, value = int(5), by = asLocal.by) =>
  at.tree.change([{ verb: "Replace", at: parsePath(uri), value }], { ...asLocal, by });

test("a written change is told to the servers that asked for it, in the same commit", async () => {
  const before = at.store.commits;
  await at.tree.change([{ verb: "Add", at: parsePath("./DevInfo/Ext/x"), value: int(1) }], asLocal);
  expect(uris()).toEqual([]);
  subscriptions.set([reporting({ report: { subtrees: ["./DevInfo"], interval: 5_000 } })]);
  await at.tree.change([{ verb: "Replace", at: parsePath("./DevInfo/Ext/x"), value: int(2) }], asLocal);
  expect(uris()).toEqual(["./DevInfo/Ext/x"]);
  expect(outbox.pending(serverId)[0]).toMatchObject({ type: "urn:dmgw:at:change" });
  expect(at.store.commits - before).toBe(2);
  expect(openOutbox(at).state(serverId).length).toBe(1);
});

test("nobody is told what he did himself", async () => {
  await write(`${lamp}/Level`, int(5), server(serverId));
  expect(uris()).toEqual([]);
  await write(`${lamp}/Level`, int(6), server("other")).catch(() => undefined);
  expect(uris()).toEqual([]);
  await write(`${lamp}/Level`, int(7));
  expect(uris()).toEqual([`${lamp}/Level`]);
});

test("what a server may not Get is none of its business, and neither are refused accounts or those without report", async () => {
  await at.tree.change(
    [{ verb: "Property", at: parsePath(`${lamp}/Level`), name: "ACL", value: "Get=other&Replace=other" }],
    asLocal,
  );
  await write(`${lamp}/Level`);
  expect(uris()).toEqual([]);
  subscriptions.set([reporting({ id: "other", refused: "no" }), reporting({ id: "other2", report: undefined })]);
  await write(`${lamp}/Level`);
  expect([uris(), uris("other"), uris("other2")]).toEqual([[], [], []]);
});

test("what a device reports is told; values of sensors never reach the flash", async () => {
  const before = at.store.commits;
  for (let turn = 0; turn < 1_000; turn++) at.device.changed([parseRel("Temperature")]);
  await settled();
  expect([uris(), at.store.commits - before]).toEqual([[`${lamp}/Temperature`], 0]);
  for (let turn = 0; turn < 1_000; turn++) at.device.changed([parseRel("Level")]);
  await settled();
  expect([uris().length, at.store.commits - before]).toEqual([2, 1]);
});

test("a subtree that goes is told, a property that changes is not", async () => {
  subscriptions.set([reporting({ report: { subtrees: [`${lamp}/Level`], interval: 5_000 } })]);
  await at.tree.change([{ verb: "Property", at: parsePath(`${lamp}/Level`), name: "Title", value: "x" }], asLocal);
  expect(uris()).toEqual([]);
  at.device.unmount();
  expect(uris()).toEqual([lamp]);
});

test("nothing is heard after the stop", async () => {
  subscriptions.stop();
  await write(`${lamp}/Level`);
  expect(uris()).toEqual([]);
});
