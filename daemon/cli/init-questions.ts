import { createInterface } from "node:readline";
import type { InitAnswers } from "../../config/init.ts";
import { Exit, Failure } from "./failure.ts";
import type { Job } from "./verb.ts";

/** Asks for one line; "" when nothing was answered, or nobody is there to answer. */
type Ask = (question: string) => Promise<string>;

/** The questions of `init`, on standard error, answered line by line on standard input. */
export async function askAll(job: Job): Promise<InitAnswers> {
  const { stdin, stderr } = job.io;
  const lines =
    stdin === undefined ? undefined : createInterface({ input: stdin, signal: job.signal })[Symbol.asyncIterator]();
  const ask: Ask = async (question) => {
    stderr.write(`${question}: `);
    const answer = await lines?.next();
    if (job.signal.aborted) throw new Failure(Exit.interrupted, "interrupted");
    if (answer === undefined || answer.done === true) stderr.write("\n");
    return answer?.done === false ? answer.value.trim() : "";
  };
  try {
    const interfaces = (await ask("Interfaces towards the home, such as br-lan (default: all with a private address)"))
      .split(/[\s,]+/)
      .filter((name) => name !== "");
    const broker = await askBroker(ask);
    const server = await askServer(ask);
    return { interfaces, ...(broker === undefined ? {} : { broker }), ...(server === undefined ? {} : { server }) };
  } finally {
    await lines?.return?.();
  }
}

async function askBroker(ask: Ask): Promise<InitAnswers["broker"]> {
  const url = await ask("MQTT broker of the home (default: mqtt://127.0.0.1:1883)");
  if (url === "") return undefined;
  const username = await ask("  user name there (default: none)");
  if (username === "") return { url };
  return { url, username, password: await ask("  password (seen as you type)") };
}

async function askServer(ask: Ask): Promise<InitAnswers["server"]> {
  const url = await ask("URL of the DM server that manages this home (default: none yet)");
  if (url === "") return undefined;
  const id = await ask("  its server id, such as com.example.dm");
  const type =
    (await ask("  how both sides prove themselves, digest or basic (default: digest)")) === "basic"
      ? "basic"
      : "digest";
  const client = {
    name: await ask("  name of this gateway there"),
    secret: await ask("  secret of this gateway (seen as you type)"),
  };
  const name = await ask("  name of the server here (default: it proves itself by its certificate)");
  const rest = name === "" ? { ca: await ask("  file with its certificate or CA (PEM)") } : {};
  const server =
    name === "" ? {} : { server: { name, secret: await ask("  secret of the server (seen as you type)") } };
  const plain = url.startsWith("http:") && /^y/i.test(await ask("  http:// is not encrypted; accept that? (y/N)"));
  return { id, url, type, client, ...server, ...rest, ...(plain ? { insecure: true } : {}) };
}
