import type { DeviceReport } from "../../daemon/gateway.ts";
import type { AtRestart } from "./home.ts";
import type { Gateway } from "./gateway.ts";

/** Watches the numbers of devices over their life. */
export interface Numbers {
  /** Looks at the list of now. */
  look(gateway: Gateway): void;
  readonly atRestart: AtRestart;
  /** What must never be, in words. */
  readonly broken: readonly string[];
  /** How often a face of a managed device got another number because its device was joined to another one. */
  readonly merges: number;
}

/** What a number stands for, for comparing before and after a restart. */
interface Known {
  readonly id: string;
  readonly managed: boolean;
  readonly name: string;
  readonly identities: string;
}

export function watchNumbers(): Numbers {
  const broken: string[] = [];
  const faces = new Map<string, string>();
  let listed = new Set<string>();
  let last = 0;
  let merges = 0;

  const follow = (report: DeviceReport, now: ReadonlySet<string>) => {
    for (const identity of report.identities.filter((one) => !/^(mdns|ssdp) /.test(one))) {
      const before = faces.get(identity);
      faces.set(identity, report.id);
      if (before === undefined || before === report.id) continue;
      if (now.has(before))
        broken.push(`${identity} went from ${before} to ${report.id}, and ${before} is still listed`);
      else merges++;
    }
  };

  return {
    look(gateway) {
      const reports = gateway.devices();
      const now = new Set(reports.map(({ id }) => id));
      for (const id of now) {
        const number = Number(id.slice(1));
        if (!listed.has(id) && number <= last) broken.push(`${id} was given again (the last one was d${last})`);
      }
      for (const id of now) last = Math.max(last, Number(id.slice(1)));
      for (const report of reports.filter(({ managed }) => managed)) follow(report, now);
      listed = now;
    },
    atRestart(before, how) {
      const were = known(before);
      return (after) => {
        const are = new Map(known(after).map((one) => [one.id, one]));
        for (const one of were) {
          const is = are.get(one.id);
          if (is === undefined) broken.push(`${one.id} (${one.name}) is not listed after a ${how}`);
          else if (how === "restart" && JSON.stringify(is) !== JSON.stringify(one))
            broken.push(`after a restart ${JSON.stringify(one)} is ${JSON.stringify(is)}`);
        }
      };
    },
    broken,
    get merges() {
      return merges;
    },
  };
}

function known(gateway: Gateway): readonly Known[] {
  return gateway.devices().map(({ id, managed, name }) => ({
    id,
    managed,
    name,
    identities: [...gateway.identitiesOf(id)].sort().join(" + "),
  }));
}
