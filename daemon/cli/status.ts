import type { StatusReport } from "../gateway.ts";
import { bytes, duration, printable } from "./print.ts";
import { partRow, serverRows } from "./status-rows.ts";
import { printPairs, printTable } from "./table.ts";
import type { Verb } from "./verb.ts";

export const verb: Verb = {
  forms: ["status"],
  about: "What runs, since when, the last error of each part, and what to do about it.",
  words: [0, 0],
  async run(job) {
    const status = await (await job.api()).get<StatusReport>("/v1/status");
    if (job.globals.json) {
      job.json(status);
      return 0;
    }
    const { version, ready, uptime, config, state, memory, flash, devices } = status;
    printPairs(job, [
      ["dmgw", `${version}, ${ready ? "ready" : "starting"}, up ${duration(uptime)}`],
      ["config", config],
      ["state", `${state}; ${bytes(flash.written)} written in ${flash.syncs} syncs, ${bytes(flash.perDay)} a day`],
      ["memory", `${bytes(memory.private)} private, ${bytes(memory.rss)} resident`],
      ["devices", `${devices.total} known, ${devices.managed} managed, ${devices.reachable} reachable`],
    ]);
    job.line("");
    printTable(
      job,
      ["PART", "STATE", "SINCE", "DETAIL"],
      [
        ...status.servers.flatMap(serverRows),
        ...Object.entries(status.adapters).map(([name, part]) => partRow(`adapter ${name}`, part)),
        ...Object.entries(status.discovery).map(([name, part]) =>
          partRow(lanPartName(name), part, part.sightings === undefined ? "" : `${part.sightings} sightings`),
        ),
      ],
    );
    const todo = [...status.warnings, ...(status.servers.length === 0 ? [noServer] : [])];
    job.line(todo.length === 0 ? "\nNothing to do: all is well." : "\nWhat to do:");
    for (const one of todo) job.line(`  - ${printable(one)}`);
    return 0;
  },
};

/** What is found, and being found. */
function lanPartName(name: string): string {
  return name === "announce" ? "announcement" : `discovery ${name}`;
}

const noServer = "no DM server manages this gateway yet: dmgw servers add ID URL, or `servers:` in the config";
