import type { DeviceReport } from "../gateway.ts";
import { printable } from "./print.ts";
import type { Job } from "./verb.ts";
import { shortened } from "./width.ts";

/** What a person can decide about a device. */
interface Deed {
  /** What stands behind its name, for people. */
  readonly words: string;
  takes(words: readonly string[]): boolean;
  /** @param path of the device in the local API */
  run(job: Job, path: string, words: readonly string[]): Promise<void>;
}

export const deeds: ReadonlyMap<string, Deed> = new Map<string, Deed>([
  [
    "name",
    {
      words: "NAME",
      takes: ({ length }) => length === 1,
      async run(job, path, [name = ""]) {
        const device = await changeDevice(job, path, "name", { name });
        tell(job, device, `${device.id} is called ${shortened(device.name, 80)} now`);
      },
    },
  ],
  [
    "merge",
    {
      words: "ID2",
      takes: ({ length }) => length === 1,
      async run(job, path, [other = ""]) {
        const device = await changeDevice(job, path, "merge", { other });
        tell(
          job,
          device,
          `${printable(other)} is part of ${device.id} now; take it back: dmgw device ${device.id} split`,
        );
      },
    },
  ],
  [
    "split",
    {
      words: "[IDENTITY…]",
      takes: () => true,
      async run(job, path, identities) {
        const body = identities.length === 0 ? undefined : { identities };
        const { body: both } = await (
          await job.api()
        ).send<readonly [DeviceReport, DeviceReport]>("POST", `${path}/split`, body);
        const [{ id }, other] = both;
        tell(job, both, `${id} and ${other.id} are two devices now; take it back: dmgw device ${id} merge ${other.id}`);
      },
    },
  ],
  [
    "ignore",
    {
      words: "[off]",
      takes: ([off, ...more]) => more.length === 0 && (off === undefined || off === "off"),
      async run(job, path, [off]) {
        const device = await changeDevice(job, path, "ignore", { ignored: off === undefined });
        const { id, state } = device;
        if (off === "off") tell(job, device, `${id} is not ignored any more: it is ${state}`);
        else
          tell(
            job,
            device,
            `${id} is ignored: not listed, not in the tree; take it back: dmgw device ${id} ignore off`,
          );
      },
    },
  ],
  [
    "forget",
    {
      words: "",
      takes: ({ length }) => length === 0,
      async run(job, path) {
        const { body } = await (await job.api()).send("POST", `${path}/forget`);
        tell(job, body, `${printable(job.words[0] ?? "")} is forgotten`);
      },
    },
  ],
]);

export async function changeDevice(job: Job, path: string, deed: string, body?: unknown): Promise<DeviceReport> {
  return (await (await job.api()).send<DeviceReport>("POST", `${path}/${deed}`, body)).body;
}

function tell(job: Job, body: unknown, line: string): void {
  if (job.globals.json) job.json(body);
  else job.line(line);
}
