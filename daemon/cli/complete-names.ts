import type { DeviceReport, GroupReport, ServerReport } from "../gateway.ts";
import type { Api } from "./api.ts";
import { nodePath } from "./api.ts";
import { childNames, childUri } from "./node-lines.ts";
import type { Node } from "./node-lines.ts";
import type { Kind } from "./verb.ts";

/** What the daemon has of a kind: ids of devices, groups and servers; nodes one step further than the word. */
export async function namesOf(
  api: Api,
  kind: Exclude<Kind, "file" | readonly string[]>,
  word: string,
): Promise<readonly string[]> {
  if (kind === "device") return (await api.get<readonly DeviceReport[]>("/v1/devices")).map((device) => device.id);
  if (kind === "group") return (await api.get<readonly GroupReport[]>("/v1/groups")).map((group) => group.id);
  if (kind === "server") return (await api.get<readonly ServerReport[]>("/v1/servers")).map((server) => server.id);
  const slash = word.lastIndexOf("/");
  const above = slash < 0 ? "." : word.slice(0, slash);
  const node = await api.get<Node>(`/v1/tree/${nodePath(above)}`);
  const fitting = childNames(node)
    .map((name) => childUri(above, name))
    .filter((uri) => uri.startsWith(word));
  const [only] = fitting;
  if (only === undefined || fitting.length > 1) return fitting;
  // The only one: an interior node is a step on the way, not the end of it.
  const { format } = await api.get<Node>(`/v1/tree/${nodePath(only)}`);
  return [format === "node" ? `${only}/` : only];
}
