import type { LocalApi } from "./local-api.ts";

/** A node and the properties that are its own; "" where it has none. Interior nodes have no value. */
export interface Node {
  readonly format: string;
  readonly value?: unknown;
  readonly acl: string;
  readonly title: string;
}

/** Nodes by address, as it stands in the API's paths: "DevInfo/Ext/w1". */
export type Image = ReadonlyMap<string, Node>;

interface NodeJson {
  readonly uri: string;
  readonly format: string;
  readonly value?: unknown;
  readonly children?: readonly NodeJson[];
}

/** What a daemon that lives answers. @throws when it does not, or refuses. */
export async function ask(api: LocalApi, path: string): Promise<unknown> {
  const reply = await api.send("GET", path);
  if (reply?.status !== 200)
    throw new Error(`GET ${path}: ${reply === undefined ? "no answer" : JSON.stringify(reply)}`);
  return reply.body;
}

/** Everything below `area`, with ACL and title of each node. */
export async function readTree(api: LocalApi, area: string): Promise<Image> {
  const nodes = new Map<string, Node>();
  const property = async (uri: string, name: string) => {
    const answer = (await ask(api, `/v1/tree/${uri}?prop=${name}`)) as { readonly value: string };
    return answer.value;
  };
  const walk = async ({ uri, format, value, children = [] }: NodeJson): Promise<void> => {
    const at = uri.slice("./".length);
    const own = { acl: await property(at, "ACL"), title: await property(at, "Title") };
    if (at !== area) nodes.set(at, { format, ...(value === undefined ? {} : { value }), ...own });
    for (const child of children) await walk(child);
  };
  await walk((await ask(api, `/v1/tree/${area}?deep`)) as NodeJson);
  return nodes;
}

/** What is different: empty when the images are equal. */
export function differences(expected: Image, found: Image): string[] {
  return [...new Set([...expected.keys(), ...found.keys()])].flatMap((at) => {
    const [was, is] = [spelled(expected.get(at)), spelled(found.get(at))];
    return was === is ? [] : [`${at}: expected ${was}, found ${is}`];
  });
}

function spelled(node: Node | undefined): string {
  if (node === undefined) return "nothing";
  const { format, value, acl, title } = node;
  return JSON.stringify({ format, value, acl, title }).slice(0, 300);
}
