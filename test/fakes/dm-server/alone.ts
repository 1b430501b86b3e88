import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { ConfigError, reasonOf } from "../../../tree/errors.ts";
import { selfSigned } from "../certificate.ts";
import type { Certificate } from "../certificate.ts";
import type { Ask } from "./asks.ts";
import type { Account, AuthKind } from "./proofs.ts";
import { parseScript, scriptHelp } from "./script.ts";

const help = `A small OMA DM 1.2 server, to try a device against. It tells what happens in words.

  node dist/test/fakes/dm-server.js --user gw --password secret --server-password other [options]

  --id ID                 the server's id and user name (default com.example.dm)
  --user NAME             what the device shows: its user name (default gw)
  --password P            and its secret
  --server-password P     what the server shows to the device
  --client-nonce B64      the first nonces for digest, as agreed (default none)
  --server-nonce B64
  --auth KIND             digest (default), basic or none; for both directions
  --host H --port N       default 127.0.0.1 and a free port
  --tls                   HTTPS with a certificate made for this run, written to standard output
  --cert F --key F        HTTPS with these
  --max-msg-size N        octets of a message that the server takes
  --script F              what to ask (default: who are you?)
  --once                  end when all of it was asked; exit 1 if the device did something against the standard

${scriptHelp}
`;

const options = {
  help: { type: "boolean", short: "h", default: false },
  id: { type: "string", default: "com.example.dm" },
  user: { type: "string", default: "gw" },
  password: { type: "string" },
  "server-password": { type: "string" },
  "client-nonce": { type: "string", default: "" },
  "server-nonce": { type: "string", default: "" },
  auth: { type: "string", default: "digest" },
  host: { type: "string", default: "127.0.0.1" },
  port: { type: "string", default: "0" },
  tls: { type: "boolean", default: false },
  cert: { type: "string" },
  key: { type: "string" },
  "max-msg-size": { type: "string" },
  script: { type: "string" },
  once: { type: "boolean", default: false },
} as const;

/** Starts the server. It is handed in by the file that is run, which would otherwise be imported by what it imports. */
type Start = (options: {
  readonly auth: AuthKind;
  readonly host: string;
  readonly port: number;
  readonly client: Account;
  readonly server: Account;
  readonly tls?: Certificate;
  readonly maxMsgSize?: number;
  readonly story: (line: string) => void;
}) => Promise<Started>;

interface Started {
  readonly url: string;
  readonly idle: boolean;
  readonly violations: readonly string[];
  run(asks: readonly Ask[]): Promise<unknown>;
  holdForAlert(ms: number): void;
  sessionEnded(): Promise<unknown>;
  stop(): Promise<void>;
}

/** The server as a program: runs until it is stopped, or until its script is done. */
export async function runAlone(args: string[], start: Start): Promise<void> {
  try {
    await run(args, start);
  } catch (error) {
    console.error(reasonOf(error));
    process.exitCode = 2;
  }
}

async function run(args: string[], start: Start): Promise<void> {
  const { values } = parseArgs({ args, options });
  if (values.help) return console.log(help);
  const auth = (["digest", "basic", "none"] as const).find((kind) => kind === values.auth);
  if (auth === undefined)
    throw new ConfigError([{ key: "auth", message: "--auth is digest, basic or none", where: "" }]);
  const steps = parseScript(values.script === undefined ? "get ./DevInfo/DevId ./DevInfo/Mod" : text(values.script));
  const files = values.cert !== undefined && values.key !== undefined;
  const tls = files
    ? { cert: text(values.cert ?? ""), key: text(values.key ?? "") }
    : values.tls
      ? selfSigned([values.host])
      : undefined;
  const size = values["max-msg-size"];
  const server = await start({
    auth,
    host: values.host,
    port: Number(values.port),
    client: { name: values.user, secret: values.password ?? "", nonce: octets(values["client-nonce"]) },
    server: { name: values.id, secret: values["server-password"] ?? "", nonce: octets(values["server-nonce"]) },
    ...(size === undefined ? {} : { maxMsgSize: Number(size) }),
    ...(tls === undefined ? {} : { tls }),
    story: (line) => console.log(line),
  });
  console.log(`DM server ${values.id} is ready at ${server.url}`);
  if (tls !== undefined && !files) console.log(tls.cert);

  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort()).once("SIGTERM", () => stop.abort());
  for (const step of steps) {
    if ("wait" in step) server.holdForAlert(step.wait);
    // What was not answered is in the story already; the server goes on.
    else server.run(step.asks).catch(() => undefined);
  }
  const stopped = new Promise((resolve) => stop.signal.addEventListener("abort", resolve, { once: true }));
  while (!stop.signal.aborted) {
    await Promise.race([server.sessionEnded(), stopped]);
    if (values.once && server.idle) break;
  }
  await server.stop();
  if (values.once && server.violations.length > 0) process.exitCode = 1;
}

function text(path: string): string {
  return readFileSync(path, "utf8");
}

function octets(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, "base64"));
}
