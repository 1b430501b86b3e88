import type { Problem } from "./failure.ts";
import { printable } from "./print.ts";

/** What a person can do about a refusal; undefined where nothing in general helps. */
export function nextStep(verb: string, { status, uri, decision, detail }: Problem): string | undefined {
  if (uri === undefined || verb === "groups") {
    if (status === 404) return `see which there are: dmgw ${listOf(verb, detail)}`;
    if (status === 400 && detail.startsWith("the rule")) return "how a rule is written: dmgw groups --help";
    return status === 500 ? "see the daemon's log: journalctl -u dmgw" : undefined;
  }
  const node = shellWord(uri);
  switch (status) {
    case 404:
      return `see what is there: dmgw ls ${shellWord(parentOf(uri))}`;
    case 405:
      return `see what it is: dmgw get ${node}`;
    case 415:
      return `see its format: dmgw get ${node} --prop Format`;
    case 418:
      return `change it: dmgw set ${node} VALUE`;
    case 425:
      return `change who may: dmgw acl ${shellWord(decision?.from ?? uri)} 'Get=…&Replace=…'`;
    case 420:
    case 510:
      return "see what the disk says: dmgw status";
    case 503:
    case 504:
      return "see whether the device is there: dmgw devices";
    case 500:
    case 502:
      return "see the daemon's log: journalctl -u dmgw";
    default:
      return undefined;
  }
}

/** The verb that lists what was not found. */
function listOf(verb: string, detail: string): string {
  if (verb === "device" || (verb === "groups" && detail.includes("no device"))) return "devices";
  return verb === "groups" ? "groups" : "servers";
}

export function parentOf(uri: string): string {
  const slash = uri.lastIndexOf("/");
  return slash <= 1 ? "." : uri.slice(0, slash);
}

/** As it can be typed into a shell. */
export function shellWord(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${printable(text).replaceAll("'", "'\\''")}'`;
}
