import { usage } from "./failure.ts";
import type { ServerReport } from "../gateway.ts";
import { ago } from "./print.ts";
import { printTable } from "./table.ts";
import type { Job, Verb } from "./verb.ts";

export const verb: Verb = {
  forms: ["servers", "servers add ID URL [OPTION…]", "servers rm ID"],
  about:
    "Lists the accounts of DM servers, adds one, removes one. Accounts of the config file are changed there.\nThe server proves itself with --server-name and --server-secret, or with the certificate in --ca.",
  options: [
    { name: "name", value: "NAME", about: "who the gateway is to the server" },
    { name: "secret-file", value: "F", kind: "file", about: "file that holds the gateway's secret" },
    { name: "server-name", value: "NAME", about: "who the server is to the gateway" },
    { name: "server-secret-file", value: "F", kind: "file", about: "file that holds the server's secret" },
    { name: "secret", value: "S", about: "as --secret-file; other users of this machine see it while the verb runs" },
    { name: "server-secret", value: "S", about: "as --server-secret-file; seen likewise" },
    { name: "auth", value: "T", kind: ["digest", "basic"], about: "how both prove themselves; default digest" },
    { name: "nonce", value: "B64", about: "first nonce towards the server" },
    { name: "server-nonce", value: "B64", about: "first nonce of the server" },
    { name: "ca", value: "F", kind: "file", about: "PEM: the only CA, or server certificate, that is trusted" },
    { name: "devices", value: "D", kind: ["manage", "none"], about: "its starting rights on ./Devices; default none" },
    { name: "insecure", about: "plain http, or basic without TLS, is accepted for this server" },
  ],
  words: [0, 3],
  kinds: [["add", "rm"], "server"],
  examples: [
    "servers add com.example.dm https://dm.example.com/dm --name gw1 --secret-file gw.txt --server-name dm --server-secret-file dm.txt",
    "servers rm com.example.dm",
  ],
  async run(job) {
    const [what, id, url] = job.words;
    if (what === undefined) return list(job);
    if (what === "add" && id !== undefined && url !== undefined) {
      const { addServer } = await import("./servers-add.ts");
      return addServer(job, id, url);
    }
    if (what !== "rm" || id === undefined || url !== undefined)
      throw usage(`servers takes add ID URL, or rm ID`, "dmgw servers --help");
    const { body } = await (await job.api()).send("DELETE", `/v1/servers/${encodeURIComponent(id.toWellFormed())}`);
    if (job.globals.json) job.json(body);
    else job.line(`${id} removed`);
    return 0;
  },
};

async function list(job: Job): Promise<number> {
  const servers = await (await job.api()).get<readonly ServerReport[]>("/v1/servers");
  if (job.globals.json) job.json(servers);
  else if (servers.length === 0) job.note("no DM server yet: dmgw servers add ID URL, or `servers:` in the config");
  else printTable(job, ["ID", "URL", "STATE", "LAST SESSION", "OWNER"], servers.map(row));
  return 0;
}

function row({ id, url, state, lastSession, owner, error }: ServerReport): string[] {
  const last =
    lastSession === undefined
      ? ""
      : `${ago(lastSession.at)}: ${lastSession.ok ? "good" : (lastSession.error ?? "failed")}`;
  return [id, url, error === undefined ? state : `${state}: ${error}`, last, owner];
}
