import { DmError, Status } from "../../tree/errors.ts";
import type { DeviceReport, Gateway, GroupReport } from "../gateway.ts";
import { parseRule } from "../devices/group-rules.ts";
import type { Answer, Ask, Fields, Route } from "./ask.ts";
import { flag, neededText, ok, textField } from "./ask.ts";

type Run = (ask: Ask) => Promise<Answer> | Answer;

/** What a list in a body may hold: more than any home has of it. */
const listLimit = 1000;

/** /v1/devices and /v1/groups: the inventory. */
export function deviceRoutes(gateway: Gateway): readonly Route[] {
  const on = (methods: Readonly<Partial<Record<"GET" | "PUT" | "POST" | "DELETE", Run>>>) =>
    new Map(Object.entries(methods));
  const post = (path: string, run: Run): Route => ({ path: `devices/:id/${path}`, on: on({ POST: run }) });
  return [
    { path: "devices", query: ["rule", "ignored", "gone"], on: on({ GET: (ask) => ok(devicesOf(gateway, ask)) }) },
    { path: "devices/:id", on: on({ GET: ({ id }) => ok(gateway.device(id)) }) },
    { path: "devices/:id/why", on: on({ GET: ({ id }) => ok(gateway.why(id)) }) },
    post("approve", async (ask) => {
      await ask.body();
      return ok(await gateway.approve(ask.id));
    }),
    post("name", async (ask) => ok(await gateway.name(ask.id, await deviceName(ask)))),
    post("forget", async (ask) => {
      await ask.body();
      await gateway.forget(ask.id);
      return ok({ state: "done" });
    }),
    post("merge", async (ask) => ok(await gateway.merge(ask.id, neededText(await ask.body("other"), "other", 64)))),
    post("split", async (ask) =>
      ok(await gateway.split(ask.id, textList(await ask.body("identities"), "identities") ?? [])),
    ),
    post("ignore", async (ask) => ok(await gateway.ignore(ask.id, neededFlag(await ask.body("ignored"), "ignored")))),
    { path: "groups", on: on({ GET: () => ok(gateway.groups()) }) },
    {
      path: "groups/:id",
      on: on({
        GET: ({ id }) => ok(groupOf(gateway, id)),
        PUT: async (ask) => ok(await gateway.setGroup(ask.id, await newGroup(ask))),
        DELETE: async ({ id }) => {
          await gateway.removeGroup(id);
          return ok({ state: "done" });
        },
      }),
    },
  ];
}

/** ?rule= keeps those that a rule of groups fits; ?ignored=yes lists ignored ones too; ?gone=no leaves out those that were away for long. */
function devicesOf(gateway: Gateway, ask: Ask): readonly DeviceReport[] {
  const text = ask.query.get("rule");
  const rule = text === undefined ? undefined : parseRule(text);
  const hidden = new Set<DeviceReport["state"]>();
  if (!flag(ask, "ignored")) hidden.add("ignored");
  if (ask.query.has("gone") && !flag(ask, "gone")) hidden.add("gone");
  return gateway.devices().filter((device) => !hidden.has(device.state) && rule?.matches(device) !== false);
}

async function deviceName(ask: Ask): Promise<string> {
  const name = textField(await ask.body("name"), "name", 64);
  if (name === undefined) throw new DmError(Status.incomplete, '"name" is missing in the body');
  if (/\p{Cc}/u.test(name)) throw new DmError(Status.badRequest, "a name may not hold control characters");
  return name;
}

function groupOf(gateway: Gateway, id: string): GroupReport {
  const group = gateway.groups().find((one) => one.id === id);
  if (group === undefined) throw new DmError(Status.notFound, `there is no group "${id.slice(0, 64)}"`);
  return group;
}

async function newGroup(ask: Ask): Promise<Parameters<Gateway["setGroup"]>[1]> {
  const fields = await ask.body("name", "rule", "members");
  const [name, rule] = [textField(fields, "name", 255), textField(fields, "rule", 512)];
  const members = textList(fields, "members");
  return {
    ...(name === undefined ? {} : { name }),
    ...(rule === undefined ? {} : { rule }),
    ...(members === undefined ? {} : { members }),
  };
}

/** A list of texts of the body; undefined when the key is absent. @throws DmError 400, 413. */
function textList(fields: Fields, key: string): readonly string[] | undefined {
  const value = fields.get(key);
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || !value.every((one) => typeof one === "string"))
    throw new DmError(Status.badRequest, `"${key}" must be a list of strings`);
  if (value.length > listLimit || value.some((one) => one.length > 1024))
    throw new DmError(Status.tooLarge, `"${key}" has more than ${listLimit} texts of 1024 characters`);
  return value;
}

/** @throws DmError 400, 412 */
function neededFlag(fields: Fields, key: string): boolean {
  const value = fields.get(key);
  if (value === undefined) throw new DmError(Status.incomplete, `"${key}" is missing in the body`);
  if (typeof value !== "boolean") throw new DmError(Status.badRequest, `"${key}" must be true or false`);
  return value;
}
