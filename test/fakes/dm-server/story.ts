import type { Command, Item, Message } from "../../../tree/wire/message.ts";
import type { Outcome } from "./answers.ts";
import type { Received } from "./conformance.ts";

const meanings = new Map([
  [200, "OK"],
  [202, "accepted, done later"],
  [212, "authenticated for this session"],
  [213, "chunk taken"],
  [214, "cancelled"],
  [215, "not executed"],
  [216, "rolled back"],
  [304, "not modified"],
  [400, "bad request"],
  [401, "wrong credentials"],
  [403, "forbidden"],
  [404, "no such node"],
  [405, "not allowed on this node"],
  [406, "not supported"],
  [407, "credentials needed"],
  [408, "timed out"],
  [412, "incomplete command"],
  [413, "too large"],
  [414, "address too long"],
  [415, "wrong format"],
  [418, "exists already"],
  [420, "device full"],
  [424, "size differs"],
  [425, "no permission (ACL)"],
  [500, "failed"],
  [502, "the device answered nonsense"],
  [503, "the device cannot be reached"],
  [504, "the device did not answer"],
  [507, "all or nothing: nothing"],
  [510, "could not be stored"],
  [516, "could not be rolled back"],
]);

const alerts = new Map([
  [1100, "show a text"],
  [1101, "ask: yes or no"],
  [1102, "ask for a text"],
  [1103, "ask for a choice"],
  [1104, "ask for choices"],
  [1200, "session started by the server"],
  [1201, "session started by the device"],
  [1222, "next message, please"],
  [1223, "session aborted"],
  [1224, "client event"],
  [1225, "chunks are missing"],
  [1226, "generic alert"],
]);

export function statusText(status: number): string {
  const meaning = meanings.get(status);
  return meaning === undefined ? String(status) : `${status} ${meaning}`;
}

/** One command as a line for a person; Atomic and Sequence as several. */
export function commandLines(command: Command): string[] {
  switch (command.name) {
    case "Status":
      return [`Status of ${command.cmd} ${command.targetRefs.join(" ")}: ${statusText(command.status)}`];
    case "Alert":
      return [`Alert ${command.code} (${alerts.get(command.code) ?? "?"})${command.items.map(alertItem).join(",")}`];
    case "Atomic":
    case "Sequence": {
      const all = command.name === "Atomic" ? "Atomic, all or nothing:" : "Sequence, in this order:";
      return [all, ...command.commands.flatMap(commandLines).map((line) => `  ${line}`)];
    }
    case "Unknown":
      return [command.element];
    default:
      return command.items.map((item) => `${command.name} ${address(item)}${value(item)}`);
  }
}

/** A message of a device, but for its answers. `status`: what it gets for its header. */
export function receivedLines({ message, octets }: Received, inPackage: 1 | 3, status: number): string[] {
  const { header, final } = message;
  const kind = header.cred?.type.replace("syncml:auth-", "");
  const facts = [
    `  device, package ${inPackage}, message ${header.msgId}${final ? "" : " (to be continued)"}`,
    `${octets} octets`,
    ...(kind === undefined ? [] : [`shows ${kind} credentials`]),
    ...(status >= 400 ? [statusText(status)] : []),
  ];
  return [`${facts.join(", ")}:`, ...tellingLines(message).map((line) => `    ${line}`)];
}

function tellingLines(message: Message): string[] {
  return message.commands.flatMap((command) => {
    if (command.name === "Status" || command.name === "Results") return [];
    if (command.name !== "Replace") return commandLines(command);
    const facts = command.items.map((item) => `${item.source?.uri.replace("./DevInfo/", "")} ${quoted(item.data)}`);
    return [`tells ./DevInfo: ${facts.join(", ")}`];
  });
}

/** A command and what came of it. */
export function outcomeLines(outcome: Outcome): string[] {
  const [first = "", ...more] = commandLines({
    ...outcome.command,
    ...("commands" in outcome.command && { commands: [] }),
  });
  const answer = outcome.status === 0 ? "no answer" : statusText(outcome.status);
  const results = outcome.results.map((one) => `  ${one.uri} = ${shown(one.format, one.data)}`);
  const [only] = outcome.results;
  if (outcome.results.length === 1 && only !== undefined && more.length === 0)
    return [`${first} → ${answer}: ${shown(only.format, only.data)}`];
  const inner = outcome.inner.flatMap(outcomeLines).map((line) => `  ${line}`);
  return [[first, ...more].join(", ") + ` → ${answer}`, ...results, ...inner];
}

function shown(format: string, data: string | undefined): string {
  if (format === "node") return data === undefined || data === "" ? "(no children)" : `children ${data}`;
  return quoted(data);
}

function address(item: Item): string {
  const to = item.target?.uri ?? "";
  return item.source === undefined || item.target === undefined
    ? to || (item.source?.uri ?? "")
    : `${item.source.uri} to ${to}`;
}

function value(item: Item): string {
  return item.data === undefined ? "" : ` = ${quoted(item.data)}`;
}

function alertItem({ source, meta, data }: Item): string {
  const parts = [source?.uri, meta.type, data === undefined ? undefined : quoted(data)];
  return ` ${parts.filter((part) => part !== undefined).join(" ")}`;
}

function quoted(data: string | Uint8Array | undefined): string {
  if (data === undefined) return "(no data)";
  if (typeof data === "object") return `${data.byteLength} octets`;
  // A terminal is not to take orders from a device.
  const plain = data.replace(/[\u0000-\u001f\u007f-\u009f]/g, "·");
  return plain.length > 100 ? `"${plain.slice(0, 100)}…" (${data.length} characters)` : `"${plain}"`;
}
