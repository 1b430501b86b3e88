import { readFile } from "node:fs/promises";
import { reasonOf } from "../../tree/errors.ts";
import type { NewServer, ServerReport } from "../gateway.ts";
import { Exit, Failure, usage } from "./failure.ts";
import { printable } from "./print.ts";
import type { Job } from "./verb.ts";

/** `servers add ID URL`: what the options say, as an account. */
export async function addServer(job: Job, id: string, url: string): Promise<number> {
  const client = await credentials(job, "");
  const server = await credentials(job, "server-");
  const ca = await fileText(job, "ca");
  const devices = job.text("devices") ?? "none";
  if (devices !== "manage" && devices !== "none") throw usage("--devices is manage or none", "dmgw servers --help");
  const body: NewServer = {
    id,
    url,
    ...(client === undefined ? {} : { client }),
    ...(server === undefined ? {} : { server }),
    ...(ca === undefined ? {} : { ca }),
    insecure: job.has("insecure"),
    devices,
  };
  const { body: made } = await (await job.api()).send<ServerReport>("POST", "/v1/servers", body);
  if (job.globals.json) job.json(made);
  else job.line(`${printable(made.id)} added; start a session: dmgw connect ${printable(made.id)}`);
  if (devices === "none" && !job.globals.json) {
    job.note(
      "it may not see the devices of the home: add it with --devices manage, or give rights with dmgw acl ./Devices",
    );
  }
  if (made.error !== undefined) job.note(`it will not be used: ${printable(made.error)}`);
  return Exit.done;
}

async function credentials(job: Job, whose: "" | "server-"): Promise<NewServer["client"]> {
  const name = job.text(`${whose}name`);
  const secret = job.text(`${whose}secret`) ?? (await fileText(job, `${whose}secret-file`))?.replace(/\r?\n$/, "");
  const nonce = job.text(`${whose}nonce`);
  if (name === undefined && secret === undefined && nonce === undefined) return undefined;
  if (name === undefined || secret === undefined) {
    throw usage(`--${whose}name and --${whose}secret-file go together`, "dmgw servers --help");
  }
  return { type: job.text("auth") ?? "digest", name, secret, ...(nonce === undefined ? {} : { nonce }) };
}

async function fileText(job: Job, option: string): Promise<string | undefined> {
  const file = job.text(option);
  if (file === undefined) return undefined;
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new Failure(Exit.failed, `--${option}: ${reasonOf(error)}`, { cause: error });
  }
}
