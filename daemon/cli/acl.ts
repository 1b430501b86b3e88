import type { Api } from "./api.ts";
import { nodePath } from "./api.ts";
import { parentOf } from "./next-step.ts";
import { printable } from "./print.ts";
import type { Verb } from "./verb.ts";

interface Property {
  readonly uri: string;
  readonly value: string;
}

export const verb: Verb = {
  forms: ["acl URI", "acl URI VALUE"],
  about:
    'Shows the ACL of a node, or the one it inherits; with VALUE sets it. "" takes it away, so that the node inherits again.\nAn ACL names servers by their id: Get=*&Replace=com.example.dm',
  words: [1, 2],
  kinds: ["uri"],
  examples: ["acl ./Devices", "acl ./Devices/d1 'Get=*&Replace=com.example.dm'", 'acl ./Devices/d1 ""'],
  async run(job) {
    const [uri = ".", value] = job.words;
    const api = await job.api();
    if (value !== undefined) await api.send("PUT", `/v1/tree/${nodePath(uri)}`, { prop: "ACL", value });
    const own = await ownAcl(api, uri);
    let holds = own;
    while (holds.value === "" && holds.uri !== ".") holds = await ownAcl(api, parentOf(holds.uri));
    if (job.globals.json) job.json({ uri: own.uri, acl: own.value, holds: { acl: holds.value, from: holds.uri } });
    else if (own.value !== "") job.line(`${printable(own.uri)} => ${printable(own.value)}`);
    else job.line(`${printable(own.uri)} => ${printable(holds.value)}  (inherited from ${printable(holds.uri)})`);
    return 0;
  },
};

function ownAcl(api: Api, uri: string): Promise<Property> {
  return api.get(`/v1/tree/${nodePath(uri)}?prop=ACL`);
}
