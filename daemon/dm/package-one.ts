import { local } from "../../tree/acl.ts";
import { DmError, Status } from "../../tree/errors.ts";
import type { Call } from "../../tree/mo.ts";
import { parsePath } from "../../tree/path.ts";
import type { Log } from "../../tree/ports.ts";
import type { TreeShape } from "../../tree/shape.ts";
import { isInterior, sizeOf } from "../../tree/value.ts";
import type { Snapshot } from "../../tree/value.ts";
import type { Item } from "../../tree/wire/message.ts";
import { sizeOfCommand } from "../../tree/wire/syncml-write.ts";
import { alertCodes } from "./commands/alert.ts";
import { dataOf } from "./data.ts";
import { within } from "./execution.ts";
import type { Draft } from "./replies.ts";

/** One thing to tell the server. The value is read when it is told, with the server's rights. */
export interface AlertItem {
  readonly id: string;
  /** The node that it is about. */
  readonly uri: string;
  readonly type: string;
  readonly mark?: string;
}

export interface Introduction {
  readonly tree: TreeShape;
  readonly log: Log;
  readonly reason: 1200 | 1201;
  readonly alerts: readonly AlertItem[];
  /** Octets that one command may have in a message. */
  readonly room: () => number;
  /** Runs something with the server's rights and a time limit of its own. */
  readonly asServer: <T>(work: (call: Call) => Promise<T>) => Promise<T>;
  /** The server has no business with this alert any more. */
  readonly drop: (id: string) => void;
}

const devInfo = parsePath("./DevInfo");
/** Alerts whose values are read side by side, within one time limit. */
const batch = 8;

/** Package 1 (Protocol 1.2.1, 2.3.3): who starts the session and why, who we are, and what there is to tell. */
export async function* packageOne(introduction: Introduction): AsyncGenerator<Draft> {
  yield { command: { name: "Alert", cmdId: "", code: introduction.reason, items: [] } };
  yield { command: { name: "Replace", cmdId: "", meta: {}, items: await deviceItems(introduction) } };
  const { alerts } = introduction;
  for (let first = 0; first < alerts.length; first += batch) {
    const some = alerts.slice(first, first + batch);
    const { drafts, late } = await introduction.asServer(async (call) => ({
      drafts: await Promise.all(some.map((one) => alertDraft(one, introduction, call))),
      late: call.signal.aborted,
    }));
    for (const draft of drafts) if (draft !== undefined) yield draft;
    // Devices that are silent keep the session no longer: the rest waits for the next one.
    if (late) return;
  }
}

/** The leaves that every device has; what servers added below Ext they can read. */
async function deviceItems({ tree, asServer }: Introduction): Promise<Item[]> {
  const all = await asServer((call) => tree.get(devInfo, "deep", { ...call, by: local }));
  const items: Item[] = [];
  for (const [name, leaf] of isInterior(all) ? all.children : []) {
    if (leaf === undefined || isInterior(leaf)) continue;
    items.push({ source: { uri: `${devInfo}/${name}` }, ...dataOf(leaf), moreData: false });
  }
  return items;
}

async function alertDraft(alert: AlertItem, introduction: Introduction, call: Call): Promise<Draft | undefined> {
  const { tree, log, room, drop } = introduction;
  let node: Snapshot | undefined;
  try {
    const at = parsePath(alert.uri);
    node = await within(call, tree.get(at, "one", call));
  } catch (error) {
    if (!(error instanceof DmError)) throw error;
    // The server may not read it (any more): then it is none of its business that it changed.
    if (error.status === Status.permissionDenied || error.status === Status.notAllowed) return void drop(alert.id);
    // A device that is silent just now: the alert stays, for a session when its value can be had.
    if (error.status !== Status.notFound) {
      log.debug("an alert waits: its value cannot be read", { uri: alert.uri, reason: error.message });
      return undefined;
    }
  }
  const draft = draftOf(alert, node, true);
  return sizeOfCommand({ ...draft.command, cmdId: "0000" }) <= room() ? draft : draftOf(alert, node, false);
}

/** Format null: the node is gone. A value that fits no message is left out; its Size says that there is one. */
function draftOf(alert: AlertItem, node: Snapshot | undefined, withValue: boolean): Draft {
  const { meta, data } = contentOf(node);
  const size = node === undefined || isInterior(node) ? undefined : sizeOf(node);
  const item: Item = {
    source: { uri: alert.uri },
    meta: {
      format: "chr",
      ...meta,
      type: alert.type,
      ...(alert.mark === undefined ? {} : { mark: alert.mark }),
      ...(withValue || size === undefined ? {} : { size }),
    },
    data: withValue ? (data ?? "") : "",
    moreData: false,
  };
  return { command: { name: "Alert", cmdId: "", code: alertCodes.generic, items: [item] }, alert: alert.id };
}

function contentOf(node: Snapshot | undefined): Pick<Item, "meta" | "data"> {
  if (node === undefined) return { meta: { format: "null" }, data: "" };
  return isInterior(node) ? { meta: { format: "node" }, data: "" } : dataOf(node);
}
